/** Page table entries as Xen reads them: frame, flags, what an entry may not have, and what Xen adds to it. */
import { toNumber, Word } from '../word/word.ts';

/** Flags in the low half of an entry. */
export const PTE = { P: 1, RW: 2, US: 4, PWT: 8, PCD: 0x10, A: 0x20, D: 0x40, PAT: 0x80, PSE: 0x80, G: 0x100, AVAIL: 0xe00 } as const;
export const CACHE_ATTRIBUTES = PTE.PWT | PTE.PCD | PTE.PAT;

/** Flags in the high half: bit 52, Xen's mark of a guest kernel page, and NX. */
export const PTE_HIGH = { GUEST_KERNEL: 1 << 20, NX: 1 << 31 } as const;

export type Level = 1 | 2 | 3 | 4;
export const ENTRIES = 512;

/** Frame number in bits 12 to 51. */
export const frameOf = (pte: Word): number => (pte.hi & 0xfffff) * 0x100000 + (pte.lo >>> 12);

export const isPresent = (pte: Word): boolean => (pte.lo & PTE.P) !== 0;
export const isWritable = (pte: Word): boolean => (pte.lo & PTE.RW) !== 0;

/** An entry for a frame, with flags in the low and the high half. */
export const entryFor = (mfn: number, low: number, high: number): Word =>
  new Word((Math.floor(mfn / 0x100000) & 0xfffff) | high, ((mfn % 0x100000) << 12) | low);

/** The entry's index, counted from the table's start, for a linear address. */
export const indexFor = (va: Word, level: Level): number =>
  Math.floor(toNumber(new Word(va.hi & 0xffff, va.lo)) / 2 ** (12 + 9 * (level - 1))) % ENTRIES;

/** First of Xen's slots in the L2 of the last gigabyte of a 32-bit domain. */
export const xenL2Slot = (virtStart: number): number => (virtStart >>> 21) & (ENTRIES - 1);

/** Flags that the level does not allow (`page_type/entry-flags`). `io`: the domain may map device memory. */
export const disallowed = (level: Level, io: boolean): number =>
  level === 1 ? (io ? 0 : CACHE_ATTRIBUTES) : PTE.PWT | PTE.PCD | PTE.PSE | PTE.G;

/** The same of an L3 of four entries, in both halves (`compat/l3-flags`): no NX, no bits that Xen leaves to 64-bit guests. */
export const allowedInPaeL3 = (pte: Word): boolean => (pte.lo & 0x198) === 0 && (pte.hi & HARMLESS_HIGH) === 0;

/** What Xen takes out again of an entry of an L3 of four, as it lets go of it (`compat/l3-unadjusted`). */
export const unadjusted = (pte: Word): Word => (isPresent(pte) ? new Word(pte.hi, pte.lo & ~(PTE.US | PTE.RW | PTE.A)) : pte);

/** What Xen adds to a present entry that it accepts (`page_type/l1-adjust`, `page_type/table-validated`). */
export const adjusted = (pte: Word, level: Level, pv32 = false): Word => {
  if (!isPresent(pte)) return pte;
  // compat/l1-plain
  if (pv32) return level < 3 ? pte : new Word(pte.hi, pte.lo | PTE.US | PTE.RW);
  if (level === 4) return new Word(pte.hi, pte.lo | PTE.A | PTE.US);
  if (level > 1) return new Word(pte.hi, pte.lo | PTE.US);
  const kernel = (pte.lo & PTE.US) === 0 ? new Word(pte.hi | PTE_HIGH.GUEST_KERNEL, pte.lo | PTE.US) : pte;
  return (kernel.hi & PTE_HIGH.GUEST_KERNEL) === 0 ? new Word(kernel.hi, kernel.lo | PTE.G | PTE.US) : kernel;
};

/** Bits that an entry may change without being checked anew: NX, 52 to 62, AVAIL, G, D, A, US (`mmu/entry-fast`). */
const HARMLESS_LOW = PTE.AVAIL | PTE.G | PTE.D | PTE.A | PTE.US;
const HARMLESS_HIGH = 0xfff00000 | 0;

export const sameButHarmless = (old: Word, next: Word): boolean =>
  ((old.lo ^ next.lo) & ~HARMLESS_LOW) === 0 && ((old.hi ^ next.hi) & ~HARMLESS_HIGH) === 0;
