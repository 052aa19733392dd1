/** Elements that change their places: unpack, pack, shuffle, align, horizontal sums. MMX and SSE registers alike unless said. */

import { clampI8, clampI16, clampU8, clampU16 } from './element.ts';
import { type Lanes, spare } from './vector.ts';

/** Interleave the low (high) halves; `shift`: log2 of the element's size. */
const unpack =
  (size: 1 | 2 | 4 | 8, high: boolean): Lanes =>
  (c, a, b, bytes) => {
    const { s8 } = c;
    const second = (b === a ? spare(c, b) : b) << 2;
    const first = a << 2;
    const half = bytes >> 1;
    const from = high ? half : 0;
    const made = UNPACKED;
    for (let n = 0; n < half; n += size)
      for (let k = 0; k < size; k++) {
        made[2 * n + k] = s8[first + from + n + k];
        made[2 * n + size + k] = s8[second + from + n + k];
      }
    for (let n = 0; n < bytes; n++) s8[first + n] = made[n];
  };
const UNPACKED = new Uint8Array(16);

/** Two vectors of words to one of bytes. */
const packBytes =
  (clamp: (x: number) => number): Lanes =>
  (c, a, b, bytes) => {
    const { i16, s8 } = c;
    const half = bytes >> 1;
    for (let n = 0; n < half; n++) {
      UNPACKED[n] = clamp(i16[(a << 1) + n]);
      UNPACKED[half + n] = clamp(i16[(b << 1) + n]);
    }
    for (let n = 0; n < bytes; n++) s8[(a << 2) + n] = UNPACKED[n];
  };
const WORDS = new Int16Array(8);
const packWords =
  (clamp: (x: number) => number): Lanes =>
  (c, a, b, bytes) => {
    const half = bytes >> 2;
    for (let n = 0; n < half; n++) {
      WORDS[n] = clamp(c.s[a + n]);
      WORDS[half + n] = clamp(c.s[b + n]);
    }
    for (let n = 0; n < 2 * half; n++) c.i16[(a << 1) + n] = WORDS[n];
  };

/** Neighbours combined: of the destination below, of the source above. */
const neighbourWords =
  (f: (x: number, y: number) => number): Lanes =>
  (c, a, b, bytes) => {
    const { i16 } = c;
    const half = bytes >> 2;
    for (let n = 0; n < half; n++) {
      WORDS[n] = f(i16[(a << 1) + 2 * n], i16[(a << 1) + 2 * n + 1]);
      WORDS[half + n] = f(i16[(b << 1) + 2 * n], i16[(b << 1) + 2 * n + 1]);
    }
    for (let n = 0; n < 2 * half; n++) i16[(a << 1) + n] = WORDS[n];
  };
const DWORDS = new Int32Array(4);
const neighbourDwords =
  (f: (x: number, y: number) => number): Lanes =>
  ({ s }, a, b, bytes) => {
    const half = bytes >> 3;
    for (let n = 0; n < half; n++) {
      DWORDS[n] = f(s[a + 2 * n], s[a + 2 * n + 1]);
      DWORDS[half + n] = f(s[b + 2 * n], s[b + 2 * n + 1]);
    }
    for (let n = 0; n < 2 * half; n++) s[a + n] = DWORDS[n];
  };

const shuffleBytes: Lanes = ({ s8 }, a, b, bytes) => {
  for (let n = 0; n < bytes; n++) {
    const by = s8[(b << 2) + n];
    UNPACKED[n] = by > 127 ? 0 : s8[(a << 2) + (by & (bytes - 1))];
  }
  for (let n = 0; n < bytes; n++) s8[(a << 2) + n] = UNPACKED[n];
};

const align: Lanes = ({ s8 }, a, b, bytes, o) => {
  const by = o.imm & 255;
  for (let n = 0; n < bytes; n++) {
    const from = n + by;
    UNPACKED[n] = from < bytes ? s8[(b << 2) + from] : from < 2 * bytes ? s8[(a << 2) + from - bytes] : 0;
  }
  for (let n = 0; n < bytes; n++) s8[(a << 2) + n] = UNPACKED[n];
};

const multiplyAddWords: Lanes = ({ i16, s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) {
    const [x, y] = [(a << 1) + 2 * n, (b << 1) + 2 * n];
    s[a + n] = i16[x] * i16[y] + i16[x + 1] * i16[y + 1];
  }
};
const multiplyAddBytes: Lanes = ({ s8, i8, i16 }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 1; n++) {
    const [x, y] = [(a << 2) + 2 * n, (b << 2) + 2 * n];
    i16[(a << 1) + n] = clampI16(s8[x] * i8[y] + s8[x + 1] * i8[y + 1]);
  }
};
/** Distances of eight bytes summed. */
const distances: Lanes = ({ s8, s }, a, b, bytes) => {
  for (let part = 0; part < bytes; part += 8) {
    let sum = 0;
    for (let n = part; n < part + 8; n++) sum += Math.abs(s8[(a << 2) + n] - s8[(b << 2) + n]);
    s[a + (part >> 2)] = sum;
    s[a + (part >> 2) + 1] = 0;
  }
};

/** Words by two bits each of the immediate, from four of them at `from`. */
const shuffleWords = (i16: Int16Array, to: number, from: number, control: number): void => {
  for (let n = 0; n < 4; n++) WORDS[n] = i16[from + ((control >> (2 * n)) & 3)];
  for (let n = 0; n < 4; n++) i16[to + n] = WORDS[n];
};

/** MMX and SSE registers alike, by mnemonic. */
export const REARRANGED: Readonly<Record<string, Lanes>> = {
  punpcklbw: unpack(1, false),
  punpcklwd: unpack(2, false),
  punpckldq: unpack(4, false),
  punpckhbw: unpack(1, true),
  punpckhwd: unpack(2, true),
  punpckhdq: unpack(4, true),
  packsswb: packBytes(clampI8),
  packuswb: packBytes(clampU8),
  packssdw: packWords(clampI16),
  pmaddwd: multiplyAddWords,
  pmaddubsw: multiplyAddBytes,
  psadbw: distances,
  pshufb: shuffleBytes,
  palignr: align,
  phaddw: neighbourWords((x, y) => x + y),
  phsubw: neighbourWords((x, y) => x - y),
  phaddsw: neighbourWords((x, y) => clampI16(x + y)),
  phsubsw: neighbourWords((x, y) => clampI16(x - y)),
  phaddd: neighbourDwords((x, y) => x + y),
  phsubd: neighbourDwords((x, y) => x - y),
};

/** MMX registers alone. */
export const pshufw: Lanes = ({ i16 }, a, b, _, o) => shuffleWords(i16, a << 1, b << 1, o.imm);

/** Dwords 0 and 1 from the destination, 2 and 3 from the source. */
const shufps: Lanes = ({ s }, a, b, _, { imm }) => {
  const [w, x] = [s[a + (imm & 3)], s[a + ((imm >> 2) & 3)]];
  const [y, z] = [s[b + ((imm >> 4) & 3)], s[b + ((imm >> 6) & 3)]];
  s[a] = w;
  s[a + 1] = x;
  s[a + 2] = y;
  s[a + 3] = z;
};
const pshufd: Lanes = ({ s }, a, b, _, { imm }) => {
  const [w, x] = [s[b + (imm & 3)], s[b + ((imm >> 2) & 3)]];
  const [y, z] = [s[b + ((imm >> 4) & 3)], s[b + ((imm >> 6) & 3)]];
  s[a] = w;
  s[a + 1] = x;
  s[a + 2] = y;
  s[a + 3] = z;
};
const quadwords =
  (first: (imm: number) => number, second: (imm: number) => number): Lanes =>
  (c, a, b, _, { imm }) => {
    const { u64 } = c;
    const low = u64[(a >> 1) + first(imm)];
    u64[(a >> 1) + 1] = u64[(b >> 1) + second(imm)];
    u64[a >> 1] = low;
  };
const unpackLowQuads = quadwords(
  () => 0,
  () => 0,
);
const unpackHighQuads = quadwords(
  () => 1,
  () => 1,
);
const copyLow = (s: Int32Array, to: number, from: number): void => {
  s[to] = s[from];
  s[to + 1] = s[from + 1];
};

/** SSE registers alone. */
export const WIDE_REARRANGED: Readonly<Record<string, Lanes>> = {
  unpcklps: unpack(4, false),
  unpckhps: unpack(4, true),
  unpcklpd: unpackLowQuads,
  unpckhpd: unpackHighQuads,
  punpcklqdq: unpackLowQuads,
  punpckhqdq: unpackHighQuads,
  packusdw: packWords(clampU16),
  pshufd,
  pshuflw: ({ s, i16 }, a, b, _, o) => {
    const [z, w] = [s[b + 2], s[b + 3]];
    shuffleWords(i16, a << 1, b << 1, o.imm);
    s[a + 2] = z;
    s[a + 3] = w;
  },
  pshufhw: ({ s, i16 }, a, b, _, o) => {
    copyLow(s, a, b);
    shuffleWords(i16, (a << 1) + 4, (b << 1) + 4, o.imm);
  },
  shufps,
  shufpd: quadwords(
    (imm) => imm & 1,
    (imm) => (imm >> 1) & 1,
  ),
  movsldup: ({ s }, a, b) => {
    const [x, z] = [s[b], s[b + 2]];
    s[a] = s[a + 1] = x;
    s[a + 2] = s[a + 3] = z;
  },
  movshdup: ({ s }, a, b) => {
    const [y, w] = [s[b + 1], s[b + 3]];
    s[a] = s[a + 1] = y;
    s[a + 2] = s[a + 3] = w;
  },
  movddup: ({ u64 }, a, b) => {
    const low = u64[b >> 1];
    u64[a >> 1] = low;
    u64[(a >> 1) + 1] = low;
  },
};

/** A vector's bytes moved towards the top (PSLLDQ) or the bottom, zeros behind them. */
export const shiftBytes =
  (left: boolean): Lanes =>
  (c, a, _, __, o) => {
    const { s8 } = c;
    const by = Math.min(o.imm & 255, 16);
    const from = spare(c, a) << 2;
    for (let n = 0; n < 16; n++) {
      const k = left ? n - by : n + by;
      s8[(a << 2) + n] = k >= 0 && k < 16 ? s8[from + k] : 0;
    }
  };
