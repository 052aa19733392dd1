/** Page table entries as two int32 halves. */

/** Flags in the lower half. */
export const PTE = {
  PRESENT: 0x001,
  RW: 0x002,
  USER: 0x004,
  PWT: 0x008,
  PCD: 0x010,
  ACCESSED: 0x020,
  DIRTY: 0x040,
  /** Bit 7: PAT in a leaf, large page elsewhere. */
  PAT: 0x080,
  GLOBAL: 0x100,
  /** Bits 9 to 11. */
  AVAIL_SHIFT: 9,
  AVAIL: 0xe00,
} as const;
export const CACHE_ATTRIBUTES = PTE.PWT | PTE.PCD | PTE.PAT;

/** Flags in the upper half: no execution; and bit 52, Xen's mark for pages of the guest kernel. */
export const PTE_HIGH = { NX: 0x80000000 | 0, GUEST_KERNEL: 0x100000 } as const;

/** Frame number 2^40 - 1, all ones: what guests write for "none". */
export const INVALID_FRAME = 0xff_ffff_ffff;

/** Frame number of an entry, 0 to 2^40 - 1. */
export const frameOf = (lo: number, hi: number): number => (lo >>> 12) + (hi & 0xfffff) * 0x100000;
/** Lower and upper half of the address part of an entry for a frame below 2^31. */
export const addressLo = (mfn: number): number => mfn << 12;
export const addressHi = (mfn: number): number => mfn >>> 20;

/** Frame number of a machine address, 0 to 2^52 - 1. */
export const frameOfAddress = (lo: number, hi: number): number => (lo >>> 12) + (hi >>> 0) * 0x100000;

/** Whether two entries differ in more than what a guest may change without a new check: A, D, U, G, NX and the available bits. */
export const entryChanged = (aLo: number, aHi: number, bLo: number, bHi: number): boolean =>
  ((aLo ^ bLo) & (0xfffff000 | PTE.PRESENT | PTE.RW | CACHE_ATTRIBUTES)) !== 0 || ((aHi ^ bHi) & 0xfffff) !== 0;

/** Slot in the L1, L2, L3, L4 table of an address. */
export const slot1 = (lo: number): number => (lo >>> 12) & 511;
export const slot2 = (lo: number): number => (lo >>> 21) & 511;
export const slot3 = (lo: number, hi: number): number => ((lo >>> 30) | (hi << 2)) & 511;
export const slot4 = (hi: number): number => (hi >>> 7) & 511;
