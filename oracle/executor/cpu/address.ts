/** Effective addresses and the translated access to memory. Halves: low returned, high left in `cpu.high`. */
import { isCanonical } from './canonical.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { ZERO } from './layout.ts';
import { Op } from './op.ts';

/** Linear address of the memory operand. */
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
  return o.address32 || o.segment !== 0 ? inSegment(c, o, lo) : lo;
};

/** Offsets of FS and GS are judged before the base is added, from the operand's first byte to its last. */
const checkOffset = (c: Cpu, o: Op, lo: number): void => {
  const last = (lo + o.reach) | 0;
  const carry = last >>> 0 < lo >>> 0 ? 1 : 0;
  if (!isCanonical(c.high) || !isCanonical((c.high + carry) | 0)) c.fault(GP, 0);
};

/** An offset whose upper half is in `cpu.high`: cut to 32 bits by a 67 prefix, and the segment's base added. */
const inSegment = (c: Cpu, o: Op, offset: number): number => {
  if (o.address32) c.high = 0;
  const segment = o.segment;
  if (segment === 0) return offset;
  checkOffset(c, o, offset);
  const base = c.s[segment];
  const lo = (base + offset) | 0;
  c.high = (c.high + c.s[segment + 1] + (lo >>> 0 < base >>> 0 ? 1 : 0)) | 0;
  return lo;
};

/** Linear address of the memory operand moved by the signed `byHi:byLo`, before it is cut and the segment added. */
export const linearBeyond = (c: Cpu, o: Op, byLo: number, byHi: number): number => {
  const { segment, address32 } = o;
  o.segment = 0;
  o.address32 = false;
  const from = linear(c, o);
  o.segment = segment;
  o.address32 = address32;
  const lo = (from + byLo) | 0;
  c.high = (c.high + byHi + (lo >>> 0 < from >>> 0 ? 1 : 0)) | 0;
  return inSegment(c, o, lo);
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

/** Stands for accesses to the stack that are not the instruction's memory operand. */
export const STACK: Op = new Op((_, o) => o);
STACK.stack = true;
/** Stands for accesses through DS, ES, FS, GS that are not the instruction's memory operand. */
export const DATA: Op = new Op((_, o) => o);
DATA.base = ZERO;
