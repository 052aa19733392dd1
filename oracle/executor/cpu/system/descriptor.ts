/** Descriptors of segments and gates, and the tables that hold them. Source: Intel SDM volume 3, 3.4.5 and 5.8; AMD APM volume 2, 4.7. */
import type { Cpu } from '../cpu.ts';
import { GP } from '../exit.ts';
import { GDTR_BASE, GDTR_LIMIT, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from '../layout.ts';
import { findPvDescriptor, writePvType } from '../pv_descriptors.ts';
import { ACCESSED, CODE, CONFORMING, dpl, ORDINARY, PRESENT, USABLE, WRITABLE } from '../segment_rights.ts';
import { isLong, read8, read64, writeSized } from './access.ts';

/** Numbers of LDTR and TR among the segment registers. */
export const LDTR = 6;
export const TR = 7;

/** Types of system descriptors. */
export const TYPE = {
  TSS16: 1,
  LDT: 2,
  TSS16_BUSY: 3,
  CALL16: 4,
  TASK: 5,
  INTERRUPT16: 6,
  TRAP16: 7,
  TSS32: 9,
  TSS32_BUSY: 11,
  CALL32: 12,
  INTERRUPT32: 14,
  TRAP32: 15,
} as const;

/** A descriptor as it lies in memory, by its dwords; `at` is its linear address, for a guest of Xen its machine address. `third`: base 63:32 of system descriptors in long mode. */
export type Descriptor = { readonly at: bigint; readonly lo: number; readonly hi: number; readonly third: number; readonly fourth: number };

export const rightsOf = (d: Descriptor): number => (d.hi >>> 8) & 0xf0ff;
export const typeOf = (d: Descriptor): number => (d.hi >>> 8) & 15;
export const isOrdinary = (d: Descriptor): boolean => (rightsOf(d) & ORDINARY) !== 0;
export const isPresent = (d: Descriptor): boolean => (rightsOf(d) & PRESENT) !== 0;
export const dplOf = (d: Descriptor): number => dpl(rightsOf(d));
export const isCode = (d: Descriptor): boolean => (rightsOf(d) & (ORDINARY | CODE)) === (ORDINARY | CODE);
export const isConforming = (d: Descriptor): boolean => isCode(d) && (rightsOf(d) & CONFORMING) !== 0;
export const isWritableData = (d: Descriptor): boolean => (rightsOf(d) & (ORDINARY | CODE | WRITABLE)) === (ORDINARY | WRITABLE);
/** Data, or code that may be read. */
export const isReadable = (d: Descriptor): boolean => isOrdinary(d) && (!isCode(d) || (rightsOf(d) & 2) !== 0);

/** 32 bits of base; `third` is not looked at. */
export const baseOf = (d: Descriptor): bigint => BigInt(((d.lo >>> 16) | ((d.hi & 0xff) << 16) | (d.hi & 0xff000000)) >>> 0);
/** Base of a system descriptor: 64 bits in long mode. */
export const systemBaseOf = (d: Descriptor): bigint => baseOf(d) | (BigInt(d.third >>> 0) << 32n);

/** The last offset inside, as an int32. */
export const limitOf = (d: Descriptor): number => {
  const limit = (d.lo & 0xffff) | (d.hi & 0xf0000);
  return (d.hi & 0x800000) !== 0 ? (limit << 12) | 0xfff : limit;
};

/** What a gate leads to. */
export const gateSelector = (d: Descriptor): number => d.lo >>> 16;
export const gateOffset = (d: Descriptor, wide: boolean): bigint =>
  BigInt(wide ? ((d.lo & 0xffff) | (d.hi & 0xffff0000)) >>> 0 : d.lo & 0xffff) | (BigInt(d.third >>> 0) << 32n);

/** A selector without its RPL: what error codes carry. */
export const indexOf = (selector: number): number => selector & 0xfffc;
export const isNull = (selector: number): boolean => indexOf(selector) === 0;
export const rpl = (selector: number): number => selector & 3;

/** Where a selector's table lies and ends; null: there is no such table. */
const tableOf = (c: Cpu, selector: number): { readonly base: bigint; readonly limit: number } | null => {
  if ((selector & 4) === 0) return { base: c.pair(GDTR_BASE), limit: c.s[GDTR_LIMIT] };
  if ((c.s[SEGMENT_RIGHTS + LDTR] & USABLE) === 0) return null;
  return { base: c.pair(SEGMENT_BASE + 2 * LDTR), limit: c.s[SEGMENT_LIMIT + LDTR] >>> 0 };
};

/** The descriptor that a selector names, or null when its table ends before. `bytes`: 16 for system descriptors in long mode. */
export const find = (c: Cpu, selector: number, bytes: 8 | 16 = 8): Descriptor | null => {
  if (!c.platform.bare) return findPvDescriptor(c, selector, bytes);
  const table = tableOf(c, selector);
  const offset = selector & 0xfff8;
  if (table === null || offset + bytes - 1 > table.limit) return null;
  return readDescriptor(c, table.base + BigInt(offset), bytes);
};

export const readDescriptor = (c: Cpu, at: bigint, bytes: 8 | 16): Descriptor => {
  const first = read64(c, at, 'implicit');
  const second = bytes === 16 ? read64(c, at + 8n, 'implicit') : 0n;
  const dword = (value: bigint, n: number): number => Number(BigInt.asIntN(32, value >> BigInt(32 * n)));
  return { at, lo: dword(first, 0), hi: dword(first, 1), third: dword(second, 0), fourth: dword(second, 1) };
};

/** The same; when there is none `vector` with the selector as error code, plus `ext`. */
export const fetch = (c: Cpu, selector: number, vector: number = GP, ext = 0): Descriptor =>
  find(c, selector) ?? c.fault(vector, indexOf(selector) | ext);

/** The same for a descriptor that may be of the system: its second half too in long mode, when it lies inside the table. */
export const fetchSystem = (c: Cpu, selector: number, vector: number = GP, ext = 0): Descriptor => {
  const d = fetch(c, selector, vector, ext);
  if (!isLong(c) || isOrdinary(d)) return d;
  return find(c, selector, 16) ?? c.fault(vector, indexOf(selector) | ext);
};

/** Set the accessed bit, if it is not set. */
export const markAccessed = (c: Cpu, d: Descriptor): void => {
  if ((rightsOf(d) & ACCESSED) !== 0) return;
  const byte = ((d.hi >>> 8) & 0xff) | ACCESSED;
  if (c.platform.bare) writeType(c, d, byte);
  else writePvType(c, d, byte);
};

/** Set or clear the busy bit of a TSS. */
export const markBusy = (c: Cpu, d: Descriptor, busy: boolean): void => {
  const now = read8(c, d.at + 5n, 'implicit');
  writeType(c, d, busy ? now | 2 : now & ~2);
};

const writeType = (c: Cpu, d: Descriptor, byte: number): void => writeSized(c, d.at + 5n, 1, BigInt(byte), 'implicit');

/** Put a descriptor's hidden part into segment register `segment`. */
export const setHidden = (c: Cpu, segment: number, selector: number, base: bigint, limit: number, rights: number): void => {
  c.selectors[segment] = selector;
  c.setPair(SEGMENT_BASE + 2 * segment, base);
  c.s[SEGMENT_LIMIT + segment] = limit;
  c.s[SEGMENT_RIGHTS + segment] = rights;
};

/** Load segment register `segment` from an ordinary descriptor, whose accessed bit is set by then. */
export const setSegment = (c: Cpu, segment: number, selector: number, d: Descriptor): void =>
  setHidden(c, segment, selector, baseOf(d), limitOf(d), rightsOf(d) | ACCESSED | USABLE);

/** A null selector: the register cannot be used. */
export const setNull = (c: Cpu, segment: number, selector: number): void => setHidden(c, segment, selector, 0n, 0, 0);
