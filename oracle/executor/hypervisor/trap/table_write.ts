/**
 * Carrying out a store to a read-only mapped L1 table. The instruction runs once with its write caught; what it would store is then given
 * to the checks that every new entry passes, so all instructions that store work alike.
 */
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { Capture, type Caught } from '../../cpu/capture.ts';
import { DB, PF } from '../../cpu/exit.ts';
import { guestToMachine } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { ptwrFits, ptwrTable, ptwrWrite } from '../mm/ptwr.ts';
import type { Vcpu } from '../vcpu.ts';
import { type StoreKind, storeKind, unmodelledStore } from './emulated_store.ts';
import { injectException, injectPageFault } from './inject.ts';

const GPRS = 16;
const ENTRY_BYTES = 8;

/** True when Xen has dealt with it, be it by another fault. */
export const emulateTableWrite = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const table = ptwrTable(machine, vcpu, lo, hi);
  if (table < 0) return false;
  const { cpu } = vcpu;
  if (cpu.legacy) throw new NotModelled('emulation/ptwr-compatibility');
  const instruction = cpu.instruction();
  if (instruction === null) return false;
  const unmodelled = unmodelledStore(instruction);
  if (unmodelled !== null) throw new NotModelled(`emulation/ptwr-${unmodelled}`);
  const kind = storeKind(instruction);
  if (kind === null) return false;

  const before = snapshot(vcpu);
  const capture = new Capture(kind === 'overwrites');
  const exit = cpu.runCaptured(capture);
  if (exit.kind === 'fault') {
    restore(vcpu, before);
    if (exit.vector !== PF || exit.cr2 === null) return false;
    injectPageFault(machine, vcpu, 0, Number(BigInt.asIntN(32, exit.cr2)), Number(BigInt.asIntN(32, exit.cr2 >> 32n)));
    return true;
  }
  const { caught } = capture;
  if (caught !== null && stores(vcpu, kind, capture) && !write(machine, vcpu, table, caught, kind, lo, hi)) {
    restore(vcpu, before);
    return false;
  }
  vcpu.savedFlags.set(cpu.flags, vcpu.savedFlags.hi);
  machine.emit({ kind: 'emulated', at: vcpu.ref, instruction: 'ptwr' });
  if ((vcpu.savedFlags.lo & RFLAGS.TF) !== 0) injectException(vcpu, DB, -1);
  return true;
};

/** Whether Xen's emulator asks for a write at all. */
const stores = ({ cpu }: Vcpu, kind: StoreKind, capture: Capture): boolean =>
  kind === 'overwrites' || (kind === 'compares' ? (cpu.flags & RFLAGS.ZF) !== 0 : !capture.leavesAll());

/** Only an aligned write within one entry, in the page of the fault at `hi:lo`, is one. False: the guest's fault. */
const write = (machine: Machine, vcpu: Vcpu, table: number, caught: Caught, kind: StoreKind, lo: number, hi: number): boolean => {
  const { stored } = caught;
  const at = table * 4096 + (caught.lo & 0xfff);
  if (caught.hi !== hi || (caught.lo ^ lo) >>> 12 !== 0 || !ptwrFits(at, stored.length)) return false;
  // The rest of the entry is read through the guest's mapping, which counts as an access; what changes an operand has read it anyway.
  if (kind === 'overwrites' && stored.length < ENTRY_BYTES) guestToMachine(machine, vcpu, caught.lo & ~7, hi, false);
  const value = new DataView(new ArrayBuffer(ENTRY_BYTES));
  for (let i = 0; i < stored.length; i++) value.setUint8(i, stored[i]);
  return ptwrWrite(machine, vcpu, at, stored.length, value.getInt32(0, true), value.getInt32(4, true));
};

type Snapshot = { readonly gprs: readonly bigint[]; readonly rip: bigint; readonly flags: number };

const snapshot = ({ cpu }: Vcpu): Snapshot => ({
  gprs: Array.from({ length: GPRS }, (_, i) => cpu.gpr(i)),
  rip: cpu.rip,
  flags: cpu.flags,
});

const restore = ({ cpu }: Vcpu, { gprs, rip, flags }: Snapshot): void => {
  gprs.forEach((value, i) => {
    cpu.setGpr(i, value);
  });
  cpu.rip = rip;
  cpu.flags = flags;
};
