import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECIMAL_INDEFINITE, fromDecimal, toDecimal } from './bcd.ts';
import { compare } from './compare.ts';
import { DOWN, NEAREST, PE, TRUNCATE, UP } from './exception.ts';
import { BINARY64, unpack } from './format.ts';
import { toInteger, toWhole } from './integer.ts';
import { remainder } from './remainder.ts';
import { extract, scale } from './scale.ts';
import { fromInteger, type Numeric, significandAt } from './value.ts';

const view = new DataView(new ArrayBuffer(8));
const value = (x: number): Numeric => {
  view.setFloat64(0, x);
  return unpack(view.getBigUint64(0), BINARY64) as Numeric;
};
const number = fc.double({ noNaN: true });
const small = fc.double({ noNaN: true, min: -1e15, max: 1e15 });

describe('to integers', () => {
  it('as Math rounds', () =>
    fc.assert(
      fc.property(small, (x) => {
        const to = (mode: 0 | 1 | 2 | 3) => Number(toInteger(value(x), 64, mode).integer);
        expect(to(DOWN)).toBe(Math.floor(x) + 0);
        expect(to(UP)).toBe(Math.ceil(x) + 0);
        expect(to(TRUNCATE)).toBe(Math.trunc(x) + 0);
      }),
    ));

  it('half-way goes to the even neighbour, and the magnitude that grew is told', () => {
    const near = (x: number) => toInteger(value(x), 32, NEAREST);
    expect([0.5, 1.5, 2.5, -2.5].map((x) => near(x).integer)).toEqual([0n, 2n, 2n, -2n]);
    expect([1.5, 2.5].map((x) => near(x).up)).toEqual([true, false]);
    expect(near(3).flags).toBe(0);
    expect(near(3.25).flags).toBe(PE);
  });

  it('what does not fit has none', () => {
    expect(toInteger(value(2 ** 31), 32, NEAREST).integer).toBeNull();
    expect(toInteger(value(-(2 ** 31)), 32, NEAREST).integer).toBe(-(2n ** 31n));
    expect(toInteger(value(2 ** 31 - 0.5), 32, NEAREST).integer).toBeNull();
    expect(toInteger(value(Number.NEGATIVE_INFINITY), 64, DOWN).integer).toBeNull();
  });

  it('whole numbers keep the sign of zero', () => expect(toWhole(value(-0.25), NEAREST).value).toEqual({ kind: 'zero', sign: 1 }));
});

describe('packed decimal', () => {
  it('and back', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), (n) => {
        const { integer } = toDecimal(fromInteger(n), NEAREST);
        const back = fromDecimal(integer as bigint);
        return back.kind !== 'infinity' && significandAt(back, 0) === n;
      }),
    ));
  it('examples', () => {
    expect(toDecimal(fromInteger(-1234n), NEAREST).integer).toBe((1n << 79n) | 0x1234n);
    expect(toDecimal(fromInteger(10n ** 18n), NEAREST).integer).toBeNull();
    expect(fromDecimal(DECIMAL_INDEFINITE).kind).toBe('finite');
  });
});

describe('order', () => {
  it('is that of JavaScript', () =>
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(compare(value(a), value(b))).toBe(a < b ? 'less' : a > b ? 'greater' : 'equal');
      }),
    ));
});

describe('remainders', () => {
  const divisor = small.filter((x) => Math.abs(x) > 1e-3);
  it('FPREM is JavaScript’s %', () =>
    fc.assert(
      fc.property(small, divisor, (a, b) => {
        const { value: rest, partial, quotient } = remainder(value(a), value(b), false);
        fc.pre(!partial);
        expect(rest).toMatchObject(a % b === 0 ? { kind: 'zero' } : {});
        expect(compare(rest as Numeric, value(a % b))).toBe('equal');
        if (Math.abs(a / b) < 2 ** 40) expect(quotient).toBe(Math.trunc(Math.abs((a - (a % b)) / b) + 0.25) % 8);
      }),
    ));
  it('FPREM1 is never above half the divisor', () =>
    fc.assert(
      fc.property(small, divisor, (a, b) => {
        const { value: rest, partial } = remainder(value(a), value(b), true);
        fc.pre(!partial && rest.kind === 'finite');
        expect(compare({ ...(rest as Numeric), sign: 0 }, value(Math.abs(b) / 2))).not.toBe('greater');
      }),
    ));
  it('examples', () => {
    expect(remainder(value(7), value(2), false)).toMatchObject({ quotient: 3, partial: false });
    expect(remainder(value(7), value(2), true)).toMatchObject({ quotient: 4, value: { sign: 1 } });
    expect(remainder(value(2 ** 70), value(3), false)).toMatchObject({ partial: true });
    expect(remainder(value(1), value(0), false).flags).toBe(1);
  });
});

describe('scale and extract', () => {
  it('are each other’s inverse', () =>
    fc.assert(
      fc.property(
        number.filter((x) => x !== 0 && Number.isFinite(x)),
        (x) => {
          const { exponent, significand } = extract(value(x) as Exclude<Numeric, { kind: 'zero' }>);
          expect(compare(scale(significand, exponent).value as Numeric, value(x))).toBe('equal');
          expect(compare({ ...significand, sign: 0 }, value(1))).not.toBe('less');
          expect(compare({ ...significand, sign: 0 }, value(2))).toBe('less');
        },
      ),
    ));
  it('cut the scale off', () => expect(compare(scale(value(3), value(-1.9)).value as Numeric, value(1.5))).toBe('equal'));
});
