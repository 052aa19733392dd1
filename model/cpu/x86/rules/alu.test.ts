import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../word/word.ts';
import { AF, ARITHMETIC, CF, OF, PF, SF, ZF } from '../flags.ts';
import { sample, tryOne } from '../sample.ts';
import { RAX, RCX } from '../state.ts';

type Bits = 8 | 16 | 32 | 64;
const BITS = fc.constantFrom<Bits>(8, 16, 32, 64);
const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn),
  fc.constantFrom((1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n),
);

const low = (n: bigint, bits: Bits): bigint => BigInt.asUintN(bits, n);
const signed = (n: bigint, bits: Bits): bigint => BigInt.asIntN(bits, n);
/** What a register holds after its low part was written. */
const merge = (old: bigint, value: bigint, bits: Bits): bigint => (bits >= 32 ? low(value, bits) : old - low(old, bits) + low(value, bits));
/** `opcode` is the byte form; the wider one follows it. */
const encode = (bits: Bits, opcode: readonly number[], modrm: number): number[] => {
  const prefix = bits === 16 ? [0x66] : bits === 64 ? [0x48] : [];
  const last = opcode[opcode.length - 1] + (bits === 8 ? 0 : 1);
  return [...prefix, ...opcode.slice(0, -1), last, modrm];
};
/** AX and CX as destination and source of `op r/m, r`. */
const RAX_RCX = 0xc8;

const parity = (n: bigint): number => ([...(n & 0xffn).toString(2)].filter((c) => c === '1').length % 2 === 0 ? PF : 0);
const result = (r: bigint, bits: Bits): number => (r === 0n ? ZF : 0) | (signed(r, bits) < 0n ? SF : 0) | parity(r);
const when = (condition: boolean, flag: number): number => (condition ? flag : 0);

type Answer = { readonly value: bigint; readonly flags: number };
/** The definitions of the manuals in exact integers. */
const sum = (a: bigint, b: bigint, carry: bigint, bits: Bits): Answer => {
  const value = low(a + b + carry, bits);
  const exact = signed(a, bits) + signed(b, bits) + carry;
  const flags =
    result(value, bits) |
    when((a + b + carry) >> BigInt(bits) !== 0n, CF) |
    when((a & 15n) + (b & 15n) + carry > 15n, AF) |
    when(exact !== signed(exact, bits), OF);
  return { value, flags };
};
const difference = (a: bigint, b: bigint, borrow: bigint, bits: Bits): Answer => {
  const value = low(a - b - borrow, bits);
  const exact = signed(a, bits) - signed(b, bits) - borrow;
  const flags =
    result(value, bits) | when(a < b + borrow, CF) | when((a & 15n) < (b & 15n) + borrow, AF) | when(exact !== signed(exact, bits), OF);
  return { value, flags };
};
const logic = (value: bigint, bits: Bits): Answer => ({ value, flags: result(value, bits) });

/** The value of RAX and the arithmetic flags after `op eAX, eCX`. */
const run = (code: number[], rax: bigint, rcx: bigint, flags: number) => {
  const outcome = tryOne(sample(code, { regs: { [RAX]: rax, [RCX]: rcx }, flags }));
  return {
    rax: toBigInt(outcome.cpu.regs[RAX]),
    rcx: toBigInt(outcome.cpu.regs[RCX]),
    flags: outcome.cpu.flags & ARITHMETIC,
    kind: outcome.kind,
  };
};

const BINARY: Record<string, { opcode: number; rule: (a: bigint, b: bigint, carry: bigint, bits: Bits) => Answer }> = {
  ADD: { opcode: 0x00, rule: (a, b, _, bits) => sum(a, b, 0n, bits) },
  OR: { opcode: 0x08, rule: (a, b, _, bits) => logic(a | b, bits) },
  ADC: { opcode: 0x10, rule: sum },
  SBB: { opcode: 0x18, rule: difference },
  AND: { opcode: 0x20, rule: (a, b, _, bits) => logic(a & b, bits) },
  SUB: { opcode: 0x28, rule: (a, b, _, bits) => difference(a, b, 0n, bits) },
  XOR: { opcode: 0x30, rule: (a, b, _, bits) => logic(a ^ b, bits) },
};

describe('of exact integers', () => {
  for (const [name, { opcode, rule }] of Object.entries(BINARY))
    it(`${name} gives the low part, and flags`, () => {
      fc.assert(
        fc.property(BITS, any64, any64, fc.boolean(), (bits, rax, rcx, carry) => {
          const got = run(encode(bits, [opcode], RAX_RCX), rax, rcx, carry ? CF : 0);
          const { value, flags } = rule(low(rax, bits), low(rcx, bits), carry ? 1n : 0n, bits);
          expect(got).toEqual({ rax: merge(rax, value, bits), rcx, flags, kind: 'retired' });
        }),
      );
    });

  it('CMP gives the flags of SUB, TEST those of AND, and neither writes', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, rax, rcx) => {
        const compared = run(encode(bits, [0x38], RAX_RCX), rax, rcx, 0);
        expect(compared).toEqual({ rax, rcx, flags: difference(low(rax, bits), low(rcx, bits), 0n, bits).flags, kind: 'retired' });
        const tested = run(encode(bits, [0x84], RAX_RCX), rax, rcx, OF | CF | AF);
        expect(tested).toEqual({ rax, rcx, flags: logic(low(rax & rcx, bits), bits).flags, kind: 'retired' });
      }),
    );
  });

  it('INC and DEC leave CF alone', () => {
    fc.assert(
      fc.property(BITS, any64, fc.boolean(), (bits, rax, carry) => {
        const old = carry ? CF : 0;
        const up = sum(low(rax, bits), 1n, 0n, bits);
        expect(run(encode(bits, [0xfe], 0xc0), rax, 0n, old)).toMatchObject({
          rax: merge(rax, up.value, bits),
          flags: (up.flags & ~CF) | old,
        });
        const down = difference(low(rax, bits), 1n, 0n, bits);
        expect(run(encode(bits, [0xfe], 0xc8), rax, 0n, old)).toMatchObject({
          rax: merge(rax, down.value, bits),
          flags: (down.flags & ~CF) | old,
        });
      }),
    );
  });

  it('NEG subtracts from zero, NOT flips without flags', () => {
    fc.assert(
      fc.property(BITS, any64, (bits, rax) => {
        const { value, flags } = difference(0n, low(rax, bits), 0n, bits);
        expect(run(encode(bits, [0xf6], 0xd8), rax, 0n, 0)).toMatchObject({ rax: merge(rax, value, bits), flags });
        expect(run(encode(bits, [0xf6], 0xd0), rax, 0n, CF)).toMatchObject({ rax: merge(rax, low(~rax, bits), bits), flags: CF });
      }),
    );
  });

  it('XADD leaves the old value in the source', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, rax, rcx) => {
        const { value, flags } = sum(low(rax, bits), low(rcx, bits), 0n, bits);
        const expected = { rax: merge(rax, value, bits), rcx: merge(rcx, low(rax, bits), bits), flags };
        expect(run(encode(bits, [0x0f, 0xc0], RAX_RCX), rax, rcx, 0)).toMatchObject(expected);
      }),
    );
  });
});

describe('operands', () => {
  it('AH to BH are second bytes without REX, and SPL to DIL with it', () => {
    expect(run([0x00, 0xe1], 0x1200n, 0x34n, 0).rcx).toBe(0x46n); // add cl,ah
    expect(toBigInt(tryOne(sample([0x40, 0x00, 0xe1], { regs: { 1: 0x34n, 4: 0x1202n } })).cpu.regs[1])).toBe(0x36n); // add cl,spl
  });

  it('an immediate byte is sign-extended', () => {
    expect(run([0x48, 0x83, 0xc0, 0xff], 5n, 0n, 0).rax).toBe(4n); // add rax,-1
    expect(run([0x48, 0x05, 0xff, 0xff, 0xff, 0xff], 5n, 0n, 0).rax).toBe(4n);
  });

  it('an old state stays what it was', () => {
    const start = sample([0x48, 0x01, 0xc8], { regs: { [RAX]: 1n, [RCX]: 2n } });
    tryOne(start);
    expect(start.cpu.regs[RAX]).toEqual(fromBigInt(1n));
  });
});
