/** Where things are in the guests that are drawn. */
export const PAGE = 4096;
export const BASE = 0x200000;
/** Pages of code, and of all the guest's memory. */
export const CODE_PAGES = 16;
export const PAGES = 2048;
export const CODE = BASE;
export const HYPERCALL_PAGE = BASE + CODE_PAGES * PAGE;
/** Structures of calls. */
export const DATA = HYPERCALL_PAGE + PAGE;
/** What the start of the program leaves here: the address of the L3. */
export const TABLES = DATA + PAGE;
/** Pages to do things with. */
export const SPARE = BASE + 64 * PAGE;
export const SPARE_PAGES = 12;
/** Where shared_info is mapped. */
export const SHARED = BASE + 104 * PAGE;
/** Page of the image that its memory ends with, before what the builder adds. */
export const BSS_PAGES = 20;
export const STACK = DATA + 0xf00;
/** Where a step has `recover` go on. */
export const RESUME = DATA + 0xf80;
/** Where Xen's part begins at the lowest. */
export const XEN = 0xf5800000;

/** Code that the program begins with, before its steps. */
export const HANDLERS = {
  /** Goes on behind an instruction of two bytes. */
  skipping: BASE + 5,
  /** Of events. */
  event: BASE + 0x10,
  /** Of page faults: goes on behind a store of an immediate to an absolute address. */
  store: BASE + 0x20,
  /** Ends the program. */
  fatal: BASE + 0x30,
  /** Goes on. */
  returning: BASE + 0x58,
  /** Goes on where RESUME says, on the first stack and with the kernel's data. */
  recover: BASE + 0x60,
  end: BASE + 0x80,
} as const;
