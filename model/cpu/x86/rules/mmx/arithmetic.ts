/** Packed addition, subtraction, averages, absolute values and signs, minimum and maximum. */
import { add, sub } from '../../../../word/word.ts';
import type { Rules } from '../../running.ts';
import { bytes, dwords, lanewise, type OnWords, unsignedBytes, unsignedDwords, unsignedWords, words } from './lanes.ts';

type OnElements = (a: number, b: number) => number;

const plus: OnElements = (a, b) => a + b;
const minus: OnElements = (a, b) => a - b;
const least: OnElements = (a, b) => (a < b ? a : b);
const most: OnElements = (a, b) => (a > b ? a : b);
const average: OnElements = (a, b) => (a + b + 1) >> 1;

/** Results beyond the range become its end. */
export const saturated = (n: number, low: number, high: number): number => (n < low ? low : n > high ? high : n);
const within =
  (f: OnElements, low: number, high: number): OnElements =>
  (a, b) =>
    saturated(f(a, b), low, high);

/** PSIGN: the first operand with its sign changed, or cleared, as the second's sign says. */
const signed: OnElements = (a, b) => (b < 0 ? -a : b === 0 ? 0 : a);
const absolute: OnElements = (_, b) => (b < 0 ? -b : b);

const FUNCTIONS: Readonly<Record<string, OnWords>> = {
  paddb: bytes(plus),
  paddw: words(plus),
  paddd: dwords(plus),
  paddq: (a, b) => add(a, b),
  psubb: bytes(minus),
  psubw: words(minus),
  psubd: dwords(minus),
  psubq: (a, b) => sub(a, b),
  paddsb: bytes(within(plus, -0x80, 0x7f)),
  paddsw: words(within(plus, -0x8000, 0x7fff)),
  psubsb: bytes(within(minus, -0x80, 0x7f)),
  psubsw: words(within(minus, -0x8000, 0x7fff)),
  paddusb: unsignedBytes(within(plus, 0, 0xff)),
  paddusw: unsignedWords(within(plus, 0, 0xffff)),
  psubusb: unsignedBytes(within(minus, 0, 0xff)),
  psubusw: unsignedWords(within(minus, 0, 0xffff)),
  pavgb: unsignedBytes(average),
  pavgw: unsignedWords(average),
  pabsb: bytes(absolute),
  pabsw: words(absolute),
  pabsd: dwords(absolute),
  psignb: bytes(signed),
  psignw: words(signed),
  psignd: dwords(signed),
  pminub: unsignedBytes(least),
  pminsw: words(least),
  pminsb: bytes(least),
  pminsd: dwords(least),
  pminuw: unsignedWords(least),
  pminud: unsignedDwords(least),
  pmaxub: unsignedBytes(most),
  pmaxsw: words(most),
  pmaxsb: bytes(most),
  pmaxsd: dwords(most),
  pmaxuw: unsignedWords(most),
  pmaxud: unsignedDwords(most),
};

export const PACKED_ARITHMETIC_RULES: Rules = Object.fromEntries(Object.entries(FUNCTIONS).map(([name, f]) => [name, lanewise(f)]));
