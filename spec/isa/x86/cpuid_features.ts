/**
 * Where CPUID tells of a feature: leaf, subleaf, register, bit. The names are those that rows, control registers and MSRs use. Source:
 * Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
 */
export type CpuidBit = {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: 'eax' | 'ebx' | 'ecx' | 'edx';
  readonly bit: number;
};

const at = (leaf: number, register: CpuidBit['register'], bit: number, subleaf = 0): CpuidBit => ({ leaf, subleaf, register, bit });

export const CPUID_FEATURES = {
  fpu: at(1, 'edx', 0),
  vme: at(1, 'edx', 1),
  de: at(1, 'edx', 2),
  pse: at(1, 'edx', 3),
  tsc: at(1, 'edx', 4),
  msr: at(1, 'edx', 5),
  pae: at(1, 'edx', 6),
  mce: at(1, 'edx', 7),
  cx8: at(1, 'edx', 8),
  apic: at(1, 'edx', 9),
  sep: at(1, 'edx', 11),
  mtrr: at(1, 'edx', 12),
  pge: at(1, 'edx', 13),
  mca: at(1, 'edx', 14),
  cmov: at(1, 'edx', 15),
  pat: at(1, 'edx', 16),
  pse36: at(1, 'edx', 17),
  clflush: at(1, 'edx', 19),
  mmx: at(1, 'edx', 23),
  fxsr: at(1, 'edx', 24),
  sse: at(1, 'edx', 25),
  sse2: at(1, 'edx', 26),
  monitor: at(1, 'ecx', 3),
  pcid: at(1, 'ecx', 17),
  x2apic: at(1, 'ecx', 21),
  xsave: at(1, 'ecx', 26),
  fsgsbase: at(7, 'ebx', 0),
  smep: at(7, 'ebx', 7),
  invpcid: at(7, 'ebx', 10),
  smap: at(7, 'ebx', 20),
  umip: at(7, 'ecx', 2),
  pku: at(7, 'ecx', 3),
  la57: at(7, 'ecx', 16),
  rdpid: at(7, 'ecx', 22),
  xsaveopt: at(0xd, 'eax', 0, 1),
  xsavec: at(0xd, 'eax', 1, 1),
  xgetbv1: at(0xd, 'eax', 2, 1),
  xsaves: at(0xd, 'eax', 3, 1),
  syscall: at(0x80000001, 'edx', 11),
  nx: at(0x80000001, 'edx', 20),
  ffxsr: at(0x80000001, 'edx', 25),
  page1gb: at(0x80000001, 'edx', 26),
  rdtscp: at(0x80000001, 'edx', 27),
  lm: at(0x80000001, 'edx', 29),
  svm: at(0x80000001, 'ecx', 2),
} as const satisfies Record<string, CpuidBit>;
export type CpuidFeature = keyof typeof CPUID_FEATURES;

/** Bits of a physical address: EAX of this leaf, bits 0 to 7. A processor without the leaf has 36 bits with PAE or PSE-36, else 32. */
export const PHYSICAL_WIDTH_LEAF = 0x80000008;
/** XCR0's bits that exist: EAX and EDX of leaf 0xd, subleaf 0. */
export const XCR0_LEAF = 0xd;
