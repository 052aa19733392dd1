/** Software against JavaScript's own arithmetic, the fast path against software, and the order of the rounding modes. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { add, type Binary, divide, integerRoot, multiply, squareRoot, subtract } from './arithmetic.ts';
import { order } from './compare.ts';
import { fromDecimal, toDecimal } from './decimal.ts';
import { Environment } from './environment.ts';
import { DOWN, INEXACT, NEAREST, TO_ZERO, UP } from './exception.ts';
import * as fast from './fast.ts';
import { BINARY32, BINARY64, EXTENDED, fromBits32, fromBits64, toBits32, toBits64 } from './format.ts';
import { fromInteger, toInteger } from './integer.ts';
import type { Fp } from './number.ts';
import { convert } from './round.ts';

const view = new DataView(new ArrayBuffer(8));
const fromDouble = (x: number): Fp => {
  view.setFloat64(0, x);
  return fromBits64(view.getInt32(4), view.getInt32(0));
};
const toDouble = (x: Fp): number => {
  view.setBigUint64(0, toBits64(x));
  return view.getFloat64(0);
};
const fromSingle = (x: number): Fp => {
  view.setFloat32(0, x);
  return fromBits32(view.getInt32(0));
};
const toSingle = (x: Fp): number => {
  view.setInt32(0, toBits32(x));
  return view.getFloat32(0);
};

/** Numbers that often meet: near in size, with few or many bits, at the ends of the format. */
const double = fc.oneof(
  fc.double(),
  fc.integer({ min: -100, max: 100 }),
  fc.tuple(fc.integer(), fc.integer({ min: -60, max: 60 })).map(([m, e]) => m * 2 ** e),
  fc.constantFrom(2 ** -1022, 2 ** -1074, Number.MAX_VALUE, 1 + 2 ** -52, -0, Number.POSITIVE_INFINITY),
);
const single = double.map(Math.fround);

const PAIRS: readonly (readonly [string, Binary, (x: number, y: number) => number, fast.Fast, fast.Fast])[] = [
  ['sum', add, (x, y) => x + y, fast.ADD64, fast.ADD32],
  ['difference', subtract, (x, y) => x - y, fast.SUB64, fast.SUB32],
  ['product', multiply, (x, y) => x * y, fast.MUL64, fast.MUL32],
  ['quotient', divide, (x, y) => x / y, fast.DIV64, fast.DIV32],
];

test.each(PAIRS)('%s in 64 and 32 bits is as JavaScript has it, and as the fast path', (_, operation, native, fast64, fast32) => {
  const env = new Environment();
  fc.assert(
    fc.property(double, double, (x, y) => {
      env.useMxcsr(0x1f80);
      const mine = toDouble(operation(env, BINARY64, fromDouble(x), fromDouble(y)));
      expect(mine).toBe(native(x, y));
      const quick = fast64.compute(x, y);
      if (Number.isNaN(quick)) return;
      expect(quick).toBe(mine);
      expect(env.flags).toBe(fast64.exact(x, y, quick) ? 0 : INEXACT);
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(single, single, (x, y) => {
      env.useMxcsr(0x1f80);
      const mine = toSingle(operation(env, BINARY32, fromSingle(x), fromSingle(y)));
      expect(mine).toBe(Math.fround(native(x, y)));
      const quick = fast32.compute(x, y);
      if (Number.isNaN(quick)) return;
      expect(quick).toBe(mine);
      expect(env.flags).toBe(fast32.exact(x, y, quick) ? 0 : INEXACT);
    }),
    { numRuns: 2000 },
  );
});

test('square roots are as JavaScript has them, exact ones known as such', () => {
  const env = new Environment();
  fc.assert(
    fc.property(double, (x) => {
      env.useMxcsr(0x1f80);
      const mine = toDouble(squareRoot(env, BINARY64, fromDouble(x)));
      expect(mine).toBe(Math.sqrt(x));
      const quick = fast.SQRT64.compute(0, x);
      if (!Number.isNaN(quick)) expect(env.flags).toBe(fast.SQRT64.exact(0, x, quick) ? 0 : INEXACT);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 1n << 200n }), (n) => {
      const root = integerRoot(n);
      expect(root * root <= n && (root + 1n) * (root + 1n) > n).toBe(true);
    }),
  );
});

test('down is not above nearest, nearest not above up, and truncation is the one of them nearer to zero', () => {
  const env = new Environment();
  const under = (rounding: number, operation: Binary, x: number, y: number): number => {
    env.useMxcsr(0x1f80 | (rounding << 13));
    return toDouble(operation(env, BINARY64, fromDouble(x), fromDouble(y)));
  };
  fc.assert(
    fc.property(double, double, fc.constantFrom(add, subtract, multiply, divide), (x, y, operation) => {
      const [nearest, down, up, truncated] = [NEAREST, DOWN, UP, TO_ZERO].map((mode) => under(mode, operation, x, y));
      if (Number.isNaN(nearest)) return;
      expect(down <= nearest && nearest <= up).toBe(true);
      expect(Math.abs(truncated)).toBe(Math.min(Math.abs(down), Math.abs(up)));
    }),
  );
});

test('a double is a double again after a walk through 80 bits, and narrows as Math.fround does', () => {
  const env = new Environment();
  env.useControl(0x37f);
  fc.assert(
    fc.property(double, (x) => {
      const wide = convert(env, EXTENDED, fromDouble(x));
      expect(toDouble(wide)).toBe(x);
      expect(toSingle(convert(env, BINARY32, wide))).toBe(Math.fround(x));
    }),
  );
});

test('numbers are ordered as JavaScript orders them', () => {
  fc.assert(
    fc.property(double, double, (x, y) => {
      const wanted = Number.isNaN(x) || Number.isNaN(y) ? 2 : x < y ? -1 : x > y ? 1 : 0;
      expect(order(fromDouble(x), fromDouble(y))).toBe(wanted);
    }),
  );
});

test('integers and decimals come back as they went in', () => {
  const env = new Environment();
  env.useControl(0x37f);
  fc.assert(
    fc.property(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (n) => {
      expect(toInteger(env, fromInteger(env, EXTENDED, n), 64, NEAREST)).toBe(n);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), (n) => {
      const packed = toDecimal(env, fromInteger(env, EXTENDED, n));
      expect(packed.toString(16).padStart(20, '0')).toBe((n < 0n ? '80' : '00') + (n < 0n ? -n : n).toString().padStart(18, '0'));
      expect(toInteger(env, fromDecimal(packed), 64, NEAREST)).toBe(n);
    }),
  );
  expect(env.flags).toBe(0);
});
