/** A processor's family, model and stepping out of CPUID's signature. Source: Intel SDM, CPUID; AMD APM. */

/** The extensions count for family 15, the model's for family 6 too. */
export const signatureOf = (eax: number): { readonly family: number; readonly model: number; readonly stepping: number } => {
  const [stepping, low, base] = [eax & 15, (eax >> 4) & 15, (eax >> 8) & 15];
  const family = base === 15 ? 15 + ((eax >> 20) & 0xff) : base;
  return { family, model: base === 15 || base === 6 ? (((eax >> 16) & 15) << 4) | low : low, stepping };
};
