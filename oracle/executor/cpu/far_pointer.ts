/** LDS, LES, LFS, LGS, LSS, and the far pointers of far transfers. */
import { linear, linearBeyond, readable } from './address.ts';
import type { Cpu } from './cpu.ts';
import type { Handler, Op } from './op.ts';
import { peek, setRegister } from './operand.ts';
import { afterLoad } from './segment.ts';

/**
 * Offset of a far pointer in memory, of 16 or 32 bits, never more; its selector in `cpu.far`. Two accesses, each judged by itself, the
 * offset first.
 */
export const farPointer = (c: Cpu, o: Op): number => {
  const bytes = o.size === 2 ? 2 : 4;
  // The operand reaches two bytes, so that its upper half is judged here.
  if (bytes === 4 && !o.legacy) linearBeyond(c, o, 2, 0);
  const at = linear(c, o);
  const high = c.high;
  const offset = peek(c, readable(c, o, at, high, bytes - 1), bytes);
  c.far = peek(c, selectorPlace(c, o, at, high, bytes), 2);
  return offset;
};

const selectorPlace = (c: Cpu, o: Op, at: number, high: number, bytes: number): number => {
  if (o.legacy) {
    const lo = linearBeyond(c, o, bytes, 0);
    return readable(c, o, lo, c.high, 1);
  }
  if (o.address === 8) linearBeyond(c, o, bytes, 0);
  const lo = (at + bytes) | 0;
  return readable(c, o, lo, (high + (lo >>> 0 < at >>> 0 ? 1 : 0)) | 0, 1);
};

/** The segment register's number is in `immHi`. With 64-bit operands the offset is zero-extended. LSS holds nothing off. */
export const loadFarPointer: Handler = (c, o) => {
  const offset = farPointer(c, o);
  c.platform.loadSegment(c, o.immHi, c.far);
  c.shadow = 'none';
  setRegister(c, o.a, o.size, offset, 0);
  return afterLoad(c, o);
};
