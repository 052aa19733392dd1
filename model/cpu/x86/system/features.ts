/** What CPUID says of the processor: features, and the width of physical addresses. */
import { CPUID_FEATURES, type CpuidFeature, PHYSICAL_WIDTH_LEAF } from '#spec/isa/x86/cpuid_features.ts';
import type { Platform } from '../platform.ts';

type Known = { readonly features: Partial<Record<CpuidFeature, boolean>>; width: number | null };
/** CPUID's table never changes, so what was found in it holds. */
const known = new WeakMap<Platform['cpuid'], Known>();

const knownOf = (cpuid: Platform['cpuid']): Known => {
  const found = known.get(cpuid) ?? { features: {}, width: null };
  known.set(cpuid, found);
  return found;
};

const leafOf = (cpuid: Platform['cpuid'], leaf: number, subleaf: number) =>
  cpuid.find((row) => row.leaf >>> 0 === leaf && (row.subleaf === null || row.subleaf === subleaf));

/** Whether CPUID tells of the feature. */
export const hasFeature = ({ cpuid }: Platform, feature: CpuidFeature): boolean => {
  const { features } = knownOf(cpuid);
  const { leaf, subleaf, register, bit } = CPUID_FEATURES[feature];
  features[feature] ??= (((leafOf(cpuid, leaf, subleaf)?.[register] ?? 0) >>> bit) & 1) === 1;
  return features[feature];
};

/** Bits of a physical address. */
export const physicalWidth = (platform: Platform): number => {
  const found = knownOf(platform.cpuid);
  found.width ??= widthIn(platform);
  return found.width;
};

const widthIn = (platform: Platform): number => {
  const leaf = leafOf(platform.cpuid, PHYSICAL_WIDTH_LEAF, 0);
  if (leaf && (leaf.eax & 0xff) !== 0) return leaf.eax & 0xff;
  return hasFeature(platform, 'pae') || hasFeature(platform, 'pse36') ? 36 : 32;
};
