/** Addressing forms: the bytes from modrm on, and the registers that make them point where they should. */
import type { Draft } from './draft.ts';

const RSP = 4;
const RBP = 5;

/** Bytes of a signed number of 1 or 4 bytes. */
const signed = (value: number, bytes: 1 | 4): number[] => Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 0xff);

/** The offset that gives this linear address under the segment's base. */
const offsetFor = (d: Draft, address: bigint): bigint => {
  const base = d.segment === 'fs' ? d.fsBase : d.segment === 'gs' ? d.gsBase : 0n;
  const offset = BigInt.asUintN(64, address - base);
  return d.address32 ? BigInt.asUintN(32, offset) : offset;
};

const fitsDisplacement = (d: Draft, offset: bigint): boolean => d.address32 || BigInt.asUintN(64, BigInt.asIntN(32, offset)) === offset;

/** Let a register hold a value; under a 67 prefix its upper half is anything. */
const setBase = (d: Draft, register: number, value: bigint): void => {
  const upper = d.address32 ? d.s.bits64() & 0xffffffff00000000n : 0n;
  d.regs[register] = d.address32 ? upper | BigInt.asUintN(32, value) : BigInt.asUintN(64, value);
};

/** A modrm byte for registers; `reg` is modrm.reg. */
export const registerForm = (d: Draft, reg: number): void => {
  const rm = d.s.below(8);
  d.modrm = { bytes: [0xc0 | (reg << 3) | rm], ripRelative: null };
};

/** A memory operand at a linear address. */
export const memoryForm = (d: Draft, reg: number, address: bigint): void => {
  const { s } = d;
  const offset = offsetFor(d, address);
  const roll = s.below(16);
  if (roll < 2 && fitsDisplacement(d, offset)) absolute(d, reg, offset);
  else if (roll < 4) ripRelative(d, reg, offset);
  else if (roll < 10) based(d, reg, offset);
  else indexed(d, reg, offset);
};

/** [disp32]: SIB without base and index. */
const absolute = (d: Draft, reg: number, offset: bigint): void => {
  if (d.rex !== null) d.rex &= ~2;
  const bytes = [(reg << 3) | RSP, (d.s.below(4) << 6) | (RSP << 3) | RBP, ...signed(Number(BigInt.asIntN(32, offset)), 4)];
  d.modrm = { bytes, ripRelative: null };
};

const ripRelative = (d: Draft, reg: number, offset: bigint): void => {
  d.modrm = { bytes: [(reg << 3) | RBP, 0, 0, 0, 0], ripRelative: offset };
};

/** Displacement for a form with a base: none, a byte or four. */
type Displacement = { readonly mod: number; readonly value: number; readonly bytes: number[] };
const chooseDisplacement = (d: Draft, base: number): Displacement => {
  const { s } = d;
  const mod = (base & 7) === RBP ? s.int(1, 2) : s.below(3);
  if (mod === 0) return { mod, value: 0, bytes: [] };
  const value = mod === 1 ? s.int(-128, 127) : s.one(2) ? s.int(-5000, 5000) : s.bits() | 0;
  return { mod, value, bytes: signed(value, mod === 1 ? 1 : 4) };
};

const based = (d: Draft, reg: number, offset: bigint): void => {
  const base = anyRegister(d, 1);
  const displacement = chooseDisplacement(d, base);
  setBase(d, base, offset - BigInt(displacement.value));
  const sib = (base & 7) === RSP ? [(d.s.below(4) << 6) | (RSP << 3) | RSP] : [];
  if (sib.length > 0 && d.rex !== null) d.rex &= ~2;
  d.modrm = { bytes: [(displacement.mod << 6) | (reg << 3) | (base & 7), ...sib, ...displacement.bytes], ripRelative: null };
};

/** Base and index, or an index alone with a displacement. */
const indexed = (d: Draft, reg: number, offset: bigint): void => {
  const { s } = d;
  const scale = s.below(4);
  const index = anyRegister(d, 2);
  if (index === RSP) {
    based(d, reg, offset);
    return;
  }
  if (s.one(2)) d.regs[index] = s.one(2) ? BigInt(s.below(300)) : BigInt.asUintN(64, -BigInt(s.below(300)));
  const sib = (low: number): number => (scale << 6) | ((index & 7) << 3) | low;
  if (s.one(5)) {
    const displacement = Number(BigInt.asIntN(32, offset - (d.regs[index] << BigInt(scale))));
    d.modrm = { bytes: [(reg << 3) | RSP, sib(RBP), ...signed(displacement, 4)], ripRelative: null };
    return;
  }
  const base = anyRegister(d, 1);
  const displacement = chooseDisplacement(d, base);
  // When both are the same register there is seldom a solution; the place is then wherever it leads.
  setBase(d, base, offset - (d.regs[index] << BigInt(scale)) - BigInt(displacement.value));
  d.modrm = { bytes: [(displacement.mod << 6) | (reg << 3) | RSP, sib(base & 7), ...displacement.bytes], ripRelative: null };
};

/** A register that REX's bit (1: B, 2: X) extends. */
const anyRegister = (d: Draft, bit: 1 | 2): number => {
  const register = d.s.below(16);
  if (register >= 8) d.setRex(bit);
  else if (d.rex !== null) d.rex &= ~bit;
  return register;
};
