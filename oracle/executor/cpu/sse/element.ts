/** Operations on vectors element by element. */
import type { Cpu } from '../cpu.ts';
import type { Lanes } from './vector.ts';

type Pair = (x: number, y: number) => number;

/** Loops over the elements of one type. A typed array wraps what does not fit. */
const bytesOf =
  (pick: (c: Cpu) => Int8Array | Uint8Array, f: Pair): Lanes =>
  (c, a, b, bytes) => {
    const v = pick(c);
    const [to, from] = [a << 2, b << 2];
    for (let n = 0; n < bytes; n++) v[to + n] = f(v[to + n], v[from + n]);
  };
const wordsOf =
  (pick: (c: Cpu) => Int16Array | Uint16Array, f: Pair): Lanes =>
  (c, a, b, bytes) => {
    const v = pick(c);
    const [to, from] = [a << 1, b << 1];
    for (let n = 0; n < bytes >> 1; n++) v[to + n] = f(v[to + n], v[from + n]);
  };
const dwordsOf =
  (pick: (c: Cpu) => Int32Array | Uint32Array, f: Pair): Lanes =>
  (c, a, b, bytes) => {
    const v = pick(c);
    for (let n = 0; n < bytes >> 2; n++) v[a + n] = f(v[a + n], v[b + n]);
  };
export const i8 = (f: Pair): Lanes => bytesOf((c) => c.i8, f);
export const u8 = (f: Pair): Lanes => bytesOf((c) => c.s8, f);
export const i16 = (f: Pair): Lanes => wordsOf((c) => c.i16, f);
export const u16 = (f: Pair): Lanes => wordsOf((c) => c.s16, f);
export const i32 = (f: Pair): Lanes => dwordsOf((c) => c.s, f);
export const u32 = (f: Pair): Lanes => dwordsOf((c) => c.u32, f);

export const clampI8 = (x: number): number => (x < -128 ? -128 : x > 127 ? 127 : x);
export const clampU8 = (x: number): number => (x < 0 ? 0 : x > 255 ? 255 : x);
export const clampI16 = (x: number): number => (x < -32768 ? -32768 : x > 32767 ? 32767 : x);
export const clampU16 = (x: number): number => (x < 0 ? 0 : x > 65535 ? 65535 : x);

const product16 = (x: number, y: number): number => Math.imul(x, y);
const unsignedProduct16 = (x: number, y: number): number => Math.imul(x, y) >>> 16;

/** The sum or difference of 64 bits. */
const sum64: Lanes = (c, a, b, bytes) => {
  const { u32: v } = c;
  for (let n = 0; n < bytes >> 2; n += 2) {
    const low = v[a + n] + v[b + n];
    v[a + n + 1] = v[a + n + 1] + v[b + n + 1] + (low > 0xffffffff ? 1 : 0);
    v[a + n] = low;
  }
};
const difference64: Lanes = (c, a, b, bytes) => {
  const { u32: v } = c;
  for (let n = 0; n < bytes >> 2; n += 2) {
    const low = v[a + n] - v[b + n];
    v[a + n + 1] = v[a + n + 1] - v[b + n + 1] - (low < 0 ? 1 : 0);
    v[a + n] = low;
  }
};
const and: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] &= s[b + n];
};
const andNot: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] = ~s[a + n] & s[b + n];
};
const or: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] |= s[b + n];
};
const xor: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] ^= s[b + n];
};
const equalBytes: Lanes = ({ s8 }, a, b, bytes) => {
  const [to, from] = [a << 2, b << 2];
  for (let n = 0; n < bytes; n++) s8[to + n] = s8[to + n] === s8[from + n] ? 255 : 0;
};
const sumBytes: Lanes = ({ s8 }, a, b, bytes) => {
  const [to, from] = [a << 2, b << 2];
  for (let n = 0; n < bytes; n++) s8[to + n] += s8[from + n];
};
const sumDwords: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] += s[b + n];
};
const differenceDwords: Lanes = ({ s }, a, b, bytes) => {
  for (let n = 0; n < bytes >> 2; n++) s[a + n] -= s[b + n];
};

/** Low dwords of each 64 bits multiplied. */
const product64: Lanes = (c, a, b, bytes) => {
  for (let n = 0; n < bytes >> 3; n++) c.u64[(a >> 1) + n] = BigInt(c.u32[a + 2 * n]) * BigInt(c.u32[b + 2 * n]);
};
const signedProduct64: Lanes = (c, a, b, bytes) => {
  for (let n = 0; n < bytes >> 3; n++) c.u64[(a >> 1) + n] = BigInt.asUintN(64, BigInt(c.s[a + 2 * n]) * BigInt(c.s[b + 2 * n]));
};

/** Elements of MMX and SSE registers alike, by mnemonic. */
export const ELEMENTS: Readonly<Record<string, Lanes>> = {
  paddb: sumBytes,
  paddw: i16((x, y) => x + y),
  paddd: sumDwords,
  paddq: sum64,
  psubb: u8((x, y) => x - y),
  psubw: i16((x, y) => x - y),
  psubd: differenceDwords,
  psubq: difference64,
  paddsb: i8((x, y) => clampI8(x + y)),
  paddsw: i16((x, y) => clampI16(x + y)),
  paddusb: u8((x, y) => clampU8(x + y)),
  paddusw: u16((x, y) => clampU16(x + y)),
  psubsb: i8((x, y) => clampI8(x - y)),
  psubsw: i16((x, y) => clampI16(x - y)),
  psubusb: u8((x, y) => clampU8(x - y)),
  psubusw: u16((x, y) => clampU16(x - y)),
  pmullw: i16(product16),
  pmulhw: i16((x, y) => product16(x, y) >> 16),
  pmulhuw: u16(unsignedProduct16),
  pmulhrsw: i16((x, y) => ((product16(x, y) >> 14) + 1) >> 1),
  pmuludq: product64,
  pcmpeqb: equalBytes,
  pcmpeqw: i16((x, y) => (x === y ? -1 : 0)),
  pcmpeqd: i32((x, y) => (x === y ? -1 : 0)),
  pcmpgtb: i8((x, y) => (x > y ? -1 : 0)),
  pcmpgtw: i16((x, y) => (x > y ? -1 : 0)),
  pcmpgtd: i32((x, y) => (x > y ? -1 : 0)),
  pand: and,
  pandn: andNot,
  por: or,
  pxor: xor,
  pminub: u8(Math.min),
  pmaxub: u8(Math.max),
  pminsw: i16(Math.min),
  pmaxsw: i16(Math.max),
  pavgb: u8((x, y) => (x + y + 1) >> 1),
  pavgw: u16((x, y) => (x + y + 1) >> 1),
  psignb: i8((x, y) => (y < 0 ? -x : y === 0 ? 0 : x)),
  psignw: i16((x, y) => (y < 0 ? -x : y === 0 ? 0 : x)),
  psignd: i32((x, y) => (y < 0 ? -x : y === 0 ? 0 : x)),
  pabsb: i8((_, y) => Math.abs(y)),
  pabsw: i16((_, y) => Math.abs(y)),
  pabsd: i32((_, y) => Math.abs(y)),
};

/** Elements of SSE registers alone. */
export const WIDE_ELEMENTS: Readonly<Record<string, Lanes>> = {
  andps: and,
  andpd: and,
  andnps: andNot,
  andnpd: andNot,
  orps: or,
  orpd: or,
  xorps: xor,
  xorpd: xor,
  pminsb: i8(Math.min),
  pmaxsb: i8(Math.max),
  pminuw: u16(Math.min),
  pmaxuw: u16(Math.max),
  pminsd: i32(Math.min),
  pmaxsd: i32(Math.max),
  pminud: u32(Math.min),
  pmaxud: u32(Math.max),
  pmulld: i32(Math.imul),
  pmuldq: signedProduct64,
  pcmpeqq: (c, a, b) => {
    const { u64 } = c;
    for (let n = 0; n < 2; n++) u64[(a >> 1) + n] = u64[(a >> 1) + n] === u64[(b >> 1) + n] ? 0xffffffffffffffffn : 0n;
  },
  pcmpgtq: (c, a, b) => {
    const { u64 } = c;
    for (let n = 0; n < 2; n++) {
      const greater = BigInt.asIntN(64, u64[(a >> 1) + n]) > BigInt.asIntN(64, u64[(b >> 1) + n]);
      u64[(a >> 1) + n] = greater ? 0xffffffffffffffffn : 0n;
    }
  },
};
