import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideSigned, divideUnsigned } from './divide.ts';
import { multiplySigned, multiplyUnsigned, type Wide } from './multiply.ts';
import { mergeLow, type Size, signBit, signExtend, zeroExtend } from './size.ts';
import { fromBigInt, toBigInt } from './word.ts';

const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: 100n }),
  fc.constantFrom(0x80000000n, 0xffffffffn, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n),
);
const signed = (n: bigint): bigint => BigInt.asIntN(64, n);
const wide = (n: bigint): Wide => ({ high: fromBigInt(n >> 64n), low: fromBigInt(n) });
const whole = ({ high, low }: Wide): bigint => (toBigInt(high) << 64n) | toBigInt(low);

describe('products', () => {
  it('are exact in 128 bits', () => {
    fc.assert(
      fc.property(any64, any64, (a, b) => {
        expect(whole(multiplyUnsigned(fromBigInt(a), fromBigInt(b)))).toBe(a * b);
        expect(whole(multiplySigned(fromBigInt(a), fromBigInt(b)))).toBe(BigInt.asUintN(128, signed(a) * signed(b)));
      }),
    );
  });
});

describe('division', () => {
  it('gives quotient and remainder, or null when the quotient does not fit', () => {
    fc.assert(
      fc.property(any64, any64, any64, fc.boolean(), (high, low, divisor, small) => {
        const n = small ? low : (high << 64n) | low;
        const result = divideUnsigned(wide(n), fromBigInt(divisor));
        if (divisor === 0n || n / divisor >= 1n << 64n) expect(result).toBeNull();
        else expect([toBigInt(result!.quotient), toBigInt(result!.remainder)]).toEqual([n / divisor, n % divisor]);
      }),
    );
  });

  it('rounds towards zero when signed', () => {
    fc.assert(
      fc.property(any64, any64, any64, fc.boolean(), (high, low, d, small) => {
        const n = small ? signed(low) : BigInt.asIntN(128, (high << 64n) | low);
        const divisor = signed(d);
        const result = divideSigned(wide(n), fromBigInt(d));
        const fits = divisor !== 0n && n / divisor === signed(n / divisor);
        if (!fits) expect(result).toBeNull();
        else expect([signed(toBigInt(result!.quotient)), signed(toBigInt(result!.remainder))]).toEqual([n / divisor, n % divisor]);
      }),
    );
  });
});

describe('operand sizes', () => {
  it('cut and extend', () => {
    fc.assert(
      fc.property(any64, any64, fc.constantFrom<Size>(1, 2, 4, 8), (a, b, size) => {
        const bits = size * 8;
        expect(toBigInt(zeroExtend(fromBigInt(a), size))).toBe(BigInt.asUintN(bits, a));
        expect(toBigInt(signExtend(fromBigInt(a), size))).toBe(BigInt.asUintN(64, BigInt.asIntN(bits, a)));
        expect(signBit(fromBigInt(a), size)).toBe(Number((a >> BigInt(bits - 1)) & 1n));
        if (size === 1 || size === 2)
          expect(toBigInt(mergeLow(fromBigInt(a), fromBigInt(b), size))).toBe((a & ~((1n << BigInt(bits)) - 1n)) | BigInt.asUintN(bits, b));
      }),
    );
  });
});
