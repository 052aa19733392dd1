/** PTEST, the sums of SSE4.1, SSE4a's bit fields, masked stores, MXCSR. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linearOf, next, source, target, writable } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { setArithmeticFlags } from '../flags.ts';
import { DS, RDI } from '../interface.ts';
import { MXCSR } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { type Lanes, packed, spare } from './vector.ts';

const test: Lanes = (c, a, b) => {
  const { s } = c;
  let both = 0;
  let beyond = 0;
  for (let n = 0; n < 4; n++) {
    both |= s[a + n] & s[b + n];
    beyond |= ~s[a + n] & s[b + n];
  }
  setArithmeticFlags(c, (both === 0 ? RFLAGS.ZF : 0) | (beyond === 0 ? RFLAGS.CF : 0));
};

/** The smallest word, and where it stands first. */
const smallestWord: Lanes = ({ s, s16 }, a, b) => {
  let at = 0;
  for (let n = 1; n < 8; n++) if (s16[(b << 1) + n] < s16[(b << 1) + at]) at = n;
  s[a] = s16[(b << 1) + at] | (at << 16);
  s[a + 1] = s[a + 2] = s[a + 3] = 0;
};

/** Eight sums of four distances each: four bytes of the source against the destination's from eight places. */
const manySums: Lanes = (c, a, b, _, o) => {
  const { s8, s16 } = c;
  const first = (spare(c, a) << 2) + 4 * ((o.imm >> 2) & 1);
  const second = (b << 2) + 4 * (o.imm & 3);
  const four = [s8[second], s8[second + 1], s8[second + 2], s8[second + 3]];
  for (let n = 0; n < 8; n++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += Math.abs(s8[first + n + k] - four[k]);
    s16[(a << 1) + n] = sum;
  }
};

const MASK64 = (1n << 64n) - 1n;

/** Length and index are six bits each; length 0 is 64. A field that reaches past bit 63 has an undefined result: it ends there. */
const field = (length: number, index: number): { mask: bigint; index: bigint } => {
  const bits = (length & 63) === 0 ? 64 : length & 63;
  return { mask: (1n << BigInt(bits)) - 1n, index: BigInt(index & 63) };
};
const extract = (c: Cpu, o: Op, length: number, index: number): Op => {
  const f = field(length, index);
  c.u64[o.a >> 1] = (c.u64[o.a >> 1] >> f.index) & f.mask;
  c.u64[(o.a >> 1) + 1] = 0n;
  return o.next;
};
const insert = (c: Cpu, o: Op, length: number, index: number): Op => {
  const f = field(length, index);
  const mask = (f.mask << f.index) & MASK64;
  const value = (c.u64[o.b >> 1] << f.index) & mask;
  c.u64[o.a >> 1] = (c.u64[o.a >> 1] & ~mask & MASK64) | value;
  c.u64[(o.a >> 1) + 1] = 0n;
  return o.next;
};
const extrq: Build = (_, __, form) =>
  form === 'xx' ? (c, o) => extract(c, o, c.s8[o.b << 2], c.s8[(o.b << 2) + 1]) : (c, o) => extract(c, o, o.imm & 255, (o.imm >> 8) & 255);
const insertq: Build = (_, __, form) =>
  form === 'xx'
    ? (c, o) => insert(c, o, c.s8[(o.b << 2) + 8], c.s8[(o.b << 2) + 9])
    : (c, o) => insert(c, o, o.imm & 255, (o.imm >> 8) & 255);

/** Bytes of `from` whose mask byte is negative, to DS:rDI. All bytes must be writable, whatever the mask. */
export const maskedStore = (c: Cpu, o: Op, from: number, mask: number, bytes: number): Op => {
  const { s, s8 } = c;
  c.high = s[2 * RDI + 1];
  const lo = linearOf(c, o, s[2 * RDI]);
  const hi = c.high;
  // Eight bytes at a time: a page fault of the first comes before an address that is not canonical further on.
  writable(c, o, lo, hi, 7);
  c.dropWrite();
  const p = writable(c, o, lo, hi, bytes - 1);
  for (let n = 0; n < bytes; n++) if (s8[(mask << 2) + n] > 127) c.dv.setUint8(p + n, s8[(from << 2) + n]);
  return next(c, o);
};
const maskmovdqu: Handler = (c, o) => maskedStore(c, o, o.a, o.b, 16);

/** The address is DS:rDI, or through the overriding segment. */
export const toRdi =
  (handler: Handler, bytes: number): Build =>
  (o, i) => {
    if (o.legacy) o.seg = i.segment >= 0 ? i.segment : DS;
    o.special = o.legacy || o.segment !== 0 || o.address === 4;
    o.stack = false;
    o.reach = bytes - 1;
    o.halves = bytes === 16;
    return handler;
  };

/** Bits that MXCSR has: all 16 below, and MM of the processors that let operands be misaligned (bit 17). */
export const MXCSR_MASK = 0x2ffff;
const ldmxcsr: Handler = (c, o) => {
  const value = c.dv.getInt32(source(c, o, 3), true);
  if ((value & ~MXCSR_MASK) !== 0) c.fault(GP, 0);
  c.s[MXCSR] = value;
  return o.next;
};
const stmxcsr: Handler = (c, o) => {
  c.dv.setInt32(target(c, o, 3), c.s[MXCSR], true);
  return next(c, o);
};

export const SPECIAL: BuildTable = {
  ptest: packed(test),
  phminposuw: packed(smallestWord),
  mpsadbw: packed(manySums),
  extrq,
  insertq,
  maskmovdqu: toRdi(maskmovdqu, 16),
  ldmxcsr: () => ldmxcsr,
  stmxcsr: () => stmxcsr,
};
