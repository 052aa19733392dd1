import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../word/word.ts';
import { AF, ARITHMETIC, CF, OF, PF, SF, ZF } from '../flags.ts';
import { sample, tryOne } from '../sample.ts';
import { RAX, RCX, RDX } from '../state.ts';

type Bits = 8 | 16 | 32 | 64;
const BITS = fc.constantFrom<Bits>(8, 16, 32, 64);
const any64 = fc.oneof(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.constantFrom(0n, 1n, 0x80n, 0x8000n, 0x80000000n, 1n << 63n));
const COUNT = fc.integer({ min: 0, max: 255 });
const low = (n: bigint, bits: number): bigint => BigInt.asUintN(bits, n);
const merge = (old: bigint, value: bigint, bits: Bits): bigint => (bits >= 32 ? low(value, bits) : old - low(old, bits) + low(value, bits));
const bitOf = (n: bigint, at: number): number => (at < 0 ? 0 : Number((n >> BigInt(at)) & 1n));
const parity = (n: bigint): number => ([...(n & 0xffn).toString(2)].filter((c) => c === '1').length % 2 === 0 ? PF : 0);
const resultFlags = (r: bigint, bits: Bits): number => (r === 0n ? ZF : 0) | (bitOf(r, bits - 1) ? SF : 0) | parity(r);
const encode = (bits: Bits, reg: number): number[] => [
  ...(bits === 16 ? [0x66] : bits === 64 ? [0x48] : []),
  bits === 8 ? 0xd2 : 0xd3,
  0xc0 | (reg << 3),
];

const EVERY = ARITHMETIC;
const run = (code: number[], rax: bigint, count: number, flags: number, rdx = 0n) => {
  const { cpu } = tryOne(sample(code, { regs: { [RAX]: rax, [RCX]: BigInt(count), [RDX]: rdx }, flags }));
  return { rax: toBigInt(cpu.regs[RAX]), flags: cpu.flags & ARITHMETIC };
};

type Answer = { readonly value: bigint; readonly carry: number; readonly overflow: number };
/** Each by its definition on exact integers, for a count from 1 on; `carry` of the rotations through CF comes in as `c`. */
const RULES: Record<string, { reg: number; shifts: boolean; rule: (a: bigint, n: number, bits: Bits, c: number) => Answer }> = {
  SHL: {
    reg: 4,
    shifts: true,
    rule: (a, n, bits) => {
      const value = low(a << BigInt(n), bits);
      const carry = n > bits ? 0 : bitOf(a, bits - n);
      return { value, carry, overflow: bitOf(value, bits - 1) ^ carry };
    },
  },
  SHR: { reg: 5, shifts: true, rule: (a, n, bits) => ({ value: a >> BigInt(n), carry: bitOf(a, n - 1), overflow: bitOf(a, bits - 1) }) },
  SAR: {
    reg: 7,
    shifts: true,
    rule: (a, n, bits) => {
      const wide = BigInt.asIntN(bits, a);
      return { value: low(wide >> BigInt(n), bits), carry: bitOf(low(wide, 128), n - 1), overflow: 0 };
    },
  },
  ROL: {
    reg: 0,
    shifts: false,
    rule: (a, n, bits) => {
      const value = low((a << BigInt(n % bits)) | (a >> BigInt(bits - (n % bits))), bits);
      return { value, carry: bitOf(value, 0), overflow: bitOf(value, 0) ^ bitOf(value, bits - 1) };
    },
  },
  ROR: {
    reg: 1,
    shifts: false,
    rule: (a, n, bits) => {
      const value = low((a >> BigInt(n % bits)) | (a << BigInt(bits - (n % bits))), bits);
      return { value, carry: bitOf(value, bits - 1), overflow: bitOf(value, bits - 1) ^ bitOf(value, bits - 2) };
    },
  },
  RCL: {
    reg: 2,
    shifts: false,
    rule: (a, n, bits, c) => {
      const wide = (BigInt(c) << BigInt(bits)) | a;
      const places = n % (bits + 1);
      const turned = low((wide << BigInt(places)) | (wide >> BigInt(bits + 1 - places)), bits + 1);
      return { value: low(turned, bits), carry: bitOf(turned, bits), overflow: bitOf(turned, bits) ^ bitOf(turned, bits - 1) };
    },
  },
  RCR: {
    reg: 3,
    shifts: false,
    rule: (a, n, bits, c) => {
      const wide = (BigInt(c) << BigInt(bits)) | a;
      const places = n % (bits + 1);
      const turned = low((wide >> BigInt(places)) | (wide << BigInt(bits + 1 - places)), bits + 1);
      return { value: low(turned, bits), carry: bitOf(turned, bits), overflow: bitOf(turned, bits - 1) ^ bitOf(turned, bits - 2) };
    },
  },
};

describe('shifts and rotations', () => {
  for (const [name, { reg, shifts, rule }] of Object.entries(RULES))
    it(`${name} by its definition; a masked count of zero changes no flag`, () => {
      fc.assert(
        fc.property(BITS, any64, COUNT, fc.constantFrom(0, CF, EVERY), (bits, rax, count, flags) => {
          const n = count & (bits === 64 ? 63 : 31);
          const got = run(encode(bits, reg), rax, count, flags);
          const start = low(rax, bits);
          const { value, carry, overflow } = n === 0 ? { value: start, carry: 0, overflow: 0 } : rule(start, n, bits, flags & CF);
          const kept = shifts ? resultFlags(value, bits) : flags & ~(CF | OF);
          const expected = n === 0 ? flags : kept | carry | (n === 1 && overflow ? OF : 0);
          expect(got).toEqual({ rax: merge(rax, value, bits), flags: expected });
        }),
      );
    });

  it('SHLD and SHRD take the missing bits from the other register', () => {
    fc.assert(
      fc.property(fc.constantFrom<Bits>(16, 32, 64), any64, any64, COUNT, (bits, rax, rdx, count) => {
        const n = count & (bits === 64 ? 63 : 31);
        fc.pre(n > 0 && n <= bits);
        const [a, b] = [low(rax, bits), low(rdx, bits)];
        const prefix = bits === 16 ? [0x66] : bits === 64 ? [0x48] : [];
        const left = low((((a << BigInt(bits)) | b) << BigInt(n)) >> BigInt(bits), bits);
        const right = low(((b << BigInt(bits)) | a) >> BigInt(n), bits);
        const flags = (r: bigint, carry: number): number =>
          resultFlags(r, bits) | carry | (n === 1 && bitOf(a, bits - 1) !== bitOf(r, bits - 1) ? OF : 0);
        const shld = run([...prefix, 0x0f, 0xa5, 0xd0], rax, count, AF, rdx);
        expect(shld).toEqual({ rax: merge(rax, left, bits), flags: flags(left, bitOf(a, bits - n)) });
        const shrd = run([...prefix, 0x0f, 0xad, 0xd0], rax, count, AF, rdx);
        expect(shrd).toEqual({ rax: merge(rax, right, bits), flags: flags(right, bitOf(a, n - 1)) });
      }),
    );
  });
});
