/** Conversions between integers, single and double precision; ROUNDPS and its like. */
import { DENORMAL, INEXACT, TO_ZERO } from '../../fp/exception.ts';
import { NARROW, plain32, plain64 } from '../../fp/fast.ts';
import { BINARY32, BINARY64, toBits32, toBits64 } from '../../fp/format.ts';
import { fromInteger, roundToInteger, toInteger } from '../../fp/integer.ts';
import { special1 } from '../../fp/nan.ts';
import type { Fp } from '../../fp/number.ts';
import { convert } from '../../fp/round.ts';
import { source } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { MXCSR } from '../layout.ts';
import type { Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { begin, conclude, LANES, NEAREST_QUIET, PE, QUIET, read32, read64, setLane64 } from './lane.ts';
import { placed } from './vector.ts';

/** What happens to one element: from place `b` into lane `n`. */
export type Conversion = (c: Cpu, b: number, n: number) => void;

const widened = (c: Cpu, x: Fp): Fp => {
  const special = special1(c.fp, x);
  if (special === null && x.denormal) c.fp.flags |= DENORMAL;
  return special ?? x;
};
/** The 64-bit number nearest to a 32-bit one is that number. */
const widen: Conversion = (c, b, n) => setLane64(n, toBits64(widened(c, read32(c, b))));
const narrow: Conversion = (c, b, n) => {
  LANES[n] = toBits32(convert(c.fp, BINARY32, widened(c, read64(c, b))));
};
const integerTo32: Conversion = (c, b, n) => {
  LANES[n] = toBits32(fromInteger(c.fp, BINARY32, BigInt(c.s[b])));
};
const integerTo64: Conversion = (c, b, n) => setLane64(n, toBits64(fromInteger(c.fp, BINARY64, BigInt(c.s[b]))));

/** To a signed dword. `truncate`: whatever MXCSR says of rounding. */
const from32 =
  (truncate: boolean): Conversion =>
  (c, b, n) => {
    LANES[n] = Number(toInteger(c.fp, read32(c, b), 32, truncate ? TO_ZERO : c.fp.rounding));
  };
const from64 =
  (truncate: boolean): Conversion =>
  (c, b, n) => {
    LANES[n] = Number(toInteger(c.fp, read64(c, b), 32, truncate ? TO_ZERO : c.fp.rounding));
  };

/** `count` elements of `from` dwords each; the destination gets `dwords` dwords, behind the results zeros. */
export const convertLanes = (c: Cpu, b: number, conversion: Conversion, count: number, from: number): void => {
  begin(c);
  LANES.fill(0);
  for (let n = 0; n < count; n++) conversion(c, b + n * from, n);
  conclude(c);
};
const conversion = (each: Conversion, count: number, from: number, dwords: number): Build =>
  placed((c, o, b) => {
    convertLanes(c, b, each, count, from);
    for (let n = 0; n < dwords; n++) c.s[o.a + n] = LANES[n];
    return o.next;
  });

/** From a general register or memory, in dwords or quads. */
const scalarFromInteger = (to: 32 | 64): Build => {
  const put = (c: Cpu, o: Op, lo: number, hi: number): Op => {
    if (o.size === 4 && to === 64) {
      c.f64[o.a >> 1] = lo;
      return o.next;
    }
    const value = o.size === 4 ? BigInt(lo) : (BigInt(hi) << 32n) | BigInt(lo >>> 0);
    begin(c);
    LANES.fill(0);
    if (to === 32) LANES[0] = toBits32(fromInteger(c.fp, BINARY32, value));
    else setLane64(0, toBits64(fromInteger(c.fp, BINARY64, value)));
    conclude(c);
    c.s[o.a] = LANES[0];
    if (to === 64) c.s[o.a + 1] = LANES[1];
    return o.next;
  };
  return (_, __, form) =>
    form[1] !== 'm'
      ? (c, o) => put(c, o, c.s[o.b], c.s[o.b + 1])
      : (c, o) => {
          const p = source(c, o, o.size - 1);
          return put(c, o, c.dv.getInt32(p, true), o.size === 8 ? c.dv.getInt32(p + 4, true) : 0);
        };
};

/** A double that is a dword when truncated, the common case by far. */
const quickTruncation = (c: Cpu, x: number): number | null => {
  if (!(x > -2147483649 && x < 2147483648)) return null;
  const whole = Math.trunc(x);
  if (whole === x) return whole;
  const mxcsr = c.s[MXCSR];
  if ((mxcsr & QUIET) === 0 || !plain64(x)) return null;
  c.s[MXCSR] = mxcsr | PE;
  return whole;
};

/** To a general register. */
const scalarToInteger = (from: 32 | 64, truncate: boolean): Build => {
  return placed((c, o, b) => {
    const { s } = c;
    if (truncate) {
      const quick = from === 64 ? quickTruncation(c, c.f64[b >> 1]) : plain32(c.f32[b]) ? quickTruncation(c, c.f32[b]) : null;
      if (quick !== null) {
        s[o.a] = quick;
        s[o.a + 1] = o.size === 8 ? quick >> 31 : 0;
        return o.next;
      }
    }
    begin(c);
    const x = from === 32 ? read32(c, b) : read64(c, b);
    const value = toInteger(c.fp, x, 8 * o.size, truncate ? TO_ZERO : c.fp.rounding);
    conclude(c);
    s[o.a] = Number(BigInt.asIntN(32, value));
    s[o.a + 1] = o.size === 8 ? Number(BigInt.asIntN(32, value >> 32n)) : 0;
    return o.next;
  });
};

const cvtss2sd: Build = placed((c, o, b) => {
  if (plain32(c.f32[b])) {
    c.f64[o.a >> 1] = c.f32[b];
    return o.next;
  }
  convertLanes(c, b, widen, 1, 1);
  c.s[o.a] = LANES[0];
  c.s[o.a + 1] = LANES[1];
  return o.next;
});
const cvtsd2ss: Build = placed((c, o, b) => {
  const mxcsr = c.s[MXCSR];
  const x = c.f64[b >> 1];
  const r = (mxcsr & NEAREST_QUIET) === QUIET ? NARROW.compute(x, x) : Number.NaN;
  if (!Number.isNaN(r)) {
    if ((mxcsr & PE) === 0 && r !== x) c.s[MXCSR] = mxcsr | PE;
    c.f32[o.a] = r;
    return o.next;
  }
  convertLanes(c, b, narrow, 1, 2);
  c.s[o.a] = LANES[0];
  return o.next;
});

/** Immediate: bits 1:0 rounding unless bit 2 takes MXCSR's, bit 3 keeps inexact results quiet. */
const rounded = (c: Cpu, imm: number, x: Fp): Fp => {
  const special = special1(c.fp, x);
  if (special !== null) return special;
  const { flags } = c.fp;
  const result = roundToInteger(c.fp, x, (imm & 4) !== 0 ? c.fp.rounding : imm & 3);
  if ((imm & 8) !== 0) c.fp.flags = flags & ~INEXACT;
  return result;
};
const rounding = (size: 32 | 64, count: number): Build => {
  const dwords = size / 32;
  return placed((c, o, b) => {
    begin(c);
    for (let n = 0; n < count; n++) {
      if (size === 32) LANES[n] = toBits32(rounded(c, o.imm, read32(c, b + n)));
      else setLane64(n, toBits64(rounded(c, o.imm, read64(c, b + 2 * n))));
    }
    conclude(c);
    for (let n = 0; n < count * dwords; n++) c.s[o.a + n] = LANES[n];
    return o.next;
  });
};

/** Two elements between MMX and XMM registers (mmx/convert.ts). */
export const PAIRS = { integerTo32, integerTo64, from32, from64 } as const;

export const CONVERSIONS: BuildTable = {
  cvtsi2ss: scalarFromInteger(32),
  cvtsi2sd: scalarFromInteger(64),
  cvtss2si: scalarToInteger(32, false),
  cvtsd2si: scalarToInteger(64, false),
  cvttss2si: scalarToInteger(32, true),
  cvttsd2si: scalarToInteger(64, true),
  cvtss2sd,
  cvtsd2ss,
  cvtps2pd: conversion(widen, 2, 1, 4),
  cvtpd2ps: conversion(narrow, 2, 2, 4),
  cvtdq2ps: conversion(integerTo32, 4, 1, 4),
  cvtdq2pd: conversion(integerTo64, 2, 1, 4),
  cvtps2dq: conversion(from32(false), 4, 1, 4),
  cvttps2dq: conversion(from32(true), 4, 1, 4),
  cvtpd2dq: conversion(from64(false), 2, 2, 4),
  cvttpd2dq: conversion(from64(true), 2, 2, 4),
  roundss: rounding(32, 1),
  roundsd: rounding(64, 1),
  roundps: rounding(32, 4),
  roundpd: rounding(64, 2),
};
