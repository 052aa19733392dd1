/**
 * Carrying out a store to a read-only mapped L1 table. The instruction runs once with its write caught; what it would store is then given
 * to the checks that every new entry passes, so all instructions that store work alike.
 */
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { Capture, type Caught } from '../../cpu/capture.ts';
import { PF } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import { ptwrTable } from '../mm/ptwr.ts';
import type { Vcpu } from '../vcpu.ts';
import { emulateEnter } from './emulated_enter.ts';
import { fetchAsGuestCode } from './emulated_fetch.ts';
import { isEnter, isX87Store, type StoreKind, storeKind, storesByExchange } from './emulated_store.ts';
import { injectPageFault } from './inject.ts';
import { ENTRY_BYTES, finishStore, storeToTable, type TableFault } from './store_to_table.ts';

const GPRS = 16;

/** True when Xen has dealt with it, be it by another fault. */
export const emulateTableWrite = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const table = ptwrTable(machine, vcpu, lo, hi);
  if (table < 0) return false;
  const { cpu } = vcpu;
  const instruction = fetchAsGuestCode(machine, vcpu);
  if (instruction === null || instruction === 'fault') return instruction === 'fault';
  if (isX87Store(instruction)) throw new NotModelled('emulation/ptwr-x87');
  if (isEnter(instruction)) return emulateEnter(machine, vcpu, { table, lo, hi }, instruction);
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
  if (
    caught !== null &&
    stores(vcpu, kind, capture) &&
    !write(machine, vcpu, { table, lo, hi }, caught, kind === 'overwrites', storesByExchange(instruction))
  ) {
    restore(vcpu, before);
    return false;
  }
  vcpu.savedFlags.set(cpu.flags, vcpu.savedFlags.hi);
  finishStore(machine, vcpu);
  return true;
};

/** Whether Xen's emulator asks for a write at all. */
const stores = ({ cpu }: Vcpu, kind: StoreKind, capture: Capture): boolean =>
  kind === 'overwrites' || (kind === 'compares' ? (cpu.flags & RFLAGS.ZF) !== 0 : !capture.leavesAll());

/** `reads`: the operand has not been read, so that Xen reads what its write leaves of the entry. False: the guest's fault. */
const write = (
  machine: Machine,
  vcpu: Vcpu,
  fault: TableFault,
  { lo, hi, stored }: Caught,
  reads: boolean,
  exchanges: boolean,
): boolean => {
  const value = new DataView(new ArrayBuffer(ENTRY_BYTES));
  for (let i = 0; i < stored.length && i < ENTRY_BYTES; i++) value.setUint8(i, stored[i]);
  return storeToTable(machine, vcpu, fault, { lo, hi, size: stored.length, value, exchanges }, reads);
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
