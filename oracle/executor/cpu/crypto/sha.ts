/** SHA-1 and SHA-256 by parts: FIPS 180-4. In a vector the first word of four stands at the top. */
import { XMM } from '../layout.ts';
import { type Lanes, packed } from '../sse/vector.ts';
import type { BuildTable } from '../table.ts';

const left = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const right = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

type Mix = (b: number, c: number, d: number) => number;
const choose: Mix = (b, c, d) => (b & c) ^ (~b & d);
const parity: Mix = (b, c, d) => b ^ c ^ d;
const majority: Mix = (b, c, d) => (b & c) ^ (b & d) ^ (c & d);
/** Function and constant of each twenty rounds. */
const STAGES: readonly (readonly [Mix, number])[] = [
  [choose, 0x5a827999],
  [parity, 0x6ed9eba1],
  [majority, 0x8f1bbcdc],
  [parity, 0xca62c1d6],
];

/** Four rounds of SHA-1: A to D in the destination, message words in the source, E added to the first of them. */
const fourRounds: Lanes = ({ s }, at, source, _, o) => {
  const [mix, constant] = STAGES[o.imm & 3];
  let [a, b, c, d] = [s[at + 3], s[at + 2], s[at + 1], s[at]];
  let e = 0;
  for (let n = 0; n < 4; n++) {
    const next = (mix(b, c, d) + left(a, 5) + s[source + 3 - n] + e + constant) | 0;
    [a, b, c, d, e] = [next, a, left(b, 30), c, d];
  }
  [s[at + 3], s[at + 2], s[at + 1], s[at]] = [a, b, c, d];
};
const nextE: Lanes = ({ s }, at, source) => {
  const e = left(s[at + 3], 30);
  s[at] = s[source];
  s[at + 1] = s[source + 1];
  s[at + 2] = s[source + 2];
  s[at + 3] = s[source + 3] + e;
};
/** The message schedule of SHA-1: words 0 and 1 of the next four live in the source. */
const schedule1: Lanes = ({ s }, at, source) => {
  const [w0, w1, w2, w3, w4, w5] = [s[at + 3], s[at + 2], s[at + 1], s[at], s[source + 3], s[source + 2]];
  s[at + 3] = w2 ^ w0;
  s[at + 2] = w3 ^ w1;
  s[at + 1] = w4 ^ w2;
  s[at] = w5 ^ w3;
};
const schedule2: Lanes = ({ s }, at, source) => {
  const [w13, w14, w15] = [s[source + 2], s[source + 1], s[source]];
  const w16 = left(s[at + 3] ^ w13, 1);
  const w17 = left(s[at + 2] ^ w14, 1);
  const w18 = left(s[at + 1] ^ w15, 1);
  const w19 = left(s[at] ^ w16, 1);
  [s[at + 3], s[at + 2], s[at + 1], s[at]] = [w16, w17, w18, w19];
};

/** Two rounds of SHA-256: C D G H in the destination, A B E F in the source, words plus constants in XMM0. */
const twoRounds: Lanes = ({ s }, at, source) => {
  let [a, b, e, f] = [s[source + 3], s[source + 2], s[source + 1], s[source]];
  let [c, d, g, h] = [s[at + 3], s[at + 2], s[at + 1], s[at]];
  const words = [s[XMM], s[XMM + 1]];
  for (const word of words) {
    const first = (choose(e, f, g) + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + word + h) | 0;
    const second = (majority(a, b, c) + (right(a, 2) ^ right(a, 13) ^ right(a, 22))) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (first + d) | 0, e, f, g];
  }
  [s[at + 3], s[at + 2], s[at + 1], s[at]] = [a, b, e, f];
};
const sigma0 = (x: number): number => right(x, 7) ^ right(x, 18) ^ (x >>> 3);
const sigma1 = (x: number): number => right(x, 17) ^ right(x, 19) ^ (x >>> 10);
const schedule256first: Lanes = ({ s }, at, source) => {
  const words = [s[at], s[at + 1], s[at + 2], s[at + 3], s[source]];
  for (let n = 0; n < 4; n++) s[at + n] = words[n] + sigma0(words[n + 1]);
};
const schedule256second: Lanes = ({ s }, at, source) => {
  const w16 = (s[at] + sigma1(s[source + 2])) | 0;
  const w17 = (s[at + 1] + sigma1(s[source + 3])) | 0;
  const w18 = (s[at + 2] + sigma1(w16)) | 0;
  const w19 = (s[at + 3] + sigma1(w17)) | 0;
  [s[at], s[at + 1], s[at + 2], s[at + 3]] = [w16, w17, w18, w19];
};

export const SHA: BuildTable = {
  sha1rnds4: packed(fourRounds),
  sha1nexte: packed(nextE),
  sha1msg1: packed(schedule1),
  sha1msg2: packed(schedule2),
  sha256rnds2: packed(twoRounds),
  sha256msg1: packed(schedule256first),
  sha256msg2: packed(schedule256second),
};
