/** Xen's part of the L2 in slot 3 of a 32-bit domain's L3: the machine-to-physical table of four bytes a frame. */
import type { Machine } from '../machine.ts';

/** Where Xen begins at the lowest for 32-bit kernels, and where its table ends at the latest. */
export const COMPAT_START = 0xf5800000;
export const COMPAT_M2P_END = 0xffe00000;
const LARGE_PAGE = 0x200000;
const FRAME = 4096;
const ENTRY_BYTES = 4;
const SLOTS = 512;
/** Present and large; neither U nor NX, so that the kernel alone reads it. */
const LARGE = 0x81;

export const firstCompatSlot = (hypervisor: number): number => (hypervisor >>> 21) & (SLOTS - 1);

/** Bytes of the table, in whole large pages as Xen counts them from the pages of its 64-bit sibling. */
const compatM2pBytes = (frames: number): number => {
  const native = Math.ceil((frames * 8) / LARGE_PAGE) * LARGE_PAGE;
  const half = native / 2 + LARGE_PAGE / 2;
  return half - (half % LARGE_PAGE);
};

/** Where Xen begins for a domain whose kernel lets it begin at `low`; null: it does not say. */
export const hypervisorStart = (frames: number, low: number | null): number => {
  if (low === null) return COMPAT_START;
  const bytes = compatM2pBytes(frames);
  const least = COMPAT_START + bytes < COMPAT_M2P_END ? COMPAT_M2P_END - bytes : COMPAT_START;
  return Math.max(least, low);
};

/** Write Xen's slots of such an L2. */
export const fillCompatSlots = (machine: Machine, l2: number, hypervisor: number): void => {
  const first = firstCompatSlot(hypervisor);
  const pages = Math.ceil((machine.frames.count * ENTRY_BYTES) / LARGE_PAGE);
  for (let slot = first; slot < SLOTS; slot++) {
    const mfn = machine.compatM2p + (slot - first) * (LARGE_PAGE / FRAME);
    const [lo, hi] = slot - first < pages ? [(mfn << 12) | LARGE, mfn >>> 20] : [0, 0];
    machine.memory.writeHalves(l2 * FRAME + 8 * slot, lo, hi);
  }
};
