/** 8- and 16-bit arithmetic and logic: the operands move to the top of 32 bits, so one set of functions serves both sizes. */
import { next, source, target } from './address.ts';
import { adc32, add32, logic32, sbb32, sub32 } from './arithmetic.ts';
import type { Cpu } from './cpu.ts';
import { SIZE8, SIZE16 } from './flags.ts';
import type { Forms } from './forms.ts';

/** A function of operands at the top of 32 bits. */
export type NarrowOperation = (c: Cpu, a: number, b: number, size: number) => number;

/** The operations that keep their result. */
export const NARROW: Readonly<Record<string, NarrowOperation>> = {
  add: add32,
  sub: sub32,
  adc: adc32,
  sbb: sbb32,
  and: (c, a, b, size) => logic32(c, a & b, size),
  or: (c, a, b, size) => logic32(c, a | b, size),
  xor: (c, a, b, size) => logic32(c, a ^ b, size),
};

const write8 = (f: NarrowOperation): Forms => ({
  rr: (c, o) => {
    c.s8[o.a] = f(c, c.s8[o.a] << 24, c.s8[o.b] << 24, SIZE8) >>> 24;
    return o.next;
  },
  ri: (c, o) => {
    c.s8[o.a] = f(c, c.s8[o.a] << 24, o.imm << 24, SIZE8) >>> 24;
    return o.next;
  },
  rm: (c, o) => {
    const p = source(c, o, 0);
    c.s8[o.a] = f(c, c.s8[o.a] << 24, c.dv.getUint8(p) << 24, SIZE8) >>> 24;
    return o.next;
  },
  mr: (c, o) => {
    const p = target(c, o, 0);
    c.dv.setUint8(p, f(c, c.dv.getUint8(p) << 24, c.s8[o.b] << 24, SIZE8) >>> 24);
    return next(c, o);
  },
  mi: (c, o) => {
    const p = target(c, o, 0);
    c.dv.setUint8(p, f(c, c.dv.getUint8(p) << 24, o.imm << 24, SIZE8) >>> 24);
    return next(c, o);
  },
});

const write16 = (f: NarrowOperation): Forms => ({
  rr: (c, o) => {
    c.s16[o.a] = f(c, c.s16[o.a] << 16, c.s16[o.b] << 16, SIZE16) >>> 16;
    return o.next;
  },
  ri: (c, o) => {
    c.s16[o.a] = f(c, c.s16[o.a] << 16, o.imm << 16, SIZE16) >>> 16;
    return o.next;
  },
  rm: (c, o) => {
    const p = source(c, o, 1);
    c.s16[o.a] = f(c, c.s16[o.a] << 16, c.dv.getUint16(p, true) << 16, SIZE16) >>> 16;
    return o.next;
  },
  mr: (c, o) => {
    const p = target(c, o, 1);
    c.dv.setUint16(p, f(c, c.dv.getUint16(p, true) << 16, c.s16[o.b] << 16, SIZE16) >>> 16, true);
    return next(c, o);
  },
  mi: (c, o) => {
    const p = target(c, o, 1);
    c.dv.setUint16(p, f(c, c.dv.getUint16(p, true) << 16, o.imm << 16, SIZE16) >>> 16, true);
    return next(c, o);
  },
});

const compare16 = (f: NarrowOperation): Forms => ({
  rr: (c, o) => {
    f(c, c.s16[o.a] << 16, c.s16[o.b] << 16, SIZE16);
    return o.next;
  },
  ri: (c, o) => {
    f(c, c.s16[o.a] << 16, o.imm << 16, SIZE16);
    return o.next;
  },
  rm: (c, o) => {
    const p = source(c, o, 1);
    f(c, c.s16[o.a] << 16, c.dv.getUint16(p, true) << 16, SIZE16);
    return o.next;
  },
  mr: (c, o) => {
    const p = source(c, o, 1);
    f(c, c.dv.getUint16(p, true) << 16, c.s16[o.b] << 16, SIZE16);
    return o.next;
  },
  mi: (c, o) => {
    const p = source(c, o, 1);
    f(c, c.dv.getUint16(p, true) << 16, o.imm << 16, SIZE16);
    return o.next;
  },
});

/** Byte comparisons are common in loops over text, so they are written out. */
const CMP8: Forms = {
  rr: (c, o) => {
    sub32(c, c.s8[o.a] << 24, c.s8[o.b] << 24, SIZE8);
    return o.next;
  },
  ri: (c, o) => {
    sub32(c, c.s8[o.a] << 24, o.imm << 24, SIZE8);
    return o.next;
  },
  rm: (c, o) => {
    const p = source(c, o, 0);
    sub32(c, c.s8[o.a] << 24, c.dv.getUint8(p) << 24, SIZE8);
    return o.next;
  },
  mr: (c, o) => {
    const p = source(c, o, 0);
    sub32(c, c.dv.getUint8(p) << 24, c.s8[o.b] << 24, SIZE8);
    return o.next;
  },
  mi: (c, o) => {
    const p = source(c, o, 0);
    sub32(c, c.dv.getUint8(p) << 24, o.imm << 24, SIZE8);
    return o.next;
  },
};

const TEST8: Forms = {
  rr: (c, o) => {
    logic32(c, (c.s8[o.a] & c.s8[o.b]) << 24, SIZE8);
    return o.next;
  },
  ri: (c, o) => {
    logic32(c, (c.s8[o.a] & o.imm) << 24, SIZE8);
    return o.next;
  },
  rm: (c, o) => {
    const p = source(c, o, 0);
    logic32(c, (c.s8[o.a] & c.dv.getUint8(p)) << 24, SIZE8);
    return o.next;
  },
  mr: (c, o) => {
    const p = source(c, o, 0);
    logic32(c, (c.dv.getUint8(p) & c.s8[o.b]) << 24, SIZE8);
    return o.next;
  },
  mi: (c, o) => {
    const p = source(c, o, 0);
    logic32(c, (c.dv.getUint8(p) & o.imm) << 24, SIZE8);
    return o.next;
  },
};

const writing = (forms: (f: NarrowOperation) => Forms) => Object.fromEntries(Object.entries(NARROW).map(([name, f]) => [name, forms(f)]));

export const ALU8: Readonly<Record<string, Forms>> = { ...writing(write8), cmp: CMP8, test: TEST8 };
export const ALU16: Readonly<Record<string, Forms>> = {
  ...writing(write16),
  cmp: compare16(sub32),
  test: compare16((c, a, b, size) => logic32(c, a & b, size)),
};
