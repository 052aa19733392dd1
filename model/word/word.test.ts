import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  addInt,
  and,
  below,
  bit,
  bitMask,
  equal,
  fromBigInt,
  fromHex,
  fromNumber,
  isZero,
  less,
  neg,
  not,
  or,
  sar,
  shl,
  shr,
  sub,
  toBigInt,
  toHex,
  toNumber,
  type Word,
  xor,
} from './word.ts';

/** Any 64-bit value, often one near an edge of a half. */
const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n),
);
const wrap = (n: bigint): bigint => BigInt.asUintN(64, n);
const law = (name: string, ours: (a: Word, b: Word) => Word, theirs: (a: bigint, b: bigint) => bigint) =>
  it(name, () => {
    fc.assert(
      fc.property(any64, any64, (a, b) => {
        expect(toBigInt(ours(fromBigInt(a), fromBigInt(b)))).toBe(wrap(theirs(a, b)));
      }),
    );
  });

describe('a word behaves as a 64-bit integer in', () => {
  law('addition', add, (a, b) => a + b);
  law(
    'addition with carry',
    (a, b) => add(a, b, 1),
    (a, b) => a + b + 1n,
  );
  law('subtraction', sub, (a, b) => a - b);
  law(
    'subtraction with borrow',
    (a, b) => sub(a, b, 1),
    (a, b) => a - b - 1n,
  );
  law('negation', neg, (a) => -a);
  law('and', and, (a, b) => a & b);
  law('or', or, (a, b) => a | b);
  law('xor', xor, (a, b) => a ^ b);
  law('not', not, (a) => ~a);

  it('shifts by 0 to 63', () => {
    fc.assert(
      fc.property(any64, fc.integer({ min: 0, max: 63 }), (a, n) => {
        const w = fromBigInt(a);
        expect(toBigInt(shl(w, n))).toBe(wrap(a << BigInt(n)));
        expect(toBigInt(shr(w, n))).toBe(a >> BigInt(n));
        expect(toBigInt(sar(w, n))).toBe(wrap(BigInt.asIntN(64, a) >> BigInt(n)));
        expect(bit(w, n)).toBe(Number((a >> BigInt(n)) & 1n));
        expect(toBigInt(bitMask(n))).toBe(1n << BigInt(n));
      }),
    );
  });

  it('the addition of a signed 32-bit number', () => {
    fc.assert(
      fc.property(any64, fc.integer(), (a, n) => {
        expect(toBigInt(addInt(fromBigInt(a), n))).toBe(wrap(a + BigInt(n)));
      }),
    );
  });

  it('comparisons', () => {
    fc.assert(
      fc.property(any64, any64, (a, b) => {
        const [x, y] = [fromBigInt(a), fromBigInt(b)];
        expect([below(x, y), less(x, y), equal(x, y), isZero(x)]).toEqual([
          a < b,
          BigInt.asIntN(64, a) < BigInt.asIntN(64, b),
          a === b,
          a === 0n,
        ]);
      }),
    );
  });
});

describe('a word is written and read as', () => {
  it('hex without leading zeros, back and forth', () => {
    fc.assert(
      fc.property(any64, (a) => {
        expect(toHex(fromBigInt(a))).toBe(`0x${a.toString(16)}`);
        expect(toBigInt(fromHex(toHex(fromBigInt(a))))).toBe(a);
      }),
    );
  });

  it('a number, as long as it is exact', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(toBigInt(fromNumber(n))).toBe(wrap(BigInt(n)));
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), (n) => {
        expect(toNumber(fromNumber(n))).toBe(n);
      }),
    );
  });
});
