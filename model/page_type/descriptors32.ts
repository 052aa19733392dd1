/** Descriptors that a 32-bit PV guest may have in its tables. Chapter: spec/chapters/compat.md, `compat/descriptor-accepted`. */

import { FLAT_COMPAT } from '#spec/abi/compat.ts';
import { DESCRIPTOR, XEN_GDT_FIRST } from '#spec/abi/descriptor.ts';
import { type Word, word } from '../word/word.ts';

const LOCAL = 4;
const RPL = 3;
const DPL_SHIFT = 13;
const GATE_RESERVED = 0xe0;
const PAGE_SHIFT = 12;

const isGateTarget = (selector: number): boolean =>
  selector < XEN_GDT_FIRST || selector === FLAT_COMPAT.KERNEL_CS || (selector & LOCAL) !== 0;

const privilegeOf = (hi: number): number => Math.max((hi >>> DPL_SHIFT) & RPL, 1);

/** `virtStart`: where Xen's part of the domain's addresses begins. */
export const accepted32 = (descriptor: Word, virtStart: number): Word | null => {
  if ((descriptor.hi & DESCRIPTOR.P) === 0) return descriptor;
  const dpl = privilegeOf(descriptor.hi);
  const hi = (descriptor.hi & ~DESCRIPTOR.DPL) | (dpl << DPL_SHIFT);
  if ((hi & DESCRIPTOR.S) !== 0) return segment(hi, descriptor.lo, virtStart);
  if ((hi & DESCRIPTOR.TYPE) === 0) return descriptor;
  const target = descriptor.lo >>> 16;
  if ((hi & DESCRIPTOR.TYPE) !== DESCRIPTOR.CALL_GATE || !isGateTarget(target) || (hi & GATE_RESERVED) !== 0) return null;
  return word(hi & ~DESCRIPTOR.DPL, (descriptor.lo & 0xffff) | (((target & ~RPL) | dpl) << 16));
};

const segment = (hi: number, lo: number, virtStart: number): Word | null => {
  if ((hi & DESCRIPTOR.L) !== 0) return null;
  const base = (hi & 0xff00_0000) | ((hi & 0xff) << 16) | (lo >>> 16);
  const units = ((hi & 0xf_0000) | (lo & 0xffff)) + 1;
  const bytes = (hi & DESCRIPTOR.G) === 0 ? units : units * 2 ** PAGE_SHIFT;
  return base === 0 && bytes > virtStart ? word(hi | 0xf_0000, lo | 0xffff) : word(hi, lo);
};
