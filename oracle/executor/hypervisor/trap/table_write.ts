/**
 * Carrying out a store to a read-only mapped L1 table. The instruction runs once with the mapping opened for writing; what it wrote is then
 * taken back and given to the checks that every new entry passes, so all instructions that store work alike.
 */
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DB } from '../../cpu/exit.ts';
import type { Instruction } from '../../cpu/instruction.ts';
import { FS } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { readableGuestL1e } from '../mm/guest_l1e.ts';
import { ptwrFits, ptwrTable, ptwrWrite } from '../mm/ptwr.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectException, injectPageFault } from './inject.ts';

const PTE_RW = 2;
const GPRS = 16;

/** True when Xen has dealt with it, be it by another fault. */
export const emulateTableWrite = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): boolean => {
  const table = ptwrTable(machine, vcpu, lo, hi);
  if (table < 0) return false;
  const { cpu } = vcpu;
  if (cpu.legacy) throw new NotModelled('emulation/ptwr-compatibility');
  const instruction = cpu.instruction();
  if (instruction === null) return false;
  const size = storeSize(instruction);
  const at = table * 4096 + (lo & 0xfff);
  if (!ptwrFits(at, size) || !reachesByOffset(vcpu, instruction, lo, hi)) return false;

  const { memory } = machine;
  const leaf = readableGuestL1e(machine, vcpu.kernelTable, lo, hi);
  const leafLo = memory.read32(leaf);
  const oldLo = memory.read32(at & ~7) | 0;
  const oldHi = memory.read32((at & ~7) + 4) | 0;
  const before = snapshot(vcpu);
  memory.write32(leaf, leafLo | PTE_RW);
  const exit = cpu.run(1);
  memory.write32(leaf, leafLo);
  const newLo = memory.read32(at & ~7) | 0;
  const newHi = memory.read32((at & ~7) + 4) | 0;
  memory.writeHalves(at & ~7, oldLo, oldHi);
  if (exit.kind === 'fault') {
    restore(vcpu, before);
    const cr2 = exit.cr2 ?? 0n;
    injectPageFault(machine, vcpu, 0, Number(BigInt.asIntN(32, cr2)), Number(BigInt.asIntN(32, cr2 >> 32n)));
    return true;
  }
  const shift = 8 * (at & 3);
  const low = size === 8 ? newLo : ((at & 4) === 0 ? newLo : newHi) >>> shift;
  if (!ptwrWrite(machine, vcpu, at, size, low, newHi)) {
    restore(vcpu, before);
    return false;
  }
  vcpu.savedFlags.set(cpu.flags, vcpu.savedFlags.hi);
  machine.emit({ kind: 'emulated', at: vcpu.ref, instruction: 'ptwr' });
  if ((vcpu.savedFlags.lo & RFLAGS.TF) !== 0) injectException(vcpu, DB, -1);
  return true;
};

const MOVS: ReadonlySet<number> = new Set([0xa4, 0xa5]);
const STOS: ReadonlySet<number> = new Set([0xaa, 0xab]);

/**
 * Xen's emulator works with offsets in the segment: a store with a base of FS or GS misses the page, and is the guest's fault. Where it would
 * hit another entry of the page, or read elsewhere, the run stops.
 */
const reachesByOffset = ({ cpu }: Vcpu, { segment, opcode }: Instruction, lo: number, hi: number): boolean => {
  const base = segment < 0 || STOS.has(opcode) ? 0n : segment === FS ? cpu.fsBase : cpu.gsBase;
  if (base === 0n) return true;
  const address = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  const offset = BigInt.asUintN(64, address - base);
  if (MOVS.has(opcode) || (address ^ offset) < 4096n) throw new NotModelled('emulation/ptwr-segment');
  return false;
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

/** Instructions whose store is as wide as their operand: byte for even opcodes. */
const STORES: ReadonlySet<number> = new Set([
  ...[0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30].flatMap((opcode) => [opcode, opcode + 1]),
  ...[
    0x80, 0x81, 0x86, 0x87, 0x88, 0x89, 0xa2, 0xa3, 0xa4, 0xa5, 0xaa, 0xab, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7,
    0xfe, 0xff, 0x0fb0, 0x0fb1, 0x0fc0, 0x0fc1,
  ],
]);
/** Of the operand's width whatever the opcode: group 1 with a byte immediate, bit tests, MOVNTI, double shifts. */
const WIDE_STORES: ReadonlySet<number> = new Set([0x83, 0x0fa4, 0x0fa5, 0x0fab, 0x0fac, 0x0fad, 0x0fb3, 0x0fbb, 0x0fba, 0x0fc3]);
/** SETcc writes a byte whatever the opcode. */
const isSetcc = (opcode: number): boolean => opcode >= 0x0f90 && opcode <= 0x0f9f;

const storeSize = (instruction: Instruction): number => {
  const { opcode, size } = instruction;
  if (isSetcc(opcode)) return 1;
  if (WIDE_STORES.has(opcode)) return size;
  if (!STORES.has(opcode)) throw new NotModelled(`emulation/ptwr-${instruction.row.mnemonic}`);
  return (opcode & 1) === 0 ? 1 : size;
};
