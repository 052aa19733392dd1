/** Correct rounding told by what is known otherwise: JavaScript's functions to their last bits, identities, values from tables. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Environment } from './environment.ts';
import { INEXACT } from './exception.ts';
import { BINARY64, fromBits64, fromBits80, significand80, toBits64, top80 } from './format.ts';
import { exactInteger } from './integer.ts';
import { exponentialLessOne, logarithm, logarithmOfOneMore } from './logarithm.ts';
import { type Fp, finite } from './number.ts';
import { convert } from './round.ts';
import { ln2, pi } from './series.ts';
import { arcTangent, cosineOf, sine, tangent } from './trigonometric.ts';

const view = new DataView(new ArrayBuffer(8));
const fromDouble = (x: number): Fp => {
  view.setFloat64(0, x);
  return fromBits64(view.getInt32(4), view.getInt32(0));
};
const env = new Environment();
const toDouble = (x: Fp): number => {
  env.useControl(0x37f);
  view.setBigUint64(0, toBits64(convert(env, BINARY64, x)));
  return view.getFloat64(0);
};
const ONE = exactInteger(1n);

/** To some units in the last place of JavaScript's less careful result. */
const near = (mine: Fp, native: number): void => {
  const value = toDouble(mine);
  expect(Math.abs(value - native)).toBeLessThanOrEqual(Math.abs(native) * 2 ** -50 + 2 ** -1070);
};

test('the constants', () => {
  expect(pi(62).toString(16)).toBe('c90fdaa22168c234');
  expect(ln2(64).toString(16)).toBe('b17217f7d1cf79ab');
});

test('functions are where JavaScript has them', () => {
  const moderate = fc.double({ min: -30, max: 30, noNaN: true });
  fc.assert(
    fc.property(moderate, moderate, (x, y) => {
      env.useControl(0x37f);
      near(arcTangent(env, fromDouble(y), fromDouble(x)), Math.atan2(y, x));
      if (Math.abs(x) < 0.7) {
        near(sine(env, fromDouble(x)), Math.sin(x));
        near(cosineOf(env, fromDouble(x)), Math.cos(x));
        near(tangent(env, fromDouble(x)), Math.tan(x));
      }
      if (x > 0) near(logarithm(env, fromDouble(x), ONE), Math.log2(x));
      if (x > -0.5) near(logarithmOfOneMore(env, fromDouble(x), ONE), Math.log1p(x) / Math.LN2);
      if (Math.abs(x) <= 1) near(exponentialLessOne(env, fromDouble(x)), Math.expm1(x * Math.LN2));
    }),
    { numRuns: 300 },
  );
});

test('sine is odd, cosine even, under nearest rounding', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e15, noNaN: true }), (x) => {
      env.useControl(0x37f);
      expect(toDouble(sine(env, fromDouble(-x)))).toBe(-toDouble(sine(env, fromDouble(x))));
      expect(toDouble(cosineOf(env, fromDouble(-x)))).toBe(toDouble(cosineOf(env, fromDouble(x))));
    }),
    { numRuns: 100 },
  );
});

test('results that have a short fraction are exact', () => {
  env.useControl(0x37f);
  expect(toDouble(logarithm(env, exactInteger(1024n), ONE))).toBe(10);
  expect(toDouble(logarithm(env, finite(0, 1n, -3), exactInteger(-5n)))).toBe(15);
  expect(toDouble(exponentialLessOne(env, exactInteger(-1n)))).toBe(-0.5);
  env.useControl(0x37f);
  logarithm(env, exactInteger(8n), ONE);
  expect(env.flags).toBe(0);
});

test('the rounding mode decides about the last bit of the smallest angles', () => {
  const tiny = finite(0, 1n, -200);
  const bits = (x: Fp): string => top80(x).toString(16) + significand80(x).toString(16);
  env.useControl(0x37f);
  expect(bits(sine(env, tiny))).toBe(bits(tiny));
  expect(env.flags).toBe(INEXACT);
  env.useControl(0xf7f);
  expect(bits(sine(env, tiny))).toBe(bits(fromBits80(0x3fff - 201, (1n << 64n) - 1n)));
  env.useControl(0xb7f);
  expect(significand80(tangent(env, tiny)) & 0xffn).toBe(1n);
});

test('angles of the axes', () => {
  env.useControl(0x37f);
  expect(toDouble(arcTangent(env, ONE, exactInteger(0n)))).toBe(Math.PI / 2);
  expect(toDouble(arcTangent(env, exactInteger(0n), exactInteger(-3n)))).toBe(Math.PI);
  expect(toDouble(arcTangent(env, ONE, ONE))).toBe(Math.PI / 4);
});
