/** What CPUID says of a processor. */
import type { CpuidLeaf } from '#spec/config.ts';

type Register = 'eax' | 'ebx' | 'ecx' | 'edx';
type Bit = readonly [leaf: number, register: Register, bit: number, subleaf?: number];

/** Features that rows of the instruction table may need, by the manuals' names. */
const FEATURE_BITS: Readonly<Record<string, Bit>> = {
  cx8: [1, 'edx', 8],
  cmov: [1, 'edx', 15],
  clfsh: [1, 'edx', 19],
  fpu: [1, 'edx', 0],
  mmx: [1, 'edx', 23],
  fxsr: [1, 'edx', 24],
  sse: [1, 'edx', 25],
  sse2: [1, 'edx', 26],
  sse3: [1, 'ecx', 0],
  pclmulqdq: [1, 'ecx', 1],
  ssse3: [1, 'ecx', 9],
  cx16: [1, 'ecx', 13],
  sse4_1: [1, 'ecx', 19],
  sse4_2: [1, 'ecx', 20],
  movbe: [1, 'ecx', 22],
  popcnt: [1, 'ecx', 23],
  aes: [1, 'ecx', 25],
  monitor: [1, 'ecx', 3],
  xsave: [1, 'ecx', 26],
  rdrand: [1, 'ecx', 30],
  fsgsbase: [7, 'ebx', 0],
  bmi1: [7, 'ebx', 3],
  bmi2: [7, 'ebx', 8],
  invpcid: [7, 'ebx', 10],
  rdseed: [7, 'ebx', 18],
  smap: [7, 'ebx', 20],
  clflushopt: [7, 'ebx', 23],
  clwb: [7, 'ebx', 24],
  rdpid: [7, 'ecx', 22],
  gfni: [7, 'ecx', 8],
  adx: [7, 'ebx', 19],
  sha: [7, 'ebx', 29],
  xsaveopt: [0xd, 'eax', 0, 1],
  xsavec: [0xd, 'eax', 1, 1],
  xsaves: [0xd, 'eax', 3, 1],
  lahf: [0x80000001, 'ecx', 0],
  lzcnt: [0x80000001, 'ecx', 5],
  sse4a: [0x80000001, 'ecx', 6],
  rdtscp: [0x80000001, 'edx', 27],
};

const leafOf = (cpuid: readonly CpuidLeaf[], leaf: number, subleaf = 0): CpuidLeaf | undefined =>
  cpuid.find((row) => row.leaf === leaf && (row.subleaf === null || row.subleaf === subleaf));

export const featuresOf = (cpuid: readonly CpuidLeaf[]): ReadonlySet<string> =>
  new Set(
    Object.entries(FEATURE_BITS)
      .filter(([, [leaf, register, bit, subleaf]]) => (((leafOf(cpuid, leaf, subleaf)?.[register] ?? 0) >>> bit) & 1) === 1)
      .map(([name]) => name),
  );

const text = (...registers: readonly number[]): string =>
  registers.map((value) => String.fromCharCode(...[0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff))).join('');

export const vendorOf = (cpuid: readonly CpuidLeaf[]): string => {
  const leaf = leafOf(cpuid, 0);
  return leaf ? text(leaf.ebx, leaf.edx, leaf.ecx) : 'unknown';
};

/** The brand string with family, model and stepping, e.g. `AMD EPYC (AuthenticAMD a10f11)`. */
export const brandOf = (cpuid: readonly CpuidLeaf[]): string => {
  const brand = [0x80000002, 0x80000003, 0x80000004]
    .map((n) => leafOf(cpuid, n))
    .map((leaf) => (leaf ? text(leaf.eax, leaf.ebx, leaf.ecx, leaf.edx) : ''))
    .join('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the string is padded with zeros
    .replace(/\u0000+/g, '')
    .trim();
  return `${brand || 'x86'} (${vendorOf(cpuid)} ${(leafOf(cpuid, 1)?.eax ?? 0).toString(16)})`;
};
