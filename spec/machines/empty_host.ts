/**
 * A machine on which a kernel of today boots as domain 0 although no device is modelled: nothing is behind the ports, and the processor
 * lacks what the machines do not model (vectors of 256 bits and their kin) or would have to be told (random numbers).
 */
import type { CpuidLeaf, MachineConfig } from '../config.ts';

/** The same processor on QEMU 10. */
export const EMPTY_HOST_CPU =
  'max,-avx,-avx2,-fma,-f16c,-vaes,-vpclmulqdq,-la57,-pku,-rdpid,-3dnow,-3dnowext,-rdrand,-rdseed,xlevel=0x80000008';

const bits = (...numbers: readonly number[]): number => numbers.reduce((sum, bit) => sum | (1 << bit), 0);

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
/** Features to take away, by leaf and register. */
const WITHOUT: readonly { readonly leaf: number; readonly register: Register; readonly mask: number }[] = [
  { leaf: 1, register: 'ecx', mask: bits(12, 28, 29, 30) }, // FMA, AVX, F16C, RDRAND
  { leaf: 7, register: 'ebx', mask: bits(5, 18) }, // AVX2, RDSEED
  { leaf: 7, register: 'ecx', mask: bits(3, 4, 9, 10, 16, 22) }, // PKU, OSPKE, VAES, VPCLMULQDQ, LA57, RDPID
  { leaf: 0x80000001, register: 'edx', mask: bits(30, 31) }, // 3DNOWEXT, 3DNOW
];
/** XCR0 has x87 and SSE, whose area is 576 bytes. */
const XSTATE = { eax: 3, ebx: 0x240, ecx: 0x240, edx: 0 };

const reduced = (row: CpuidLeaf): CpuidLeaf => {
  if (row.leaf === 0xd && row.subleaf === 0) return { ...row, ...XSTATE };
  let after = row;
  for (const { leaf, register, mask } of WITHOUT) if (row.leaf === leaf) after = { ...after, [register]: (after[register] & ~mask) >>> 0 };
  return after;
};
const reduce = (leaves: readonly CpuidLeaf[]): CpuidLeaf[] =>
  leaves.filter(({ leaf, subleaf }) => leaf !== 0xd || (subleaf ?? 0) < 2).map(reduced);

/** That machine with nothing behind its ports. */
export const withEmptyHost = (config: MachineConfig): MachineConfig => ({
  ...config,
  cpu: { ...config.cpu, cpuid: reduce(config.cpu.cpuid), cpuid_forced: reduce(config.cpu.cpuid_forced) },
  host: 'empty',
});
