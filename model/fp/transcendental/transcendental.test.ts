import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliver } from '../deliver.ts';
import { ALL_EXCEPTIONS, NEAREST } from '../exception.ts';
import { BINARY64, unpack } from '../format.ts';
import type { Finite, Nan, Numeric } from '../value.ts';
import { arctangent } from './arctangent.ts';
import { ln2, pi } from './constants.ts';
import { exponentialMinus1 } from './exponential.ts';
import { yLog2x, yLog2xPlus1 } from './logarithm.ts';
import { cosine, isRefusedAngle, sine, tangent } from './trigonometry.ts';

const view = new DataView(new ArrayBuffer(8));
const value = (x: number): Numeric => {
  view.setFloat64(0, x);
  return unpack(view.getBigUint64(0), BINARY64) as Numeric;
};
const number = (v: Numeric | Nan): number => {
  view.setBigUint64(0, deliver(v, BINARY64, { mode: NEAREST, masks: ALL_EXCEPTIONS, flushToZero: false }).bits);
  return view.getFloat64(0);
};
/** JavaScript's functions, and what the tests multiply beside them, are good to a few places of a double. */
const close = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) <= 1e-15 * Math.abs(b) + Number.MIN_VALUE;

const finite = (x: number) => value(x) as Finite;
const angle = fc.double({ min: -3, max: 3, noNaN: true });

it('constants', () => {
  expect(Number(pi(52)) / 2 ** 52).toBe(Math.PI);
  expect(Number(ln2(53)) / 2 ** 53).toBeCloseTo(Math.LN2, 15);
  expect(pi(200) >> 100n).toBe(pi(100));
});

describe('trigonometry', () => {
  it('is what JavaScript says', () =>
    fc.assert(
      fc.property(angle, (x) => {
        fc.pre(x !== 0);
        expect(close(number(sine(finite(x))), Math.sin(x))).toBe(true);
        expect(close(number(cosine(finite(x))), Math.cos(x))).toBe(true);
        expect(close(number(tangent(finite(x))), Math.tan(x))).toBe(true);
      }),
    ));
  it('sin² + cos² = 1 for large angles, too', () =>
    fc.assert(
      fc.property(fc.double({ min: 1, max: 2 ** 62, noNaN: true }), (x) => {
        const [s, c] = [number(sine(finite(x))), number(cosine(finite(x)))];
        return Math.abs(s * s + c * c - 1) < 1e-15;
      }),
    ));
  it('at the ends', () => {
    expect(sine({ kind: 'zero', sign: 1 })).toEqual({ kind: 'zero', sign: 1 });
    expect(number(cosine({ kind: 'zero' }))).toBe(1);
    expect(number(sine(finite(1e-300)))).toBe(1e-300);
    expect([2 ** 62, 2 ** 63, -(2 ** 63)].map((x) => isRefusedAngle(value(x)))).toEqual([false, true, true]);
  });
});

describe('arctangent', () => {
  const any = fc.double({ noNaN: true });
  it('is Math.atan2', () => fc.assert(fc.property(any, any, (y, x) => close(number(arctangent(value(y), value(x))), Math.atan2(y, x)))));
});

describe('logarithms and powers of two', () => {
  const positive = fc.double({ min: 1e-300, noNaN: true, max: 1e300 });
  it('are what JavaScript says', () =>
    fc.assert(
      fc.property(positive, (x) => {
        expect(number(yLog2x(value(1), value(x)).value)).toBeCloseTo(Math.log2(x), 10);
      }),
    ));
  it('of powers of two are exact', () =>
    fc.assert(fc.property(fc.integer({ min: -1000, max: 1000 }), (n) => number(yLog2x(value(3), value(2 ** n)).value) === 3 * n + 0)));
  it('log₂(1 + x) keeps small x', () =>
    fc.assert(
      fc.property(fc.double({ min: -0.25, max: 0.25, noNaN: true }), (x) => {
        fc.pre(Math.abs(x) > 1e-300);
        return close(number(yLog2xPlus1(value(Math.LN2), value(x)).value), Math.log1p(x));
      }),
    ));
  it('2^x − 1 undoes it', () =>
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (x) => {
        fc.pre(Math.abs(x) > 1e-300);
        const power = exponentialMinus1(finite(x));
        expect(close(number(power), Math.expm1(x * Math.LN2))).toBe(true);
        expect(close(number(yLog2xPlus1(value(1), power).value), x)).toBe(true);
      }),
    ));
});
