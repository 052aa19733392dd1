/** SHA-1 and SHA-256 instructions, after FIPS 180-4. Elements of a register are named from its highest, as the manual does. */
import { finishXmm, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import type { Rules, Semantics } from '../../running.ts';
import { xmmDwords, xmmFromDwords } from '../mmx/bytes.ts';
import { xmmImmediateRule, xmmRule } from '../mmx/lanes.ts';

type Four = readonly [number, number, number, number];

/** Four dwords from the highest down, and back. */
const four = (value: Xmm): Four => {
  const [a, b, c, d] = xmmDwords(value);
  return [d, c, b, a];
};
const register = ([a, b, c, d]: readonly number[]): Xmm => xmmFromDwords([d, c, b, a]);

const rotatedLeft = (n: number, by: number): number => (n << by) | (n >>> (32 - by));
const rotatedRight = (n: number, by: number): number => rotatedLeft(n, 32 - by);

const choose = (b: number, c: number, d: number): number => (b & c) ^ (~b & d);
const parity = (b: number, c: number, d: number): number => b ^ c ^ d;
const majority = (b: number, c: number, d: number): number => (b & c) ^ (b & d) ^ (c & d);

const SHA1: readonly (readonly [(b: number, c: number, d: number) => number, number])[] = [
  [choose, 0x5a827999],
  [parity, 0x6ed9eba1],
  [majority, 0x8f1bbcdc],
  [parity, 0xca62c1d6],
];

/** SHA1RNDS4: four rounds; E is already in the first of the message dwords. */
const sha1Rounds = (state: Xmm, message: Xmm, which: number): Xmm => {
  const [f, constant] = SHA1[which & 3];
  let [a, b, c, d] = four(state);
  let e = 0;
  for (const w of four(message)) [a, b, c, d, e] = [(f(b, c, d) + rotatedLeft(a, 5) + w + e + constant) | 0, a, rotatedLeft(b, 30), c, d];
  return register([a, b, c, d]);
};

const sha1NextE = (state: Xmm, message: Xmm): Xmm => {
  const [first, ...rest] = four(message);
  return register([(first + rotatedLeft(four(state)[0], 30)) | 0, ...rest]);
};

const sha1Message1 = (a: Xmm, b: Xmm): Xmm => {
  const [w0, w1, w2, w3] = four(a);
  const [w4, w5] = four(b);
  return register([w2 ^ w0, w3 ^ w1, w4 ^ w2, w5 ^ w3]);
};

const sha1Message2 = (a: Xmm, b: Xmm): Xmm => {
  const [x0, x1, x2, x3] = four(a);
  const [, w13, w14, w15] = four(b);
  const w16 = rotatedLeft(x0 ^ w13, 1);
  return register([w16, rotatedLeft(x1 ^ w14, 1), rotatedLeft(x2 ^ w15, 1), rotatedLeft(x3 ^ w16, 1)]);
};

const sum0 = (n: number): number => rotatedRight(n, 2) ^ rotatedRight(n, 13) ^ rotatedRight(n, 22);
const sum1 = (n: number): number => rotatedRight(n, 6) ^ rotatedRight(n, 11) ^ rotatedRight(n, 25);
const sigma0 = (n: number): number => rotatedRight(n, 7) ^ rotatedRight(n, 18) ^ (n >>> 3);
const sigma1 = (n: number): number => rotatedRight(n, 17) ^ rotatedRight(n, 19) ^ (n >>> 10);

/** SHA256RNDS2: two rounds; DEST holds C D G H, SRC A B E F, XMM0 the messages with their constants. */
const sha256RoundsRule: Semantics = (s, i) => {
  let [c, d, g, h] = four(s.fpu.xmm[i.dst.index]);
  let [a, b, e, f] = four(readXmm(s, i, i.src));
  const [first, second] = xmmDwords(s.fpu.xmm[0]);
  for (const wk of [first, second]) {
    const t = choose(e, f, g) + sum1(e) + wk + h;
    [a, b, c, d, e, f, g, h] = [(t + majority(a, b, c) + sum0(a)) | 0, a, b, c, (t + d) | 0, e, f, g];
  }
  return finishXmm(s, i, i.dst.index, register([a, b, e, f]));
};

const sha256Message1 = (a: Xmm, b: Xmm): Xmm => {
  const [w0, w1, w2, w3] = xmmDwords(a);
  const [w4] = xmmDwords(b);
  return xmmFromDwords([w0 + sigma0(w1), w1 + sigma0(w2), w2 + sigma0(w3), w3 + sigma0(w4)]);
};

const sha256Message2 = (a: Xmm, b: Xmm): Xmm => {
  const [x0, x1, x2, x3] = xmmDwords(a);
  const [, , w14, w15] = xmmDwords(b);
  const w16 = (x0 + sigma1(w14)) | 0;
  const w17 = (x1 + sigma1(w15)) | 0;
  return xmmFromDwords([w16, w17, x2 + sigma1(w16), x3 + sigma1(w17)]);
};

export const SHA_RULES: Rules = {
  sha1rnds4: xmmImmediateRule(sha1Rounds),
  sha1nexte: xmmRule(sha1NextE),
  sha1msg1: xmmRule(sha1Message1),
  sha1msg2: xmmRule(sha1Message2),
  sha256rnds2: sha256RoundsRule,
  sha256msg1: xmmRule(sha256Message1),
  sha256msg2: xmmRule(sha256Message2),
};
