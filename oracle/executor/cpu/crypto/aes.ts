/** AES-NI: single rounds of FIPS 197 on a state of four columns, the first in the low dword. */
import type { Cpu } from '../cpu.ts';
import { type Lanes, packed } from '../sse/vector.ts';
import type { BuildTable } from '../table.ts';

/** Product in the field of 256 elements, modulo x^8 + x^4 + x^3 + x + 1. */
const times = (x: number, y: number): number => {
  let product = 0;
  for (let a = x, b = y; b !== 0; b >>= 1) {
    if ((b & 1) !== 0) product ^= a;
    a = (a << 1) ^ ((a & 0x80) !== 0 ? 0x11b : 0);
  }
  return product;
};

/** The substitution: the inverse in the field, then an affine map; and the way back. */
const SUBSTITUTE = new Uint8Array(256);
const RESTORE = new Uint8Array(256);
const makeTables = (): void => {
  for (let x = 0; x < 256; x++) {
    let inverse = x;
    // x^254 is the inverse of x, and 0 that of 0.
    for (let n = 0; n < 6; n++) inverse = times(times(inverse, inverse), x);
    inverse = times(inverse, inverse);
    const doubled = inverse | (inverse << 8);
    const image = (inverse ^ (doubled >> 7) ^ (doubled >> 6) ^ (doubled >> 5) ^ (doubled >> 4) ^ 0x63) & 0xff;
    SUBSTITUTE[x] = image;
    RESTORE[image] = x;
  }
};
makeTables();

/** A column multiplied by the circulant matrix whose first row is given. */
const mixTable = (row: readonly [number, number, number, number]): readonly Int32Array[] =>
  [0, 1, 2, 3].map((position) =>
    Int32Array.from({ length: 256 }, (_, x) => {
      let column = 0;
      for (let n = 0; n < 4; n++) column |= times(x, row[(position - n + 4) & 3]) << (8 * n);
      return column;
    }),
  );
const MIX = mixTable([2, 3, 1, 1]);
const UNMIX = mixTable([14, 11, 13, 9]);

const mixed = (tables: readonly Int32Array[], column: number): number =>
  tables[0][column & 255] ^ tables[1][(column >>> 8) & 255] ^ tables[2][(column >>> 16) & 255] ^ tables[3][column >>> 24];

const COLUMNS = new Int32Array(4);
const BYTES = new Uint8Array(COLUMNS.buffer);

/** Substitute and shift rows: `step` 1 to the left, 3 (which is back) to the right. */
const substituted = (c: Cpu, a: number, box: Uint8Array, step: 1 | 3): void => {
  for (let n = 0; n < 16; n++) {
    const row = n & 3;
    BYTES[n] = box[c.s8[(a << 2) + ((((n >> 2) + step * row) & 3) << 2) + row]];
  }
};

/** `mix`: null in the last round. */
const round =
  (box: Uint8Array, step: 1 | 3, mix: readonly Int32Array[] | null): Lanes =>
  (c, a, b) => {
    substituted(c, a, box, step);
    for (let n = 0; n < 4; n++) {
      const column = COLUMNS[n];
      COLUMNS[n] = (mix === null ? column : mixed(mix, column)) ^ c.s[b + n];
    }
    for (let n = 0; n < 4; n++) c.s[a + n] = COLUMNS[n];
  };

const substituteWord = (x: number): number =>
  SUBSTITUTE[x & 255] | (SUBSTITUTE[(x >>> 8) & 255] << 8) | (SUBSTITUTE[(x >>> 16) & 255] << 16) | (SUBSTITUTE[x >>> 24] << 24);
const rotate = (x: number): number => (x >>> 8) | (x << 24);

/** Columns 1 and 3 substituted, each as it is and rotated with the round constant. */
const assist: Lanes = ({ s }, a, b, _, o) => {
  const first = substituteWord(s[b + 1]);
  const third = substituteWord(s[b + 3]);
  const constant = o.imm & 255;
  s[a] = first;
  s[a + 1] = rotate(first) ^ constant;
  s[a + 2] = third;
  s[a + 3] = rotate(third) ^ constant;
};

export const AES: BuildTable = {
  aesenc: packed(round(SUBSTITUTE, 1, MIX)),
  aesenclast: packed(round(SUBSTITUTE, 1, null)),
  aesdec: packed(round(RESTORE, 3, UNMIX)),
  aesdeclast: packed(round(RESTORE, 3, null)),
  aesimc: packed(({ s }, a, b) => {
    for (let n = 0; n < 4; n++) s[a + n] = mixed(UNMIX, s[b + n]);
  }),
  aeskeygenassist: packed(assist),
};
