/** The least kernel that boots: one page, which is its hypercall page too. For tests that make calls in the guest's place. */
import { writeElf } from './elf.ts';

const BASE = 0x200000;

export const ONE_PAGE_KERNEL = writeElf({
  segments: [{ address: BASE, bytes: new Uint8Array(16), size: 4096 }],
  entry: BASE,
  virtBase: BASE,
  hypercallPage: BASE,
});
