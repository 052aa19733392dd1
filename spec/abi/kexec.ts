/** kexec_op: images of another kernel, to be started in place of Xen. Source: Xen public header `kexec.h`, x86-64 layout. */
import { layout } from './layout.ts';

export const KEXEC_CMD = { kexec: 0, load_v1: 1, unload_v1: 2, get_range: 3, load: 4, unload: 5, status: 6 } as const;
export const KEXEC_TYPE = { DEFAULT: 0, CRASH: 1 } as const;
export const KEXEC_RANGE = { CRASH: 0, XEN: 1, CPU: 2, XENHEAP: 3, BOOT_PARAM: 4, EFI_MEMMAP: 5, VMCOREINFO: 6 } as const;
/** An image has fewer segments than this. */
export const KEXEC_SEGMENT_MAX = 16;
export const KEXEC_SEGMENT_BYTES = 32;
/** Bytes of what Xen keeps for a crash kernel to read. */
export const VMCOREINFO_BYTES = 4096;

export const kexec = {
  exec: layout(4, { type: [0, 4] }),
  /** The image in its old form, for load_v1 and unload_v1. */
  image_v1: layout(160, { type: [0, 4] }),
  /** Where Xen lies is left open, so programs do not look at `size` and `start`; both machines say 0 of Xen itself and of where notes are. */
  range: layout(24, { range: [0, 4], nr: [4, 4], size: [8, 8, 'padding', 'out'], start: [16, 8, 'padding', 'out'] }),
  load: layout(24, { type: [0, 1], arch: [2, 2], nr_segments: [4, 4], segments: [8, 8, 'pointer'], entry_maddr: [16, 8, 'maddr'] }),
  /** For unload and status. */
  kind: layout(1, { type: [0, 1] }),
} as const;
