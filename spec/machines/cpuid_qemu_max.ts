/** CPUID leaves as a PV guest reads them on QEMU's `-cpu max` (AMD vendor string), natively. Leaves without a row read as zero. */
import type { CpuidLeaf } from '../config.ts';

export const CPUID_QEMU_MAX: readonly CpuidLeaf[] = [
  { leaf: 0x0, subleaf: null, eax: 0xd, ebx: 0x68747541, ecx: 0x444d4163, edx: 0x69746e65 },
];
