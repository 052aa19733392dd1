/** Multiplication and division. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { source } from './address.ts';
import type { Cpu } from './cpu.ts';
import { DE } from './exit.ts';
import { setArithmeticFlags } from './flags.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, setRegister } from './operand.ts';

const { CF, OF } = RFLAGS;
const TWO32 = 0x1_0000_0000;

/** Upper half of the unsigned product of two 32-bit values; the lower is Math.imul. */
export const multiplyHigh = (a: number, b: number): number => {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const middle = Math.imul(ah, bl) + (Math.imul(al, bl) >>> 16);
  const cross = Math.imul(al, bh) + (middle & 0xffff);
  return (Math.imul(ah, bh) + (middle >>> 16) + (cross >>> 16)) | 0;
};

/** 128-bit product, least significant word first. */
const product = new Int32Array(4);

const multiplyUnsigned = (al: number, ah: number, bl: number, bh: number): void => {
  const p1 = (multiplyHigh(al, bl) >>> 0) + (Math.imul(al, bh) >>> 0) + (Math.imul(ah, bl) >>> 0);
  const p2 = (multiplyHigh(al, bh) >>> 0) + (multiplyHigh(ah, bl) >>> 0) + (Math.imul(ah, bh) >>> 0) + Math.floor(p1 / TWO32);
  product[0] = Math.imul(al, bl);
  product[1] = p1;
  product[2] = p2;
  product[3] = (multiplyHigh(ah, bh) >>> 0) + Math.floor(p2 / TWO32);
};

const multiplySigned = (al: number, ah: number, bl: number, bh: number): void => {
  multiplyUnsigned(al, ah, bl, bh);
  if (ah < 0) subtractHigh(bl, bh);
  if (bh < 0) subtractHigh(al, ah);
};

/** A negative factor counts 2^64 too much as an unsigned one. */
const subtractHigh = (lo: number, hi: number): void => {
  const borrow = product[2] >>> 0 < lo >>> 0 ? 1 : 0;
  product[2] -= lo;
  product[3] -= hi + borrow;
};

/** Whether the product of two signed 64-bit numbers needs more than 64 bits. Doubles decide unless it is close. */
const overflows = (al: number, ah: number, bl: number, bh: number): boolean => {
  const size = Math.abs((ah * TWO32 + (al >>> 0)) * (bh * TWO32 + (bl >>> 0)));
  if (size < 9.2e18) return false;
  if (size > 9.3e18) return true;
  multiplySigned(al, ah, bl, bh);
  return product[2] !== product[1] >> 31 || product[3] !== product[1] >> 31;
};

/** Low 64 bits of the product into the destination; C and O tell whether the signed product was cut. */
const imul64 = (c: Cpu, o: Op, al: number, ah: number, bl: number, bh: number): Op => {
  setArithmeticFlags(c, overflows(al, ah, bl, bh) ? CF | OF : 0);
  c.s[o.a] = Math.imul(al, bl);
  c.s[o.a + 1] = multiplyHigh(al, bl) + Math.imul(al, bh) + Math.imul(ah, bl);
  return o.next;
};

const imul32 = (c: Cpu, o: Op, a: number, b: number): Op => {
  const r = Math.imul(a, b);
  setArithmeticFlags(c, a * b === r ? 0 : CF | OF);
  c.s[o.a] = r;
  c.s[o.a + 1] = 0;
  return o.next;
};

const imul16 = (c: Cpu, o: Op, a: number, b: number): Op => {
  const r = Math.imul((a << 16) >> 16, (b << 16) >> 16);
  setArithmeticFlags(c, (r << 16) >> 16 === r ? 0 : CF | OF);
  c.s16[o.a] = r;
  return o.next;
};

/** IMUL with two operands, and with three (the immediate is the last). By operand size. */
export const IMUL: Readonly<Record<number, Readonly<Record<string, Handler>>>> = {
  8: {
    rr: (c, o) => imul64(c, o, c.s[o.a], c.s[o.a + 1], c.s[o.b], c.s[o.b + 1]),
    rm: (c, o) => {
      const p = source(c, o, 7);
      return imul64(c, o, c.s[o.a], c.s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true));
    },
    rri: (c, o) => imul64(c, o, c.s[o.b], c.s[o.b + 1], o.imm, o.immHi),
    rmi: (c, o) => {
      const p = source(c, o, 7);
      return imul64(c, o, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi);
    },
  },
  4: {
    rr: (c, o) => imul32(c, o, c.s[o.a], c.s[o.b]),
    rm: (c, o) => imul32(c, o, c.s[o.a], c.dv.getInt32(source(c, o, 3), true)),
    rri: (c, o) => imul32(c, o, c.s[o.b], o.imm),
    rmi: (c, o) => imul32(c, o, c.dv.getInt32(source(c, o, 3), true), o.imm),
  },
  2: {
    rr: (c, o) => imul16(c, o, c.s16[o.a], c.s16[o.b]),
    rm: (c, o) => imul16(c, o, c.s16[o.a], c.dv.getInt16(source(c, o, 1), true)),
    rri: (c, o) => imul16(c, o, c.s16[o.b], o.imm),
    rmi: (c, o) => imul16(c, o, c.dv.getInt16(source(c, o, 1), true), o.imm),
  },
};

/** The r/m operand that is only read. */
const operand = (c: Cpu, o: Op): number => {
  if (!o.memory) return getRegister(c, o.a, o.size);
  const p = source(c, o, o.size - 1);
  return peek(c, p, o.size);
};

/** MUL and IMUL with one operand: RDX:RAX ← RAX · operand. */
const multiply = (c: Cpu, o: Op, signed: boolean): Op => {
  const bl = operand(c, o);
  const bh = c.high;
  const s = c.s;
  let fits: boolean;
  if (o.size === 8) {
    if (signed) multiplySigned(s[0], s[1], bl, bh);
    else multiplyUnsigned(s[0], s[1], bl, bh);
    const over = signed ? product[1] >> 31 : 0;
    fits = product[2] === over && product[3] === over;
    s[0] = product[0];
    s[1] = product[1];
    s[4] = product[2];
    s[5] = product[3];
  } else if (o.size === 4) {
    const lo = Math.imul(s[0], bl);
    const hi = multiplyHigh(s[0], bl) - (signed && s[0] < 0 ? bl : 0) - (signed && bl < 0 ? s[0] : 0);
    fits = (hi | 0) === (signed ? lo >> 31 : 0);
    s[0] = lo;
    s[1] = 0;
    s[4] = hi;
    s[5] = 0;
  } else {
    const up = 32 - 8 * o.size;
    const a = signed ? (s[0] << up) >> up : (s[0] << up) >>> up;
    const r = Math.imul(a, signed ? (bl << up) >> up : bl);
    fits = (signed ? (r << up) >> up : (r << up) >>> up) === (signed ? r : r >>> 0);
    c.s16[0] = r;
    if (o.size === 2) c.s16[8] = r >>> 16;
  }
  setArithmeticFlags(c, fits ? 0 : CF | OF);
  return o.next;
};

export const mul: Handler = (c, o) => multiply(c, o, false);
export const imulWide: Handler = (c, o) => multiply(c, o, true);

const big = (lo: number, hi: number): bigint => (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);

/** Quotient and remainder into RAX and RDX (AL and AH for bytes), and the flags, all undefined, cleared. */
const answer = (c: Cpu, size: number, quotient: number, quotientHi: number, rest: number, restHi: number): void => {
  if (size === 1) {
    c.s8[0] = quotient;
    c.s8[1] = rest;
  } else {
    setRegister(c, 0, size, quotient, quotientHi);
    setRegister(c, size === 2 ? 8 : 4, size, rest, restHi);
  }
  setArithmeticFlags(c, 0);
};

/** Division in numbers that doubles hold exactly; #DE when the quotient does not fit. */
const divideExact = (c: Cpu, size: number, dividend: number, divisor: number, signed: boolean): void => {
  const quotient = Math.trunc(dividend / divisor);
  const limit = 2 ** (8 * size - (signed ? 1 : 0));
  if (divisor === 0 || quotient >= limit || quotient < (signed ? -limit : 0)) c.fault(DE, null);
  const rest = dividend - quotient * divisor;
  answer(c, size, quotient | 0, Math.floor(quotient / TWO32) | 0, rest | 0, Math.floor(rest / TWO32) | 0);
};

/** Division in the general case. */
const divideBig = (c: Cpu, size: number, dividend: bigint, divisor: bigint, signed: boolean): void => {
  if (divisor === 0n) c.fault(DE, null);
  const quotient = dividend / divisor;
  const bits = 8 * size;
  if ((signed ? BigInt.asIntN(bits, quotient) : BigInt.asUintN(bits, quotient)) !== quotient) c.fault(DE, null);
  const rest = dividend % divisor;
  const half = (v: bigint): number => Number(BigInt.asIntN(32, v));
  answer(c, size, half(quotient), half(quotient >> 32n), half(rest), half(rest >> 32n));
};

/** Doubles divide exactly below this: the quotient of two integers rounds to the right side of the next integer. */
const EXACT_HIGH = 0xfffff;

const divide = (c: Cpu, o: Op, signed: boolean): Op => {
  const lo = operand(c, o);
  const hi = c.high;
  const s = c.s;
  const { size } = o;
  if (size === 8) {
    const small = s[4] === 0 && s[5] === 0 && s[1] >>> 0 < EXACT_HIGH && hi >>> 0 < EXACT_HIGH;
    if (small) divideExact(c, 8, s[1] * TWO32 + (s[0] >>> 0), hi * TWO32 + (lo >>> 0), signed);
    else {
      const dividend = (big(s[4], s[5]) << 64n) | big(s[0], s[1]);
      divideBig(c, 8, signed ? BigInt.asIntN(128, dividend) : dividend, signed ? BigInt.asIntN(64, big(lo, hi)) : big(lo, hi), signed);
    }
  } else if (size === 4) {
    const top = s[4];
    if (signed ? top >= -EXACT_HIGH && top < EXACT_HIGH : top >>> 0 < EXACT_HIGH)
      divideExact(c, 4, top * TWO32 + (s[0] >>> 0), signed ? lo : lo >>> 0, signed);
    else divideBig(c, 4, signed ? BigInt.asIntN(64, big(s[0], top)) : big(s[0], top), BigInt(signed ? lo : lo >>> 0), signed);
  } else {
    const dividend = size === 2 ? (c.s16[8] << 16) | c.s16[0] : c.s16[0];
    const up = 32 - 8 * size;
    const wide = !signed ? dividend >>> 0 : size === 2 ? dividend : (dividend << 16) >> 16;
    divideExact(c, size, wide, signed ? (lo << up) >> up : lo, signed);
  }
  return o.next;
};

export const div: Handler = (c, o) => divide(c, o, false);
export const idiv: Handler = (c, o) => divide(c, o, true);
