import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, subtract } from './add.ts';
import { ALL_EXCEPTIONS, DE, DOWN, IE, NEAREST, OE, PE, type Rounding, TRUNCATE, UE, UP, ZE } from './exception.ts';
import { BINARY32, BINARY64, type Format } from './format.ts';
import { divide, integerRoot, multiply, squareRoot } from './multiply.ts';
import { reciprocal, reciprocalRoot } from './reciprocal.ts';
import type { Binary } from './result.ts';
import { binaryElement, conclude, type SseControl, unaryElement } from './sse.ts';

const MASKED: SseControl = { mode: NEAREST, masks: ALL_EXCEPTIONS, flushToZero: false, denormalsAreZero: false };
const view = new DataView(new ArrayBuffer(8));

const bitsOf = (x: number, format: Format): bigint => {
  if (format === BINARY64) view.setFloat64(0, x);
  else view.setFloat32(0, x);
  return format === BINARY64 ? view.getBigUint64(0) : BigInt(view.getUint32(0));
};
const numberOf = (bits: bigint, format: Format): number => {
  view.setBigUint64(0, format === BINARY64 ? bits : bits << 32n);
  return format === BINARY64 ? view.getFloat64(0) : view.getFloat32(0);
};

const two = (operation: Binary, a: number, b: number, format: Format, control = MASKED) => {
  const { bits, flags, raised } = conclude([binaryElement(operation, bitsOf(a, format), bitsOf(b, format), format, control)], control);
  return { value: raised ? null : numberOf(bits[0], format), flags, raised };
};
const root = (a: number, format: Format) =>
  numberOf(conclude([unaryElement(squareRoot, bitsOf(a, format), format, MASKED)], MASKED).bits[0], format);

/** Numbers of all sizes, edges among them. */
const double = fc.oneof(fc.double(), fc.integer({ min: -1000, max: 1000 }), fc.double({ min: -1e-307, max: 1e-307 }));
const single = fc.oneof(fc.float(), fc.integer({ min: -1000, max: 1000 }), fc.float({ min: -Math.fround(1e-37), max: Math.fround(1e-37) }));

describe('rounding to the nearest is what JavaScript does', () => {
  const operations: readonly (readonly [string, Binary, (a: number, b: number) => number])[] = [
    ['sum', add, (a, b) => a + b],
    ['difference', subtract, (a, b) => a - b],
    ['product', multiply, (a, b) => a * b],
    ['quotient', divide, (a, b) => a / b],
  ];
  for (const [name, operation, expected] of operations) {
    it(`${name} of doubles`, () =>
      fc.assert(fc.property(double, double, (a, b) => Object.is(two(operation, a, b, BINARY64).value, expected(a, b)))));
    // A double holds enough digits of an operation on two singles that rounding twice is rounding once.
    it(`${name} of singles`, () =>
      fc.assert(fc.property(single, single, (a, b) => Object.is(two(operation, a, b, BINARY32).value, Math.fround(expected(a, b))))));
  }
  it('square roots', () => {
    fc.assert(fc.property(double, (a) => Object.is(root(a, BINARY64), Math.sqrt(a))));
    fc.assert(fc.property(single, (a) => Object.is(root(a, BINARY32), Math.fround(Math.sqrt(a)))));
  });
});

describe('directed rounding', () => {
  const inMode = (mode: Rounding) => (operation: Binary, a: number, b: number) =>
    two(operation, a, b, BINARY64, { ...MASKED, mode }).value as number;
  const finite = fc.double({ noNaN: true, min: -1e150, max: 1e150 });

  it('encloses the exact result, and the nearest is one of the two', () =>
    fc.assert(
      fc.property(finite, finite, fc.constantFrom(add, multiply, divide), (a, b, operation) => {
        fc.pre(operation !== divide || b !== 0);
        const [low, high, near] = [DOWN, UP, NEAREST].map((mode) => inMode(mode as Rounding)(operation, a, b));
        expect(low <= high).toBe(true);
        expect([low, high]).toContain(near === 0 ? low : near);
        expect(inMode(TRUNCATE)(operation, a, b) + 0).toBe((low >= 0 ? low : high) + 0);
      }),
    ));

  it('of a sum turns with the signs', () =>
    fc.assert(fc.property(finite, finite, (a, b) => Object.is(inMode(DOWN)(add, a, b) + 0, -inMode(UP)(add, -a, -b) + 0))));

  it('makes an exact difference of equals −0 only downwards', () => {
    expect(inMode(NEAREST)(subtract, 3, 3)).toBe(0);
    expect(inMode(DOWN)(subtract, 3, 3)).toBe(-0);
  });
});

describe('exceptions', () => {
  const flags = (operation: Binary, a: number, b: number, control = MASKED) => two(operation, a, b, BINARY64, control).flags;
  const MIN_NORMAL = 2 ** -1022;
  const TINY = 2 ** -1074;

  it('say what was lost', () => {
    expect(flags(add, 1, 2)).toBe(0);
    expect(flags(divide, 1, 3)).toBe(PE);
    expect(flags(multiply, Number.MAX_VALUE, 2)).toBe(OE | PE);
    expect(flags(multiply, 1.5 * MIN_NORMAL, 2 ** -52)).toBe(UE | PE);
    expect(flags(multiply, MIN_NORMAL, 0.5)).toBe(0); // tiny, but exact
    expect(flags(divide, 1, 0)).toBe(ZE);
    expect(flags(divide, 0, 0)).toBe(IE);
    expect(flags(add, TINY, 1)).toBe(DE | PE);
    expect(flags(divide, TINY, 0)).toBe(ZE); // D is the last to be looked for
  });

  it('unmasked: tiny is enough for U, and O or U keep company with P only when digits are lost', () => {
    const without = (flag: number) => ({ ...MASKED, masks: ALL_EXCEPTIONS & ~flag });
    expect(two(multiply, MIN_NORMAL, 0.5, BINARY64, without(UE))).toMatchObject({ raised: true, flags: UE });
    expect(flags(multiply, 2 ** 1023, 2, without(OE))).toBe(OE);
    expect(flags(divide, 1, 0, without(ZE))).toBe(ZE);
  });

  it('of several elements: those of operands come first, for all', () => {
    const control = { ...MASKED, masks: ALL_EXCEPTIONS & ~DE };
    const pairs = [[Number.MAX_VALUE, 2] as const, [TINY, 1] as const, [Number.POSITIVE_INFINITY, 0] as const];
    const elements = pairs.map(([a, b]) => binaryElement(multiply, bitsOf(a, BINARY64), bitsOf(b, BINARY64), BINARY64, control));
    expect(conclude(elements, control)).toEqual({ bits: [], flags: IE | DE, raised: true });
  });

  it('flush to zero and denormals are zero', () => {
    expect(two(multiply, MIN_NORMAL, 0.5, BINARY64, { ...MASKED, flushToZero: true })).toMatchObject({ value: 0, flags: UE | PE });
    expect(two(add, TINY, -1, BINARY64, { ...MASKED, denormalsAreZero: true })).toMatchObject({ value: -1, flags: 0 });
  });
});

it('integer roots', () =>
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1n << 200n }), (n) => {
      const r = integerRoot(n);
      return r * r <= n && n < (r + 1n) * (r + 1n);
    }),
  ));

it('reciprocals are the nearest singles, and neither take nor give denormals', () => {
  const of = (f: (bits: bigint) => bigint, x: number): number => numberOf(f(bitsOf(x, BINARY32)), BINARY32);
  const size = fc.float({ min: Math.fround(1e-30), max: Math.fround(1e30), noNaN: true });
  fc.assert(fc.property(size, (x) => of(reciprocal, x) === Math.fround(1 / x)));
  expect(of(reciprocalRoot, 4)).toBe(0.5);
  expect(of(reciprocalRoot, 2)).toBe(Math.fround(Math.SQRT1_2));
  expect(of(reciprocalRoot, -1)).toBeNaN();
  expect(of(reciprocal, 1e-40)).toBe(Number.POSITIVE_INFINITY);
  expect(of(reciprocalRoot, -1e-40)).toBe(Number.NEGATIVE_INFINITY);
  expect(of(reciprocal, 3e38)).toBe(0);
  expect(of(reciprocal, -(2 ** 126))).toBe(-0);
});
