/** What CPUID announces. */

import { CPUID_FEATURES, type CpuidFeature, PHYSICAL_WIDTH_LEAF, XCR0_LEAF } from '#spec/isa/x86/cpuid_features.ts';
import type { Cpu } from '../cpu.ts';

const rowOf = (c: Cpu, leaf: number, subleaf: number) =>
  c.cpuid.find((row) => row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf >>> 0 === subleaf));

export const hasFeature = (c: Cpu, feature: CpuidFeature): boolean => {
  const { leaf, subleaf, register, bit } = CPUID_FEATURES[feature];
  const row = rowOf(c, leaf, subleaf);
  return row !== undefined && ((row[register] >>> bit) & 1) !== 0;
};

/** Bits of a physical address. */
export const physicalWidth = (c: Cpu): number => {
  const row = rowOf(c, PHYSICAL_WIDTH_LEAF, 0);
  if (row !== undefined) return row.eax & 0xff;
  return hasFeature(c, 'pae') || hasFeature(c, 'pse36') ? 36 : 32;
};

/** Bits that XCR0 may have. */
export const xcr0Bits = (c: Cpu): bigint => {
  const row = rowOf(c, XCR0_LEAF, 0);
  return row === undefined ? 0n : BigInt(row.eax >>> 0) | (BigInt(row.edx >>> 0) << 32n);
};
