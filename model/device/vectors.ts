/** 256 bits, one a vector, as eight dwords: IRR, ISR and TMR of a local APIC. */
export type Vectors = readonly number[];

export const NO_VECTORS: Vectors = new Array<number>(8).fill(0);

export const withVector = (v: Vectors, vector: number, set: boolean): Vectors =>
  v.map((dword, n) => {
    if (n !== vector >> 5) return dword;
    const bit = 1 << (vector & 31);
    return set ? dword | bit : dword & ~bit;
  });

/** The highest vector that is set; null when none is. */
export const highest = (v: Vectors): number | null => {
  for (let n = 7; n >= 0; n--) if (v[n] !== 0) return n * 32 + 31 - Math.clz32(v[n]);
  return null;
};

/** As 64 hex digits, vector 255 first. */
export const vectorsText = (v: Vectors): string =>
  [...v]
    .reverse()
    .map((dword) => (dword >>> 0).toString(16).padStart(8, '0'))
    .join('');
