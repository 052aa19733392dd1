/** Addressing forms: the bytes from modrm on, and the registers that make them point where they should. */
import { type Draft, DS, SS } from './draft.ts';

const RSP = 4;
const RBP = 5;

/** Bytes of a signed number of 1, 2 or 4 bytes. */
const signed = (value: number, bytes: 1 | 2 | 4): number[] => Array.from({ length: bytes }, (_, i) => (value >> (8 * i)) & 0xff);

const fitsDisplacement = (d: Draft, offset: bigint): boolean =>
  d.addressBytes < 8 || BigInt.asUintN(64, BigInt.asIntN(32, offset)) === offset;

/** A modrm byte for registers; `reg` is modrm.reg. */
export const registerForm = (d: Draft, reg: number): void => {
  const rm = d.s.below(8);
  d.modrm = { bytes: [0xc0 | (reg << 3) | rm], ripRelative: null };
};

/** A memory operand at a linear address. */
export const memoryForm = (d: Draft, reg: number, address: bigint): void => {
  const { s } = d;
  if (d.addressBytes === 2) {
    narrow(d, reg, address);
    return;
  }
  const offset = d.offsetOf(d.dataSegment(), address);
  const roll = s.below(16);
  if (roll < 2 && fitsDisplacement(d, offset)) absolute(d, reg, offset);
  else if (roll < 4) relative(d, reg, offset);
  else if (roll < 10) based(d, reg, address);
  else indexed(d, reg, address);
};

/** [disp32]: SIB without base and index. */
const absolute = (d: Draft, reg: number, offset: bigint): void => {
  if (d.rex !== null) d.rex &= ~2;
  const bytes = [(reg << 3) | RSP, (d.s.below(4) << 6) | (RSP << 3) | RBP, ...signed(Number(BigInt.asIntN(32, offset)), 4)];
  d.modrm = { bytes, ripRelative: null };
};

/** RIP-relative; outside 64-bit mode the same modrm is an absolute offset. */
const relative = (d: Draft, reg: number, offset: bigint): void => {
  if (d.mode === '64') d.modrm = { bytes: [(reg << 3) | RBP, 0, 0, 0, 0], ripRelative: offset };
  else d.modrm = { bytes: [(reg << 3) | RBP, ...signed(Number(BigInt.asIntN(32, offset)), 4)], ripRelative: null };
};

/** Displacement for a form with a base: none, a byte or more. */
type Displacement = { readonly mod: number; readonly value: number; readonly bytes: number[] };
const chooseDisplacement = (d: Draft, needed: boolean): Displacement => {
  const { s } = d;
  const mod = needed ? s.int(1, 2) : s.below(3);
  if (mod === 0) return { mod, value: 0, bytes: [] };
  const value = mod === 1 ? s.int(-128, 127) : s.one(2) ? s.int(-5000, 5000) : s.bits() | 0;
  return { mod, value, bytes: signed(value, mod === 1 ? 1 : d.addressBytes === 2 ? 2 : 4) };
};

/** The stack segment is that of BP and SP. */
const offsetFrom = (d: Draft, address: bigint, stack: boolean): bigint => d.offsetOf(d.dataSegment(stack ? SS : DS), address);

const based = (d: Draft, reg: number, address: bigint): void => {
  const base = anyRegister(d, 1);
  const displacement = chooseDisplacement(d, (base & 7) === RBP);
  d.setLow(base, d.addressBytes, offsetFrom(d, address, base === RSP || base === RBP) - BigInt(displacement.value));
  const sib = (base & 7) === RSP ? [(d.s.below(4) << 6) | (RSP << 3) | RSP] : [];
  if (sib.length > 0 && d.rex !== null) d.rex &= ~2;
  d.modrm = { bytes: [(displacement.mod << 6) | (reg << 3) | (base & 7), ...sib, ...displacement.bytes], ripRelative: null };
};

/** Base and index, or an index alone with a displacement. */
const indexed = (d: Draft, reg: number, address: bigint): void => {
  const { s } = d;
  const scale = s.below(4);
  const index = anyRegister(d, 2);
  if (index === RSP) {
    based(d, reg, address);
    return;
  }
  const small = BigInt(s.below(300));
  if (s.one(2)) d.setLow(index, d.mode === '64' ? 8 : 4, s.one(2) ? small : -small);
  const sib = (low: number): number => (scale << 6) | ((index & 7) << 3) | low;
  if (s.one(5)) {
    const displacement = Number(BigInt.asIntN(32, offsetFrom(d, address, false) - (d.regs[index] << BigInt(scale))));
    d.modrm = { bytes: [(reg << 3) | RSP, sib(RBP), ...signed(displacement, 4)], ripRelative: null };
    return;
  }
  const base = anyRegister(d, 1);
  const displacement = chooseDisplacement(d, (base & 7) === RBP);
  // When both are the same register there is seldom a solution; the place is then wherever it leads.
  const offset = offsetFrom(d, address, base === RSP || base === RBP);
  d.setLow(base, d.addressBytes, offset - (d.regs[index] << BigInt(scale)) - BigInt(displacement.value));
  d.modrm = { bytes: [(displacement.mod << 6) | (reg << 3) | RSP, sib(base & 7), ...displacement.bytes], ripRelative: null };
};

/** A register that REX's bit (1: B, 2: X) extends. */
const anyRegister = (d: Draft, bit: 1 | 2): number => {
  let register = d.s.below(d.mode === '64' ? 16 : 8);
  while (d.reserved.includes(register)) register++;
  if (register >= 8) d.setRex(bit);
  else if (d.rex !== null) d.rex &= ~bit;
  return register;
};

/** 16-bit addressing: what each r/m adds up. */
const [BX, BP, SI, DI] = [3, 5, 6, 7];
const NARROW: readonly (readonly number[])[] = [[BX, SI], [BX, DI], [BP, SI], [BP, DI], [SI], [DI], [BP], [BX]];

const narrow = (d: Draft, reg: number, address: bigint): void => {
  const { s } = d;
  if (s.one(6)) {
    const offset = Number(offsetFrom(d, address, false));
    d.modrm = { bytes: [(reg << 3) | 6, offset & 0xff, offset >> 8], ripRelative: null };
    return;
  }
  const rm = s.below(8);
  const [first, second] = NARROW[rm];
  const displacement = chooseDisplacement(d, rm === 6);
  const rest = second === undefined ? 0n : d.regs[second] & 0xffffn;
  d.setLow(first, 2, offsetFrom(d, address, first === BP) - rest - BigInt(displacement.value));
  d.modrm = { bytes: [(displacement.mod << 6) | (reg << 3) | rm, ...displacement.bytes], ripRelative: null };
};
