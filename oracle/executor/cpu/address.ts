/** Effective addresses and the translated access to memory. Halves: low returned, high left in `cpu.high`. */
import { checkAlignment } from './alignment.ts';
import { isCanonical } from './canonical.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { ES, SS_REG } from './interface.ts';
import { Op } from './op.ts';
import { OFFSET } from './segmentation.ts';

/**
 * Linear address of the memory operand. Outside 64-bit mode it is an offset still, with OFFSET in `cpu.high`, unless the segment is flat:
 * `readable` and `writable`, who know how many bytes there are and what for, lead it through the segment.
 */
export const linear = (c: Cpu, o: Op): number => {
  const s = c.s;
  const base = o.base;
  const disp = o.disp;
  let lo = (s[base] + disp) | 0;
  let hi = (s[base + 1] + o.dispHi + (lo >>> 0 < disp >>> 0 ? 1 : 0)) | 0;
  const index = o.index;
  if (index >= 0) {
    const scale = o.scale;
    const add = s[index] << scale;
    lo = (lo + add) | 0;
    hi = (hi + ((s[index + 1] << scale) | ((s[index] >>> 1) >>> (31 - scale))) + (lo >>> 0 < add >>> 0 ? 1 : 0)) | 0;
  }
  c.high = hi;
  return o.special ? inSegment(c, o, lo) : lo;
};

/** Offsets of FS and GS are judged before the base is added, from the operand's first byte to its last. */
const checkOffset = (c: Cpu, o: Op, lo: number): void => {
  const last = (lo + o.reach) | 0;
  const carry = last >>> 0 < lo >>> 0 ? 1 : 0;
  if (!isCanonical(c.high) || !isCanonical((c.high + carry) | 0)) c.fault(GP, 0);
};

/** Outside 64-bit mode: the offset cut to the address size. Through a flat segment that is the linear address already. */
const offsetOf = (c: Cpu, o: Op, offset: number): number => {
  const cut = o.address === 2 ? offset & 0xffff : offset;
  if (((c.flat >> o.seg) & 1) === 0) {
    c.high = OFFSET;
    return cut;
  }
  c.high = 0;
  checkAlignment(c, o, cut);
  return cut;
};

/** An offset whose upper half is in `cpu.high`: cut to 32 bits by a 67 prefix, and the segment's base added. */
const inSegment = (c: Cpu, o: Op, offset: number): number => {
  if (o.legacy) return offsetOf(c, o, offset);
  if (o.address === 4) c.high = 0;
  const segment = o.segment;
  let lo = offset;
  if (segment !== 0) {
    checkOffset(c, o, offset);
    const base = c.s[segment];
    lo = (base + offset) | 0;
    c.high = (c.high + c.s[segment + 1] + (lo >>> 0 < base >>> 0 ? 1 : 0)) | 0;
  }
  // A misaligned address counts before a bad one.
  checkAlignment(c, o, lo);
  return lo;
};

/** Linear address of the memory operand moved by the signed `byHi:byLo`, before it is cut and the segment added. */
export const linearBeyond = (c: Cpu, o: Op, byLo: number, byHi: number): number => {
  const { special } = o;
  o.special = false;
  const from = linear(c, o);
  o.special = special;
  const lo = (from + byLo) | 0;
  c.high = (c.high + byHi + (lo >>> 0 < from >>> 0 ? 1 : 0)) | 0;
  return special ? inSegment(c, o, lo) : lo;
};

/** Linear address of an offset (upper half in `cpu.high`) that is no ModRM operand: RSI, RDI, RBX + AL. */
export const linearOf = inSegment;

/** Entries of a TLB array: tag low, tag high, what to add to the low half of an address to get the machine address. */
export const TLB_SETS = 1024;
/** A tag that matches no address. */
export const NO_TAG = 1;

/** Machine address at which `last + 1` bytes of the linear address `hi:lo` can be read. `o` says which fault a bad address raises. */
export const readable = (c: Cpu, o: Op, lo: number, hi: number, last: number): number => {
  const tlb = c.readTlb;
  const i = ((lo >>> 12) & (TLB_SETS - 1)) << 2;
  if (tlb[i] === ((lo + last) & ~0xfff) && tlb[i + 1] === hi) return (lo + tlb[i + 2]) | 0;
  return c.readSlow(o, lo, hi, last + 1);
};

/**
 * Machine address at which `last + 1` bytes can be read and written. After the write the handler returns `next(c, o)`: a watched frame
 * or an access to two pages wants aftercare.
 */
export const writable = (c: Cpu, o: Op, lo: number, hi: number, last: number): number => {
  const tlb = c.writeTlb;
  const i = ((lo >>> 12) & (TLB_SETS - 1)) << 2;
  if (tlb[i] === ((lo + last) & ~0xfff) && tlb[i + 1] === hi) return (lo + tlb[i + 2]) | 0;
  return c.writeSlow(o, lo, hi, last + 1);
};

/** Where to read, and where to write, the instruction's memory operand. */
export const source = (c: Cpu, o: Op, last: number): number => {
  const lo = linear(c, o);
  return readable(c, o, lo, c.high, last);
};
export const target = (c: Cpu, o: Op, last: number): number => {
  const lo = linear(c, o);
  return writable(c, o, lo, c.high, last);
};

/** What follows an instruction that wrote to memory. */
export const next = (c: Cpu, o: Op): Op => (c.aftercare ? c.settle(o) : o.next);

const standIn = (fields: Partial<Op>): Op => Object.assign(new Op((_, o) => o), fields);

/** Stands for accesses to the stack that are not the instruction's memory operand, in 64-bit mode and outside. */
export const STACK = standIn({ stack: true });
export const LEGACY_STACK = standIn({ seg: SS_REG, stack: true, legacy: true, special: true });
/** The same for data: through ES outside 64-bit mode. */
export const DATA = standIn({});
export const LEGACY_EXTRA = standIn({ seg: ES, legacy: true, special: true });
