import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../word/word.ts';
import { ARITHMETIC, CF, OF } from '../flags.ts';
import { sample, tryOne } from '../sample.ts';
import { RAX, RCX, RDX } from '../state.ts';

type Bits = 8 | 16 | 32 | 64;
const BITS = fc.constantFrom<Bits>(8, 16, 32, 64);
const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: 300n }),
  fc.constantFrom(0x80n, 0x8000n, 0x80000000n, 1n << 63n, (1n << 64n) - 1n),
);
const low = (n: bigint, bits: number): bigint => BigInt.asUintN(bits, n);
const signed = (n: bigint, bits: number): bigint => BigInt.asIntN(bits, n);
const merge = (old: bigint, value: bigint, bits: number): bigint =>
  bits >= 32 ? low(value, bits) : old - low(old, bits) + low(value, bits);
const encode = (bits: Bits, ext: number): number[] => [
  ...(bits === 16 ? [0x66] : bits === 64 ? [0x48] : []),
  bits === 8 ? 0xf6 : 0xf7,
  0xc1 | (ext << 3),
];

const run = (code: number[], rax: bigint, rcx: bigint, rdx: bigint) => {
  const outcome = tryOne(sample(code, { regs: { [RAX]: rax, [RCX]: rcx, [RDX]: rdx }, flags: ARITHMETIC }));
  const { regs, flags } = outcome.cpu;
  return { kind: outcome.kind, rax: toBigInt(regs[RAX]), rdx: toBigInt(regs[RDX]), flags: flags & ARITHMETIC };
};

/** Registers after a pair of results: AX for bytes, rDX:rAX else. */
const pair = (rax: bigint, rdx: bigint, bits: Bits, lower: bigint, upper: bigint) =>
  bits === 8
    ? { rax: merge(rax, low(lower, 8) | (low(upper, 8) << 8n), 16), rdx }
    : { rax: merge(rax, lower, bits), rdx: merge(rdx, upper, bits) };

describe('multiplication', () => {
  it('gives both halves of the product, and says whether the upper one matters', () => {
    fc.assert(
      fc.property(BITS, any64, any64, any64, (bits, rax, rcx, rdx) => {
        const [a, b] = [low(rax, bits), low(rcx, bits)];
        const unsigned = a * b;
        const mul = { ...pair(rax, rdx, bits, unsigned, unsigned >> BigInt(bits)), flags: unsigned >> BigInt(bits) === 0n ? 0 : CF | OF };
        expect(run(encode(bits, 4), rax, rcx, rdx)).toEqual({ kind: 'retired', ...mul });
        const product = signed(a, bits) * signed(b, bits);
        const imul = { ...pair(rax, rdx, bits, product, product >> BigInt(bits)), flags: product === signed(product, bits) ? 0 : CF | OF };
        expect(run(encode(bits, 5), rax, rcx, rdx)).toEqual({ kind: 'retired', ...imul });
      }),
    );
  });

  it('keeps the low part alone in the forms with a destination', () => {
    fc.assert(
      fc.property(fc.constantFrom<Bits>(16, 32, 64), any64, any64, (bits, rax, rcx) => {
        const prefix = bits === 16 ? [0x66] : bits === 64 ? [0x48] : [];
        const product = signed(rax, bits) * signed(rcx, bits);
        const flags = product === signed(product, bits) ? 0 : CF | OF;
        expect(run([...prefix, 0x0f, 0xaf, 0xc1], rax, rcx, 7n)).toEqual({
          kind: 'retired',
          rax: merge(rax, product, bits),
          rdx: 7n,
          flags,
        });
        const tripled = signed(rcx, bits) * -3n; // imul rax,rcx,-3
        expect(run([...prefix, 0x6b, 0xc1, 0xfd], rax, rcx, 7n).rax).toBe(merge(rax, tripled, bits));
      }),
    );
  });
});

describe('division', () => {
  const dividend = (rax: bigint, rdx: bigint, bits: Bits): bigint =>
    bits === 8 ? low(rax, 16) : (low(rdx, bits) << BigInt(bits)) | low(rax, bits);
  /** Small upper halves, so that the quotient often fits. */
  const upper = fc.oneof(fc.constantFrom(0n, (1n << 64n) - 1n), any64);

  it('gives quotient and remainder, or #DE', () => {
    fc.assert(
      fc.property(BITS, any64, any64, upper, (bits, rax, rcx, rdx) => {
        const b = low(rcx, bits);
        const n = dividend(rax, rdx, bits);
        const fits = b !== 0n && n / b === low(n / b, bits);
        const expected = fits
          ? { kind: 'retired', ...pair(rax, rdx, bits, n / b, n % b), flags: 0 }
          : { kind: 'fault', rax, rdx, flags: ARITHMETIC };
        expect(run(encode(bits, 6), rax, rcx, rdx)).toEqual(expected);
      }),
    );
  });

  it('rounds towards zero when signed', () => {
    fc.assert(
      fc.property(BITS, any64, any64, upper, (bits, rax, rcx, rdx) => {
        const b = signed(rcx, bits);
        const n = signed(dividend(rax, rdx, bits), 2 * bits);
        const fits = b !== 0n && n / b === signed(n / b, bits);
        const expected = fits
          ? { kind: 'retired', ...pair(rax, rdx, bits, n / b, n % b), flags: 0 }
          : { kind: 'fault', rax, rdx, flags: ARITHMETIC };
        expect(run(encode(bits, 7), rax, rcx, rdx)).toEqual(expected);
      }),
    );
  });
});
