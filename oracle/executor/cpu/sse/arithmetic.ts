/** ADD, SUB, MUL, DIV, SQRT, MIN, MAX of single and double precision, packed and scalar; horizontal and alternating sums. */
import { add, type Binary, divide, multiply, squareRoot, subtract } from '../../fp/arithmetic.ts';
import { choose, GREATER, LESS } from '../../fp/compare.ts';
import * as fast from '../../fp/fast.ts';
import type { Cpu } from '../cpu.ts';
import { MXCSR } from '../layout.ts';
import type { Build, BuildTable } from '../table.ts';
import { begin, conclude, deliver, type Element, element32, element64, NEAREST_QUIET, PE, QUIET } from './lane.ts';
import { placed } from './vector.ts';

/** In software: elements of the destination with those of the source. */
const inSoftware = (c: Cpu, element: Element, a: number, b: number, count: number): void => {
  begin(c);
  for (let n = 0; n < count; n++) element.compute(c, a + n * element.dwords, b + n * element.dwords, n);
  conclude(c);
  deliver(c, a, count * element.dwords);
};

/** Whether the fast functions may be asked, and what they would have to add. */
const isQuiet = (mxcsr: number): boolean => (mxcsr & NEAREST_QUIET) === QUIET;

const scalar64 = (quick: fast.Fast, element: Element): Build => {
  const { compute, exact } = quick;
  return placed((c, o, b) => {
    const mxcsr = c.s[MXCSR];
    if (isQuiet(mxcsr)) {
      const { f64 } = c;
      const x = f64[o.a >> 1];
      const y = f64[b >> 1];
      const r = compute(x, y);
      if (!Number.isNaN(r)) {
        if ((mxcsr & PE) === 0 && !exact(x, y, r)) c.s[MXCSR] = mxcsr | PE;
        f64[o.a >> 1] = r;
        return o.next;
      }
    }
    inSoftware(c, element, o.a, b, 1);
    return o.next;
  });
};
const scalar32 = (quick: fast.Fast, element: Element): Build => {
  const { compute, exact } = quick;
  return placed((c, o, b) => {
    const mxcsr = c.s[MXCSR];
    if (isQuiet(mxcsr)) {
      const { f32 } = c;
      const x = f32[o.a];
      const y = f32[b];
      const r = compute(x, y);
      if (!Number.isNaN(r)) {
        if ((mxcsr & PE) === 0 && !exact(x, y, r)) c.s[MXCSR] = mxcsr | PE;
        f32[o.a] = r;
        return o.next;
      }
    }
    inSoftware(c, element, o.a, b, 1);
    return o.next;
  });
};

const RESULTS = new Float64Array(4);

/** All elements or none by the fast functions. */
const quickly = (c: Cpu, quick: fast.Fast, view: Float32Array | Float64Array, a: number, b: number, count: number): boolean => {
  const mxcsr = c.s[MXCSR];
  if (!isQuiet(mxcsr)) return false;
  for (let n = 0; n < count; n++) {
    const r = quick.compute(view[a + n], view[b + n]);
    if (Number.isNaN(r)) return false;
    RESULTS[n] = r;
  }
  if ((mxcsr & PE) === 0)
    for (let n = 0; n < count; n++)
      if (!quick.exact(view[a + n], view[b + n], RESULTS[n])) {
        c.s[MXCSR] = mxcsr | PE;
        break;
      }
  for (let n = 0; n < count; n++) view[a + n] = RESULTS[n];
  return true;
};
const packed64 = (quick: fast.Fast, element: Element): Build =>
  placed((c, o, b) => {
    if (!quickly(c, quick, c.f64, o.a >> 1, b >> 1, 2)) inSoftware(c, element, o.a, b, 2);
    return o.next;
  });
const packed32 = (quick: fast.Fast, element: Element): Build =>
  placed((c, o, b) => {
    if (!quickly(c, quick, c.f32, o.a, b, 4)) inSoftware(c, element, o.a, b, 4);
    return o.next;
  });

/** The four forms of an operation. */
const forms = (name: string, operation: Binary, quick64: fast.Fast, quick32: fast.Fast): BuildTable => ({
  [`${name}ss`]: scalar32(quick32, element32(operation)),
  [`${name}sd`]: scalar64(quick64, element64(operation)),
  [`${name}ps`]: packed32(quick32, element32(operation)),
  [`${name}pd`]: packed64(quick64, element64(operation)),
});

/** MIN and MAX are rarely worth a fast path of their own beyond a comparison; equal and unordered give the source. */
const extreme =
  (wanted: number): Binary =>
  (env, _, a, b) =>
    choose(env, a, b, wanted) === 'first' ? a : b;
const EXTREME = {
  min: {
    compute: (x: number, y: number): number => (x < y ? x : y),
    exact: () => true,
  },
  max: {
    compute: (x: number, y: number): number => (x > y ? x : y),
    exact: () => true,
  },
};
const guarded = (quick: fast.Fast, plain: (x: number) => boolean): fast.Fast => ({
  compute: (x, y) => (plain(x) && plain(y) ? quick.compute(x, y) : Number.NaN),
  exact: quick.exact,
});
const extremes = (name: 'min' | 'max', wanted: number): BuildTable =>
  forms(name, extreme(wanted), guarded(EXTREME[name], fast.plain64), guarded(EXTREME[name], fast.plain32));

const root: Binary = (env, format, _, x) => squareRoot(env, format, x);

/** Pairs of places, two for each element of the result: neighbours of the destination, then of the source. */
const horizontal = (element: Element): Build =>
  placed((c, o, b) => {
    const { dwords } = element;
    const half = 2 / dwords;
    begin(c);
    for (let n = 0; n < 2 * half; n++) {
      const at = (n < half ? o.a : b) + (n % half) * 2 * dwords;
      element.compute(c, at, at + dwords, n);
    }
    conclude(c);
    deliver(c, o.a, 4);
    return o.next;
  });

/** Differences in even elements, sums in odd ones. */
const alternating = (even: Element, odd: Element): Build =>
  placed((c, o, b) => {
    const { dwords } = even;
    begin(c);
    for (let n = 0; n < 4 / dwords; n++) ((n & 1) === 0 ? even : odd).compute(c, o.a + n * dwords, b + n * dwords, n);
    conclude(c);
    deliver(c, o.a, 4);
    return o.next;
  });

export const ARITHMETIC: BuildTable = {
  ...forms('add', add, fast.ADD64, fast.ADD32),
  ...forms('sub', subtract, fast.SUB64, fast.SUB32),
  ...forms('mul', multiply, fast.MUL64, fast.MUL32),
  ...forms('div', divide, fast.DIV64, fast.DIV32),
  ...forms('sqrt', root, fast.SQRT64, fast.SQRT32),
  ...extremes('min', LESS),
  ...extremes('max', GREATER),
  haddps: horizontal(element32(add)),
  haddpd: horizontal(element64(add)),
  hsubps: horizontal(element32(subtract)),
  hsubpd: horizontal(element64(subtract)),
  addsubps: alternating(element32(subtract), element32(add)),
  addsubpd: alternating(element64(subtract), element64(add)),
};
