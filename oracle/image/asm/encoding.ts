/** What the encodings of instructions share. */
import type { Emitter } from './emitter.ts';
import { AssemblyError, type Imm, type Mem, type Operand, type Reg, type Size } from './operand.ts';

/** Writes one instruction; throws AssemblyError for operands that it does not have. */
export type Encode = (e: Emitter, operands: readonly Operand[]) => void;

export const refuse = (why: string): never => {
  throw new AssemblyError(why);
};

export const isReg = (o: Operand | undefined): o is Reg => o?.t === 'reg';
export const isMem = (o: Operand | undefined): o is Mem => o?.t === 'mem';
export const isImm = (o: Operand | undefined): o is Imm => o?.t === 'imm';
export const isRm = (o: Operand | undefined): o is Reg | Mem => isReg(o) || isMem(o);

/** Width in bits that the operands agree on; the first that has one tells. */
export const widthOf = (operands: readonly Operand[]): Size => {
  for (const o of operands) if ((o.t === 'reg' || o.t === 'mem') && o.size !== 0) return o.size;
  return refuse('operand size is open');
};

/** Whether the constant is known now and fits a sign-extended byte at this width. */
export const fitsByte = (o: Imm, size: Size): boolean => {
  if (o.label !== null) return false;
  const value = BigInt.asIntN(size, BigInt(o.value));
  return value >= -128n && value <= 127n;
};

/** Whether the constant sign-extends from 32 bits to this width. */
export const fitsDword = (o: Imm, size: Size): boolean => {
  if (o.label !== null) return true;
  const value = BigInt.asIntN(size, BigInt(o.value));
  return value >= -0x80000000n && value <= 0x7fffffffn;
};

/** The width of an immediate beside an operand of `size` bits: at most 32. */
export const immSize = (size: Size): Size => (size === 64 ? 32 : size);

/** Fixed bytes, no operands. */
export const fixed =
  (...bytes: number[]): Encode =>
  (e, operands) => {
    if (operands.length > 0) refuse('takes no operands');
    for (const value of bytes) e.byte(value);
  };

/** `opcode /field` on one register or memory operand; opcode - 1 is the byte form when `hasByte`. */
export const unary =
  (opcode: number, field: number): Encode =>
  (e, [rm]) => {
    if (!isRm(rm)) return refuse('one register or memory operand');
    const size = widthOf([rm]);
    e.modrm({ opcode: [size === 8 ? opcode - 1 : opcode], operand: size, reg: field, rm });
  };

/** `reg ← rm` instructions without a byte form, with a mandatory prefix if any. */
export const regFromRm =
  (opcode: readonly number[], prefix?: number): Encode =>
  (e, [dst, src]) => {
    if (!isReg(dst) || !isRm(src) || dst.size === 8) return refuse('a wide register, then a register or memory');
    e.modrm({ opcode, operand: dst.size, reg: dst, rm: src, ...(prefix === undefined ? {} : { prefix }) });
  };

/** `rm ← rm op reg`; opcode is the wide form's last byte, one less the byte form's. */
export const rmWithReg =
  (before: readonly number[], opcode: number): Encode =>
  (e, [dst, src]) => {
    if (!isRm(dst) || !isReg(src)) return refuse('a register or memory, then a register');
    e.modrm({ opcode: [...before, src.size === 8 ? opcode - 1 : opcode], operand: src.size, reg: src, rm: dst });
  };

/** Condition codes by name. */
export const CONDITIONS: Readonly<Record<string, number>> = {
  o: 0,
  no: 1,
  b: 2,
  c: 2,
  ae: 3,
  nc: 3,
  e: 4,
  z: 4,
  ne: 5,
  nz: 5,
  be: 6,
  a: 7,
  s: 8,
  ns: 9,
  p: 10,
  np: 11,
  l: 12,
  ge: 13,
  le: 14,
  g: 15,
};
