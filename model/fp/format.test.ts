import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliver, deliver80 } from './deliver.ts';
import { ALL_EXCEPTIONS, IE, NEAREST } from './exception.ts';
import { ONE_80, unpackExtended } from './extended.ts';
import { BINARY32, BINARY64, unpack } from './format.ts';
import { refusedBySse, refusedByX87 } from './nan.ts';
import { finite, INDEFINITE, type Nan, type Numeric } from './value.ts';

const MASKED = { mode: NEAREST, masks: ALL_EXCEPTIONS, flushToZero: false } as const;
const bits = (width: number) => fc.bigInt({ min: 0n, max: (1n << BigInt(width)) - 1n });

describe('bits to values and back', () => {
  for (const format of [BINARY32, BINARY64])
    it(format.name, () =>
      fc.assert(fc.property(bits(format.width), (b) => deliver(unpack(b, format) as Numeric | Nan, format, MASKED).bits === b)),
    );

  it('the 80-bit format, apart from what is not supported; a pseudo-denormal comes back as the normal number that it is', () =>
    fc.assert(
      fc.property(bits(80), (b) => {
        const value = unpackExtended(b);
        if (value.kind === 'unsupported') return (b >> 63n) % 2n === 0n;
        const back = deliver80(value, 64, NEAREST, ALL_EXCEPTIONS).bits;
        const pseudo = (b >> 63n) % 0x10000n === 1n;
        return back === (pseudo ? b + (1n << 64n) : b);
      }),
    ));

  it('narrower numbers are the same number in a wider format', () =>
    fc.assert(
      fc.property(bits(32), (b) => {
        const value = unpack(b, BINARY32) as Numeric | Nan;
        const wider = deliver(value, BINARY64, MASKED);
        expect(wider.flags).toBe(0);
        return deliver(unpack(wider.bits, BINARY64) as Numeric | Nan, BINARY32, MASKED).bits === b;
      }),
    ));

  it('examples', () => {
    expect(unpack(0x3f800000n, BINARY32)).toEqual(finite(0, 1n << 23n, -23));
    expect(unpack(1n, BINARY32)).toEqual({ ...finite(0, 1n, -149), denormal: true });
    expect(unpackExtended(ONE_80)).toEqual(finite(0, 1n << 63n, -63));
    expect(unpackExtended(0x7fffn << 64n)).toEqual({ kind: 'unsupported' });
    expect(deliver80(finite(0, 1n, 0), 64, NEAREST, ALL_EXCEPTIONS).bits).toBe(ONE_80);
  });

  it('a sticky value is never half-way', () => {
    const halfWay = finite(0, (1n << 64n) + 1n, 0);
    expect(deliver80(halfWay, 64, NEAREST, ALL_EXCEPTIONS)).toMatchObject({ up: false });
    expect(deliver80({ ...halfWay, sticky: true }, 64, NEAREST, ALL_EXCEPTIONS)).toMatchObject({ up: true });
  });
});

describe('NaNs', () => {
  const nan = (sign: 0 | 1, low: bigint, quiet = true): Nan => ({
    kind: 'nan',
    sign,
    quiet,
    payload: (quiet ? 3n << 62n : 1n << 63n) | low,
  });
  const [a, b] = [nan(0, 5n), nan(1, 9n)];
  const signaling = nan(1, 77n, false);

  it('SSE: the first one', () => {
    expect(refusedBySse(a, b)).toMatchObject({ value: a, flags: 0 });
    expect(refusedBySse(finite(0, 1n, 0), b)).toMatchObject({ value: b });
    expect(refusedBySse(signaling, a)).toMatchObject({ value: { ...signaling, quiet: true, payload: (3n << 62n) | 77n }, flags: IE });
  });

  it('x87: the larger one, whatever the order', () => {
    for (const [x, y, expected] of [
      [a, b, b],
      [a, signaling, a],
      [nan(1, 5n), a, a],
    ] as const) {
      expect(refusedByX87(x, y)?.value).toEqual(expected);
      expect(refusedByX87(y, x)?.value).toEqual(expected);
    }
    expect(refusedByX87(a, { kind: 'unsupported' })).toMatchObject({ value: INDEFINITE, flags: IE });
  });
});
