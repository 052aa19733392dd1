import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, fromNumber, toBigInt, type Word } from '../word/word.ts';
import { bytesOf, readGuest, wordIn, writeGuest } from './guest.ts';
import { emptyMemory, type Memory, readWord, writeWord } from './memory.ts';
import { ACCESS, isCanonical, tableIndex, walk } from './translate.ts';

const ROOT = 1;
const VA = fromBigInt(0x0000_1234_5678_9abcn);
const ALL = 0x67;
const NX = 1n << 63n;
/** A fresh table's entries: present, writable, user, never used. */
const UNUSED = 0x07;

type Entries = { readonly l4?: bigint; readonly l3?: bigint; readonly l2?: bigint; readonly l1?: bigint };

/** Tables 1 to 4 that map VA's page to frame 9, with other flags or whole entries where given. */
const tables = ({ l4, l3, l2, l1 }: Entries = {}): Memory => {
  const entries = [l4 ?? BigInt(0x2000 | ALL), l3 ?? BigInt(0x3000 | ALL), l2 ?? BigInt(0x4000 | ALL), l1 ?? BigInt(0x9000 | ALL)];
  return entries.reduce((m, entry, n) => writeWord(m, n + 1, tableIndex(VA, 4 - n), fromBigInt(entry)), emptyMemory(1024));
};
const USER_READ = ACCESS.USER;
const USER_WRITE = ACCESS.USER | ACCESS.WRITE;
const USER_FETCH = ACCESS.USER | ACCESS.FETCH;
const faultOf = (entries: Entries, access: number) => {
  const found = walk(tables(entries), ROOT, VA, access);
  return found.kind === 'fault' ? [found.clause, found.error] : found.kind;
};

describe('a page walk', () => {
  it('finds the frame and what its entries allow', () => {
    const found = walk(tables(), ROOT, VA, USER_WRITE);
    expect(found).toMatchObject({ kind: 'mapped', frame: 9, rights: { write: true, user: true, execute: true, dirty: true } });
  });

  it('takes nine bits of the address for each level', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 48n) - 1n }), fc.integer({ min: 1, max: 4 }), (va, level) => {
        expect(tableIndex(fromBigInt(va), level)).toBe(Number((va >> BigInt(12 + 9 * (level - 1))) & 511n));
      }),
    );
  });

  it('faults where an entry is absent, whatever the levels above forbid', () => {
    expect(faultOf({ l1: 0n }, USER_READ)).toEqual(['x86/page_walk-not_present', 4]);
    expect(faultOf({ l1: 0n, l4: 0x2001n }, USER_WRITE)).toEqual(['x86/page_walk-not_present', 6]);
    expect(faultOf({ l4: 0n }, USER_FETCH)).toEqual(['x86/page_walk-not_present', 20]);
    expect(faultOf({ l2: 0n }, ACCESS.WRITE)).toEqual(['x86/page_walk-not_present', 2]);
  });

  it('needs U, W and executable pages at every level', () => {
    expect(faultOf({ l3: BigInt(0x3000 | (ALL & ~4)) }, USER_READ)).toEqual(['x86/page_walk-user', 5]);
    expect(faultOf({ l4: BigInt(0x2000 | (ALL & ~2)) }, USER_WRITE)).toEqual(['x86/page_walk-write', 7]);
    expect(faultOf({ l2: BigInt(0x4000 | ALL) | NX }, USER_FETCH)).toEqual(['x86/page_walk-nx', 21]);
    expect(faultOf({ l2: BigInt(0x4000 | ALL) | NX }, USER_READ)).toBe('mapped');
  });

  it('lets Xen itself past U, but not past W', () => {
    expect(faultOf({ l1: BigInt(0x9000 | (ALL & ~4)) }, ACCESS.READ)).toBe('mapped');
    expect(faultOf({ l1: BigInt(0x9000 | (ALL & ~2)) }, ACCESS.WRITE)).toEqual(['x86/page_walk-write', 3]);
  });

  it('faults on reserved bits', () => {
    expect(faultOf({ l1: BigInt(0x9000 | ALL) | (1n << 45n) }, USER_READ)).toEqual(['x86/page_walk-reserved', 13]);
    expect(faultOf({ l4: BigInt(0x2000 | ALL | 0x80) }, USER_READ)).toEqual(['x86/page_walk-reserved', 13]);
    expect(faultOf({ l2: BigInt(0x2000 | ALL | 0x80) }, USER_READ)).toEqual(['x86/page_walk-reserved', 13]);
  });

  it('ignores the bits that software may use', () => {
    expect(faultOf({ l1: BigInt(0x9e00 | ALL) | (0x7fn << 52n) }, USER_WRITE)).toBe('mapped');
  });

  it('stops at large pages', () => {
    const large = walk(tables({ l2: BigInt(0x40000000 | ALL | 0x80) }), ROOT, VA, USER_READ);
    expect(large).toMatchObject({ kind: 'mapped', frame: 0x40000 + tableIndex(VA, 1) });
    const huge = walk(tables({ l3: BigInt(0x40000000 | ALL | 0x80) }), ROOT, VA, USER_READ);
    expect(huge).toMatchObject({ kind: 'mapped', frame: 0x40000 + tableIndex(VA, 2) * 512 + tableIndex(VA, 1) });
  });

  it('marks every entry as accessed, and the last one as dirty for a write', () => {
    const fresh = tables({
      l4: BigInt(0x2000 | UNUSED),
      l3: BigInt(0x3000 | UNUSED),
      l2: BigInt(0x4000 | UNUSED),
      l1: BigInt(0x9000 | UNUSED),
    });
    const flags = (memory: Memory): number[] => [1, 2, 3, 4].map((n) => readWord(memory, n, tableIndex(VA, 5 - n)).lo & 0xfff);
    const marked = (access: number): number[] => {
      const found = walk(fresh, ROOT, VA, access);
      return found.kind === 'mapped' ? flags(found.memory) : [];
    };
    expect(marked(USER_READ)).toEqual([0x27, 0x27, 0x27, 0x27]);
    expect(marked(USER_WRITE)).toEqual([0x27, 0x27, 0x27, 0x67]);
    expect(flags(fresh)).toEqual([7, 7, 7, 7]);
  });

  it('changes nothing when all marks are there already', () => {
    const m = tables();
    const found = walk(m, ROOT, VA, USER_WRITE);
    expect(found.kind === 'mapped' && found.memory === m).toBe(true);
  });
});

describe('canonical addresses', () => {
  it('have bits 63 to 47 all equal', () => {
    const cases: readonly [bigint, boolean][] = [
      [0x7fff_ffff_ffffn, true],
      [0x8000_0000_0000n, false],
      [0xffff_8000_0000_0000n, true],
      [0xffff_7fff_ffff_ffffn, false],
    ];
    for (const [va, canonical] of cases) expect(isCanonical(fromBigInt(va))).toBe(canonical);
  });
});

describe("Xen's copies", () => {
  /** Two pages that follow each other in the address space but not in memory. */
  const twoPages = (): Memory => writeWord(tables(), 4, tableIndex(VA, 1) + 1, fromNumber(0x7000 | ALL));
  const start: Word = fromBigInt(0x0000_1234_5678_9ff8n);

  it('cross pages', () => {
    const bytes = bytesOf([fromNumber(1), fromNumber(2), fromNumber(3)]);
    const wrote = writeGuest(twoPages(), ROOT, start, bytes);
    if (wrote.kind !== 'done') throw new Error('the copy failed');
    expect([readWord(wrote.memory, 9, 511), readWord(wrote.memory, 7, 0), readWord(wrote.memory, 7, 1)].map(toBigInt)).toEqual([
      1n,
      2n,
      3n,
    ]);
    const back = readGuest(wrote.memory, ROOT, start, 24);
    expect(back.kind === 'done' && back.bytes).toEqual(bytes);
    expect(back.kind === 'done' && toBigInt(wordIn(back.bytes, 8))).toBe(2n);
    expect(back.kind === 'done' && toBigInt(wordIn(back.bytes, 16, 4))).toBe(3n);
  });

  it('stop where a page is missing, and keep what came before', () => {
    const wrote = writeGuest(tables(), ROOT, start, bytesOf([fromNumber(1), fromNumber(2)]));
    expect(wrote).toMatchObject({ kind: 'fault', error: ACCESS.WRITE });
    expect(wrote.kind === 'fault' && toBigInt(wrote.address)).toBe(0x0000_1234_5678_a000n);
    expect(toBigInt(readWord(wrote.memory, 9, 511))).toBe(1n);
  });

  it('refuse addresses that do not exist', () => {
    expect(readGuest(tables(), ROOT, fromBigInt(1n << 50n), 1).kind).toBe('fault');
  });
});
