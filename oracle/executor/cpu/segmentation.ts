/** Addresses through segments, outside 64-bit mode: usable, rights, limit, base. */

import { checkAlignment } from './alignment.ts';
import { GP, SS } from './exit.ts';
import { SS_REG } from './interface.ts';
import { SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from './layout.ts';
import type { Mmu } from './mmu.ts';
import type { Op } from './op.ts';
import { BIG, CODE, EXPAND_DOWN, READABLE, USABLE, WRITABLE } from './segment_rights.ts';

/** Upper half of an address that is an offset still: no translation is ever cached for it, so that the slow path sees the segment. */
export const OFFSET = 0x40000000;

/** Data may be read, and written if W; code may be read if R, or by who is lenient. Real and virtual-8086 mode look at the limit alone. */
const allows = (rights: number, write: boolean, lenient: boolean): boolean => {
  if ((rights & USABLE) === 0) return false;
  if ((rights & CODE) !== 0) return !write && (lenient || (rights & READABLE) !== 0);
  return !write || (rights & WRITABLE) !== 0;
};

/** Whether bytes `offset` to `offset + size - 1` lie inside. */
const inside = (rights: number, limit: number, offset: number, size: number): boolean => {
  const first = offset >>> 0;
  const last = first + size - 1;
  if ((rights & (CODE | EXPAND_DOWN)) !== EXPAND_DOWN) return last <= limit >>> 0;
  return first > limit >>> 0 && last <= ((rights & BIG) !== 0 ? 0xffffffff : 0xffff);
};

/** Linear address (32 bits) of `size` bytes at `offset` of the operand's segment. Throws #GP(0), through SS #SS(0). */
export const throughSegment = (c: Mmu, o: Op, offset: number, size: number, write: boolean): number => {
  const { s } = c;
  const rights = s[SEGMENT_RIGHTS + o.seg];
  const vector = o.seg === SS_REG ? SS : GP;
  const linear = (s[SEGMENT_BASE + 2 * o.seg] + offset) | 0;
  // A misaligned address counts before one that is not inside.
  checkAlignment(c, o, linear);
  if (!c.real && !allows(rights, write, o.lenient)) c.fault((rights & USABLE) === 0 ? vector : GP, 0);
  if (!inside(rights, s[SEGMENT_LIMIT + o.seg], offset, size)) c.fault(vector, 0);
  return linear;
};
