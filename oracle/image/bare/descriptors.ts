/** Descriptors, gates and page table entries as the processor reads them from memory, low dword first. */

/** Two dwords; four where long mode wants sixteen bytes. */
export type Descriptor = readonly number[];

/** A segment: `access` is the byte with type, S, DPL and P; `flags` the nibble G, D/B, L, AVL; `limit` as it stands there. */
export const segment = (access: number, flags: number, base = 0, limit = 0xfffff): Descriptor => [
  ((base << 16) | (limit & 0xffff)) >>> 0,
  ((base & 0xff000000) | (flags << 20) | (limit & 0xf0000) | (access << 8) | ((base >>> 16) & 0xff)) >>> 0,
];

/** A TSS or an LDT: a byte limit. */
export const system = (access: number, base: number, limit: number): Descriptor => segment(access, 0, base, limit);

/** The same with the upper half of the base, for long mode. */
export const system64 = (access: number, base: number, limit: number): Descriptor => [...system(access, base, limit), 0, 0];

/** A gate of eight bytes. `count`: parameters of a call gate. */
export const gate = (access: number, selector: number, offset: number, count = 0): Descriptor => [
  ((selector << 16) | (offset & 0xffff)) >>> 0,
  ((offset & 0xffff0000) | (access << 8) | (count & 0x1f)) >>> 0,
];

/** A gate of sixteen bytes. `ist` stands where the count would; `high`: upper half of the offset. */
export const gate64 = (access: number, selector: number, offset: number, ist = 0, high = 0): Descriptor => [
  ...gate(access, selector, offset, ist),
  high >>> 0,
  0,
];

/** Access bytes without DPL. */
export const ACCESS = {
  code: 0x9b,
  codeUnread: 0x99,
  conforming: 0x9f,
  data: 0x93,
  dataReadOnly: 0x91,
  expandDown: 0x97,
  tss16: 0x81,
  ldt: 0x82,
  tss16Busy: 0x83,
  callGate16: 0x84,
  taskGate: 0x85,
  interruptGate16: 0x86,
  trapGate16: 0x87,
  tss: 0x89,
  tssBusy: 0x8b,
  callGate: 0x8c,
  interruptGate: 0x8e,
  trapGate: 0x8f,
} as const;
export const dpl = (access: number, ring: number): number => (access & ~0x60) | (ring << 5);

/** G, D/B, L, AVL. */
export const FLAG = { g: 8, d: 4, l: 2, avl: 1 } as const;

/** Bits of page table entries. */
export const PTE = { p: 1, rw: 2, us: 4, pwt: 8, pcd: 0x10, a: 0x20, d: 0x40, ps: 0x80, g: 0x100 } as const;
/** Bit 63, as bit of the upper dword. */
export const NX_HIGH = 0x80000000;
