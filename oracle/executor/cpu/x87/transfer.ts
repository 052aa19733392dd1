/** Loads, stores, exchanges, constants. */
import { fromDecimal, toDecimal } from '../../fp/decimal.ts';
import { DENORMAL, INVALID, OVERFLOW, TO_ZERO, UNDERFLOW } from '../../fp/exception.ts';
import { BINARY32, BINARY64, EXTENDED, type Format, fromBits32, fromBits64, toBits32, toBits64 } from '../../fp/format.ts';
import { toInteger } from '../../fp/integer.ts';
import { special1 } from '../../fp/nan.ts';
import { type Fp, INDEFINITE } from '../../fp/number.ts';
import { convert, round } from '../../fp/round.ts';
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { integerFrom, putBytes, tenToRead, tenToWrite } from './memory.ts';
import { begin, conclude, hasRoom, isEmpty, placeOf, pop, push, pushBits, read, underflow, write, writeBits } from './unit.ts';

/** FLD of 32 or 64 bits: signaling NaNs and denormals raise. */
const loadReal: Handler = (c, o) => {
  const p = source(c, o, o.size - 1);
  const x = o.size === 4 ? fromBits32(c.dv.getInt32(p, true)) : fromBits64(c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true));
  begin(c);
  if (!hasRoom(c)) return o.next;
  const result = special1(c.fp, x) ?? x;
  if (x.denormal) c.fp.flags |= DENORMAL;
  // An unmasked denormal is loaded nevertheless.
  const prevented = (c.fp.flags & ~c.fp.masks & INVALID) !== 0;
  conclude(c);
  if (!prevented) push(c, result);
  return o.next;
};
/** FLD of 80 bits takes them as they are. */
const loadBits: Handler = (c, o) => {
  const p = tenToRead(c, o);
  begin(c);
  if (hasRoom(c)) pushBits(c, c.dv.getUint16(p + 8, true), c.dv.getBigUint64(p, true));
  return o.next;
};
const loadRegister: Handler = (c, o) => {
  begin(c);
  if (isEmpty(c, o.a)) {
    if (underflow(c)) push(c, INDEFINITE);
    return o.next;
  }
  if (!hasRoom(c)) return o.next;
  const at = placeOf(c, o.a);
  pushBits(c, c.s[at + 2], c.u64[at >> 1]);
  return o.next;
};
const fld: Build = (o, _, form) => (form === 'f' ? loadRegister : o.size === 10 ? loadBits : loadReal);

const loadExact =
  (operand: (c: Cpu, o: Op) => Fp): Handler =>
  (c, o) => {
    const x = operand(c, o);
    begin(c);
    if (hasRoom(c)) push(c, x);
    return o.next;
  };
const decimalFrom = (c: Cpu, o: Op): Fp => {
  const p = tenToRead(c, o);
  return fromDecimal((BigInt(c.dv.getUint16(p + 8, true)) << 64n) | c.dv.getBigUint64(p, true));
};

/** The value to store: what `make` gives of the top, or of the indefinite when there is none. Null: nothing is stored. */
const storable = (c: Cpu, make: (x: Fp) => bigint): bigint | null => {
  const { fp } = c;
  if (isEmpty(c, 0)) {
    if (!underflow(c)) return null;
    const { flags } = fp;
    const value = make(INDEFINITE);
    fp.flags = flags;
    return value;
  }
  const value = make(read(c, 0));
  let prevented = fp.prevented();
  // A store that overflows or underflows unmasked does not happen, and so loses nothing.
  if ((fp.flags & ~fp.masks & (OVERFLOW | UNDERFLOW)) !== 0) {
    fp.flags &= OVERFLOW | UNDERFLOW;
    fp.up = false;
    prevented = true;
  }
  conclude(c);
  return prevented ? null : value;
};

const storing =
  (make: (c: Cpu, x: Fp, size: number) => bigint, pops: boolean): Handler =>
  (c, o) => {
    const p = o.size === 10 ? tenToWrite(c, o) : target(c, o, o.size - 1);
    begin(c);
    const value = storable(c, (x) => make(c, x, o.size));
    if (value !== null) {
      putBytes(c, p, value, o.size);
      if (pops) pop(c);
    }
    return next(c, o);
  };

const realBits = ({ fp }: Cpu, x: Fp, size: number): bigint => {
  const format: Format = size === 4 ? BINARY32 : BINARY64;
  const result = special1(fp, x) ?? convert(fp, format, x);
  return size === 4 ? BigInt(toBits32(result) >>> 0) : toBits64(result);
};
const integerBits = (c: Cpu, x: Fp, size: number): bigint => toInteger(c.fp, x, 8 * size, c.fp.rounding);
const truncatedBits = (c: Cpu, x: Fp, size: number): bigint => toInteger(c.fp, x, 8 * size, TO_ZERO);
const decimalBits = (c: Cpu, x: Fp): bigint => toDecimal(c.fp, x);

/** FSTP of 80 bits stores them as they are. */
const storeBits: Handler = (c, o) => {
  const p = tenToWrite(c, o);
  begin(c);
  const at = placeOf(c, 0);
  const kept = !isEmpty(c, 0);
  if (!kept && !underflow(c)) return next(c, o);
  c.dv.setBigUint64(p, kept ? c.u64[at >> 1] : INDEFINITE.significand, true);
  c.dv.setUint16(p + 8, kept ? c.s[at + 2] : 0xffff, true);
  pop(c);
  return next(c, o);
};
const storeRegister =
  (pops: boolean): Handler =>
  (c, o) => {
    begin(c);
    const at = placeOf(c, 0);
    if (!isEmpty(c, 0)) writeBits(c, o.a, c.s[at + 2], c.u64[at >> 1]);
    else if (underflow(c)) write(c, o.a, INDEFINITE);
    else return o.next;
    if (pops) pop(c);
    return o.next;
  };
/** D9 D8 and its like: an empty top is popped without a fault, and nothing is written. */
const storeQuietly: Handler = (c, o) => {
  if (!isEmpty(c, 0)) return storeRegister(true)(c, o);
  begin(c);
  pop(c);
  return o.next;
};
const NO_FAULT = 0xd9;
const fst =
  (pops: boolean): Build =>
  (o, i, form) =>
    form === 'f' ? (i.opcode === NO_FAULT ? storeQuietly : storeRegister(pops)) : o.size === 10 ? storeBits : storing(realBits, pops);

const fxch: Handler = (c, o) => {
  begin(c);
  for (const i of [0, o.a]) if (isEmpty(c, i) && !underflow(c)) return o.next;
  for (const i of [0, o.a]) if (isEmpty(c, i)) write(c, i, INDEFINITE);
  const [a, b] = [placeOf(c, 0), placeOf(c, o.a)];
  const [top, significand] = [c.s[a + 2], c.u64[a >> 1]];
  writeBits(c, 0, c.s[b + 2], c.u64[b >> 1]);
  writeBits(c, o.a, top, significand);
  return o.next;
};

/** Constants to more bits than there are: the rounding mode decides about the last. */
const constant = (significand: bigint, exponent: number): Build => {
  const handler: Handler = (c, o) => {
    begin(c);
    if (!hasRoom(c)) return o.next;
    const x = round(c.fp, EXTENDED, 0, significand, exponent);
    c.fp.flags = 0;
    push(c, x);
    return o.next;
  };
  return () => handler;
};
const zero: Handler = (c, o) => {
  begin(c);
  if (hasRoom(c)) pushBits(c, 0, 0n);
  return o.next;
};

export const X87_TRANSFER: BuildTable = {
  fld,
  fild: () => loadExact(integerFrom),
  fbld: () => loadExact(decimalFrom),
  fst: fst(false),
  fstp: fst(true),
  fist: () => storing(integerBits, false),
  fistp: () => storing(integerBits, true),
  fisttp: () => storing(truncatedBits, true),
  fbstp: () => storing(decimalBits, true),
  fxch: () => fxch,
  fld1: constant(1n, 0),
  fldz: () => zero,
  // 128 bits of log2(10), log2(e), pi, log10(2), ln(2).
  fldl2t: constant(0xd49a784bcd1b8afe492bf6ff4dafdb4cn, -126),
  fldl2e: constant(0xb8aa3b295c17f0bbbe87fed0691d3e88n, -127),
  fldpi: constant(0xc90fdaa22168c234c4c6628b80dc1cd1n, -126),
  fldlg2: constant(0x9a209a84fbcff7988f8959ac0b7c9178n, -129),
  fldln2: constant(0xb17217f7d1cf79abc9e3b39803f2f6afn, -128),
};
