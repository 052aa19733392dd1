/** Shifts of all elements by one count, which is the low 64 bits of a vector, or an immediate byte. MMX and SSE alike. */
import type { Cpu } from '../cpu.ts';
import type { Lanes } from './vector.ts';

/** Shift every element of `bytes` at `a`. */
type Shift = (c: Cpu, a: number, count: number, bytes: number) => void;

const words =
  (f: (x: number, count: number) => number, most: number): Shift =>
  ({ i16 }, a, count, bytes) => {
    const by = Math.min(count, most);
    for (let n = a << 1; n < (a << 1) + (bytes >> 1); n++) i16[n] = f(i16[n], by);
  };
/** JavaScript takes counts modulo 32, so 32 is two shifts. */
const dwords =
  (f: (x: number, count: number) => number): Shift =>
  ({ s }, a, count, bytes) => {
    const by = Math.min(count, 32);
    const half = by >> 1;
    for (let n = a; n < a + (bytes >> 2); n++) s[n] = f(f(s[n], half), by - half);
  };
const quads =
  (left: boolean): Shift =>
  ({ u64 }, a, count, bytes) => {
    const by = BigInt(Math.min(count, 64));
    for (let n = a >> 1; n < (a + (bytes >> 2)) >> 1; n++) u64[n] = left ? u64[n] << by : u64[n] >> by;
  };

const SHIFTS: Readonly<Record<string, Shift>> = {
  psllw: words((x, by) => x << by, 16),
  psrlw: words((x, by) => (x & 0xffff) >>> by, 16),
  psraw: words((x, by) => x >> by, 15),
  pslld: dwords((x, by) => x << by),
  psrld: dwords((x, by) => x >>> by),
  psrad: ({ s }, a, count, bytes) => {
    const by = Math.min(count, 31);
    for (let n = a; n < a + (bytes >> 2); n++) s[n] >>= by;
  },
  psllq: quads(true),
  psrlq: quads(false),
};

export const SHIFT_NAMES: readonly string[] = Object.keys(SHIFTS);

/** By a vector's low 64 bits. */
export const byVector = (name: string): Lanes => {
  const shift = SHIFTS[name];
  return (c, a, b, bytes) => shift(c, a, c.s[b + 1] !== 0 ? 255 : Math.min(c.u32[b], 255), bytes);
};

/** By the immediate. */
export const byImmediate = (name: string): Lanes => {
  const shift = SHIFTS[name];
  return (c, a, _, bytes, o) => shift(c, a, o.imm & 255, bytes);
};
