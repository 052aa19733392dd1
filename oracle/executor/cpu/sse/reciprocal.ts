/** RCPPS, RSQRTPS: no exceptions. The result that is nearest, where silicon is a little off (spec/isa/x86/undefined.ts). */
import { fromBits32, toBits32 } from '../../fp/format.ts';
import { INDEFINITE, NAN, quiet } from '../../fp/number.ts';
import type { Cpu } from '../cpu.ts';
import type { Build, BuildTable } from '../table.ts';
import { LANES } from './lane.ts';
import { placed } from './vector.ts';

const AS_FLOAT = new Float32Array(1);
const AS_BITS = new Int32Array(AS_FLOAT.buffer);
const LEAST = 2 ** -126;

/** Denormal operands are zeros. */
const flushed = (x: number): number => (Math.abs(x) < LEAST ? x * 0 : x);
/** So are results, the least normal number among them. */
const nearest = (x: number): number => (Math.abs(x) <= LEAST ? x * 0 : Math.fround(x));

const estimate = (c: Cpu, at: number, f: (x: number) => number): number => {
  const bits = c.s[at];
  const x = fromBits32(bits);
  if (x.kind === NAN) return toBits32(quiet(x));
  const result = f(flushed(c.f32[at]));
  if (Number.isNaN(result)) return toBits32(INDEFINITE);
  AS_FLOAT[0] = nearest(result);
  return AS_BITS[0];
};

const each = (f: (x: number) => number, count: number): Build =>
  placed((c, o, b) => {
    for (let n = 0; n < count; n++) LANES[n] = estimate(c, b + n, f);
    for (let n = 0; n < count; n++) c.s[o.a + n] = LANES[n];
    return o.next;
  });

const reciprocal = (x: number): number => 1 / x;
const rootOf = (x: number): number => 1 / Math.sqrt(x);

export const RECIPROCALS: BuildTable = {
  rcpps: each(reciprocal, 4),
  rcpss: each(reciprocal, 1),
  rsqrtps: each(rootOf, 4),
  rsqrtss: each(rootOf, 1),
};
