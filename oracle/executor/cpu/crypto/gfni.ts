/** GFNI: products of bytes in the field of 256 elements (modulo x^8 + x^4 + x^3 + x + 1), and affine maps over bits. */
import { type Lanes, packed } from '../sse/vector.ts';
import type { BuildTable } from '../table.ts';

/** Powers of the generator x + 1, twice over so that two exponents may be added, and the exponent of each byte. */
const POWERS = new Uint8Array(510);
const EXPONENTS = new Uint8Array(256);
for (let n = 0, power = 1; n < 255; n++) {
  POWERS[n] = power;
  POWERS[n + 255] = power;
  EXPONENTS[power] = n;
  power ^= (power << 1) ^ ((power & 0x80) !== 0 ? 0x11b : 0);
}
const product = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : POWERS[EXPONENTS[x] + EXPONENTS[y]]);
const reciprocal = (x: number): number => (x === 0 ? 0 : POWERS[255 - EXPONENTS[x]]);

const multiply: Lanes = ({ s8 }, a, b) => {
  for (let n = 0; n < 16; n++) s8[(a << 2) + n] = product(s8[(a << 2) + n], s8[(b << 2) + n]);
};

/** 1 for an odd number of set bits: a byte folds into the bits of one constant. */
const odd = (byte: number): number => (0x6996 >> ((byte ^ (byte >> 4)) & 15)) & 1;

const MATRICES = new Uint8Array(16);
/** The matrix is kept aside, for it may lie where the result goes. */
const affine =
  (first: (x: number) => number): Lanes =>
  ({ s8 }, a, b, _, o) => {
    for (let n = 0; n < 16; n++) MATRICES[n] = s8[(b << 2) + n];
    for (let n = 0; n < 16; n++) {
      const x = first(s8[(a << 2) + n]);
      let y = o.imm & 255;
      for (let bit = 0; bit < 8; bit++) y ^= odd(MATRICES[(n & 8) + 7 - bit] & x) << bit;
      s8[(a << 2) + n] = y;
    }
  };

export const GFNI: BuildTable = {
  gf2p8mulb: packed(multiply),
  gf2p8affineqb: packed(affine((x) => x)),
  gf2p8affineinvqb: packed(affine(reciprocal)),
};
