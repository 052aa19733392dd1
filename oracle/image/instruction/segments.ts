/**
 * The segments in which instructions outside 64-bit mode are tried: an LDT of their own, the same on every machine, and the three
 * descriptors of Linux's GDT that programs may use. All have DPL 3.
 */
import { CODE, DATA, STACK } from './window.ts';

export type SegmentKind = 'code' | 'data';

export type CaseSegment = {
  readonly name: string;
  /** Index in the LDT; `gdt`: index in the GDT instead. */
  readonly index: number;
  readonly gdt?: true;
  readonly kind: SegmentKind;
  readonly base: number;
  /** As the descriptor has it: 20 bits, in bytes or (with `pages`) in pages of 4 KiB. */
  readonly limit: number;
  readonly pages: boolean;
  /** Default size: D of code, B of data. */
  readonly big: boolean;
  /** Writable data, readable code. */
  readonly open: boolean;
  readonly expandDown?: true;
  readonly conforming?: true;
  readonly absent?: true;
  readonly long?: true;
};

type Options = Partial<Pick<CaseSegment, 'pages' | 'expandDown' | 'conforming' | 'absent' | 'gdt' | 'long'>>;
const segment = (
  index: number,
  name: string,
  kind: SegmentKind,
  base: number,
  limit: number,
  bits: 16 | 32,
  open: boolean,
  options: Options = {},
): CaseSegment => ({ name, index, kind, base, limit, pages: false, big: bits === 32, open, ...options });

const FLAT: Options = { pages: true };

export const SEGMENTS: readonly CaseSegment[] = [
  segment(4, 'flat code', 'code', 0, 0xfffff, 32, true, { ...FLAT, gdt: true }),
  segment(5, 'flat data', 'data', 0, 0xfffff, 32, true, { ...FLAT, gdt: true }),
  // L and D together would be reserved.
  segment(6, '64-bit code', 'code', 0, 0xfffff, 16, true, { ...FLAT, gdt: true, long: true }),
  segment(1, '16-bit code', 'code', CODE, 0xffff, 16, true),
  segment(2, 'small 16-bit code', 'code', CODE + 0x20, 0x17ff, 16, true),
  segment(3, 'execute-only 16-bit code', 'code', CODE - 0x1000, 0x5fff, 16, false),
  segment(4, '32-bit code with a base', 'code', CODE - 0x12340, 0x3ffff, 32, true),
  segment(5, 'small 32-bit code', 'code', CODE + 0x20, 0x17ff, 32, true),
  segment(6, 'execute-only 32-bit code', 'code', 0, 0xfffff, 32, false, FLAT),
  segment(7, '16-bit data', 'data', DATA, 0xffff, 16, true),
  segment(8, 'small data', 'data', DATA + 0x100, 0x1fff, 32, true),
  segment(9, 'read-only data', 'data', DATA - 0x800, 0xffff, 32, false),
  segment(10, 'expand-down data', 'data', DATA - 0x800, 0x17ff, 32, true, { expandDown: true }),
  segment(11, 'small expand-down data', 'data', DATA - 0x800, 0x17ff, 16, true, { expandDown: true }),
  segment(12, 'data that wraps', 'data', 0xfffff000, 0xfffff, 32, true, FLAT),
  segment(13, 'data at an odd base', 'data', DATA + 3, 0xfffff, 32, true),
  segment(14, '16-bit stack', 'data', STACK, 0xffff, 16, true),
  segment(15, 'small 16-bit stack', 'data', STACK - 0x100, 0x1eff, 16, true),
  segment(16, 'small 32-bit stack', 'data', STACK - 0x12340, 0x13fff, 32, true),
  segment(17, 'expand-down 16-bit stack', 'data', STACK - 0x800, 0xfff, 16, true, { expandDown: true }),
  segment(18, 'absent data', 'data', DATA, 0xffff, 32, true, { absent: true }),
  segment(19, 'absent code', 'code', CODE, 0xffff, 32, true, { absent: true }),
  segment(20, 'absent conforming code', 'code', CODE, 0xffff, 32, true, { conforming: true, absent: true }),
];

const LDT = 4;
const RPL = 3;

export const selectorOf = ({ index, gdt }: CaseSegment): number => (index << 3) | (gdt ? 0 : LDT) | RPL;

/** Behind the last entry of the LDT. */
export const LDT_ENTRIES = 1 + Math.max(...SEGMENTS.filter((s) => !s.gdt).map(({ index }) => index));

/** The segment that a selector names, whatever its RPL; undefined for null and what has no descriptor here. */
export const segmentNamed = (selector: number): CaseSegment | undefined => SEGMENTS.find((s) => (selectorOf(s) & ~3) === (selector & ~3));

export const segmentCalled = (name: string): CaseSegment => {
  const found = SEGMENTS.find((s) => s.name === name);
  if (found === undefined) throw new Error(`no segment is called ${name}`);
  return found;
};

/** The last offset inside; for expand-down segments the last outside. */
export const limitOf = ({ limit, pages }: CaseSegment): number => (pages ? limit * 4096 + 4095 : limit);

/** The rights of CpuObservation: type, S, DPL, P, then AVL, L, D/B, G from bit 12 on. Linux sets the accessed bit of all. */
export const rightsOf = ({ kind, open, expandDown, conforming, absent, long, big, pages }: CaseSegment): number =>
  1 |
  (open ? 2 : 0) |
  (expandDown || conforming ? 4 : 0) |
  (kind === 'code' ? 8 : 0) |
  0x10 |
  0x60 |
  (absent ? 0 : 0x80) |
  (long ? 0x2000 : 0) |
  (big ? 0x4000 : 0) |
  (pages ? 0x8000 : 0);

/** The descriptor's eight bytes. */
export const descriptorOf = (s: CaseSegment): bigint => {
  const rights = rightsOf(s);
  const [base, limit] = [BigInt(s.base), BigInt(s.limit)];
  const upper = BigInt((rights & 0xff) << 8) | (BigInt(rights >> 12) << 20n);
  return (limit & 0xffffn) | ((base & 0xffffffn) << 16n) | (upper << 32n) | (((limit >> 16n) & 15n) << 48n) | ((base >> 24n) << 56n);
};
