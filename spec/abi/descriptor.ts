/**
 * Segment descriptors and the tables of a PV guest. Source: Xen public header `arch-x86/xen.h`; Intel SDM volume 3, 3.4.5; what Debian's
 * Xen 4.17 (without 32-bit PV) has in its own page of the table was read from its source.
 */

export const DESCRIPTORS_PER_PAGE = 512;
/** Pages of the global table that are the guest's to fill: selectors up to 0xdfff. The page behind them is Xen's. */
export const GUEST_GDT_PAGES = 14;
export const GUEST_GDT_ENTRIES = GUEST_GDT_PAGES * DESCRIPTORS_PER_PAGE;
/** Frames that a vcpu_guest_context has room for. */
export const GDT_FRAMES = 16;
export const MOST_LDT_ENTRIES = 8192;
/** The global table's limit as the processor has it, whatever the guest has set: pages without a frame read as zeros. */
export const GDT_LIMIT = 0xefff;

/** Xen's page: first selector, and its descriptors that are not zero, as [selector without RPL, upper half, lower half]. */
export const XEN_GDT_FIRST = 0xe000;
export const XEN_DESCRIPTORS: readonly (readonly [selector: number, high: number, low: number])[] = [
  [0xe008, 0x00af9b00, 0x0000ffff],
  [0xe010, 0x00cf9300, 0x0000ffff],
  [0xe020, 0x00cffb00, 0x0000ffff],
  [0xe028, 0x00cff300, 0x0000ffff],
  [0xe030, 0x00affb00, 0x0000ffff],
  [0xe060, 0x00009100, 0x00000000],
];
/** The same of the page that vCPUs of 32-bit domains have: code and data of rings 1 and 3, no 64-bit code but Xen's own. Source: Xen's `desc.c`. */
export const XEN_DESCRIPTORS_PV32: readonly (readonly [selector: number, high: number, low: number])[] = [
  [0xe008, 0x00af9b00, 0x0000ffff],
  [0xe010, 0x00cf9300, 0x0000ffff],
  [0xe018, 0x00cfbb00, 0x0000ffff],
  [0xe020, 0x00cfb300, 0x0000ffff],
  [0xe028, 0x00cffb00, 0x0000ffff],
  [0xe030, 0x00cff300, 0x0000ffff],
  [0xe060, 0x00009100, 0x00000000],
];
/** Selectors of Xen's task state and local table, whose descriptors no guest can look at. */
export const XEN_TSS = 0xe040;
export const XEN_LDT = 0xe050;
/** Xen's interrupt table as SIDT on the first pCPU tells it: the address is that of Debian's build. Those of other pCPUs lie in Xen's heap. */
export const XEN_IDT = { base: 0xffff82d040577000n, limit: 0xfff } as const;

/** Bits of a descriptor's upper half. */
export const DESCRIPTOR = {
  TYPE: 0xf00,
  S: 1 << 12,
  DPL: 3 << 13,
  P: 1 << 15,
  L: 1 << 21,
  DB: 1 << 22,
  G: 1 << 23,
  CALL_GATE: 0xc00,
} as const;
