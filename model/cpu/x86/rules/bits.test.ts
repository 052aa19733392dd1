import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { toBigInt } from '../../../word/word.ts';
import { AF, ARITHMETIC, CF, ZF } from '../flags.ts';
import { frameOf, PLACE, sample, tryOne } from '../sample.ts';

const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat(63).map((n) => 1n << BigInt(n)),
  fc.constant(0n),
);
const BITS = fc.constantFrom(16, 32, 64);
const low = (n: bigint, bits: number): bigint => BigInt.asUintN(bits, n);
const prefix = (bits: number): number[] => (bits === 16 ? [0x66] : bits === 64 ? [0x48] : []);
const text = (n: bigint, bits: number): string => low(n, bits).toString(2).padStart(bits, '0');
/** RAX and the arithmetic flags after an instruction on rAX and rCX. */
const run = (code: number[], rax: bigint, rcx: bigint, flags = 0) => {
  const { cpu } = tryOne(sample(code, { regs: { 0: rax, 1: rcx }, flags }));
  return { rax: toBigInt(cpu.regs[0]), flags: cpu.flags & ARITHMETIC };
};
const written = (old: bigint, value: bigint, bits: number): bigint => (bits === 16 ? old - low(old, 16) + value : value);

describe('counting', () => {
  it('POPCNT, TZCNT and LZCNT count as text does', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, rax, rcx) => {
        const digits = text(rcx, bits);
        const [ones, zeros] = [digits.replaceAll('0', '').length, low(rcx, bits) === 0n];
        const trailing = zeros ? bits : digits.length - 1 - digits.lastIndexOf('1');
        const leading = zeros ? bits : digits.indexOf('1');
        const form = (opcode: number): number[] => [
          ...(bits === 16 ? [0x66] : []),
          0xf3,
          ...(bits === 64 ? [0x48] : []),
          0x0f,
          opcode,
          0xc1,
        ];
        const answer = (n: number, carry: number) => ({ rax: written(rax, BigInt(n), bits), flags: (n === 0 ? ZF : 0) | carry });
        expect(run(form(0xb8), rax, rcx, ARITHMETIC)).toEqual(answer(ones, 0));
        expect(run(form(0xbc), rax, rcx)).toEqual(answer(trailing, zeros ? CF : 0));
        expect(run(form(0xbd), rax, rcx)).toEqual(answer(leading, zeros ? CF : 0));
      }),
    );
  });

  it('BSF and BSR find the ends, and keep the destination when there is nothing to find', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, rax, rcx) => {
        const digits = text(rcx, bits);
        const none = low(rcx, bits) === 0n;
        const answer = (n: number) => (none ? { rax, flags: ZF } : { rax: written(rax, BigInt(n), bits), flags: 0 });
        expect(run([...prefix(bits), 0x0f, 0xbc, 0xc1], rax, rcx, CF)).toEqual(answer(bits - 1 - digits.lastIndexOf('1')));
        expect(run([...prefix(bits), 0x0f, 0xbd, 0xc1], rax, rcx, CF)).toEqual(answer(bits - 1 - digits.indexOf('1')));
      }),
    );
  });
});

describe('single bits', () => {
  it('of a register: the offset counts modulo its width; ZF stays', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, rax, rcx) => {
        const at = rcx % BigInt(bits);
        const mask = 1n << at;
        const carry = (rax & mask) === 0n ? 0 : CF;
        const all = (opcode: number) => run([...prefix(bits), 0x0f, opcode, 0xc8], rax, rcx, ZF | AF);
        const answer = (value: bigint) => ({ rax: written(rax, low(value, bits), bits), flags: ZF | carry });
        expect(all(0xa3)).toEqual({ rax, flags: ZF | carry }); // bt
        expect(all(0xab)).toEqual(answer(rax | mask)); // bts
        expect(all(0xb3)).toEqual(answer(rax & ~mask)); // btr
        expect(all(0xbb)).toEqual(answer(rax ^ mask)); // btc
      }),
    );
  });

  it('of memory: a register offset reaches anywhere, backwards too', () => {
    fc.assert(
      fc.property(fc.integer({ min: -4096, max: 4096 }), (offset) => {
        const regs = { 1: BigInt(offset), 3: BigInt(PLACE.data + 1024) };
        const outcome = tryOne(sample([0x48, 0x0f, 0xab, 0x0b], { regs })); // bts [rbx],rcx
        const byte = PLACE.data + 1024 + Math.floor(offset / 8);
        const value = read(outcome.memory, frameOf(byte), byte % 4096, 1).lo;
        expect(value).toBe(1 << (((offset % 8) + 8) % 8));
      }),
    );
  });

  it('of memory: an immediate offset stays inside the operand', () => {
    const outcome = tryOne(sample([0x0f, 0xba, 0x2b, 33], { regs: { 3: BigInt(PLACE.data) } })); // bts dword [rbx],33
    expect(read(outcome.memory, frameOf(PLACE.data), 0, 8).lo).toBe(2);
  });
});

describe('byte order', () => {
  it('BSWAP reverses a register; of 16 bits it leaves 0', () => {
    expect(run([0x0f, 0xc8], 0xffff_ffff_1122_3344n, 0n).rax).toBe(0x4433_2211n);
    expect(run([0x48, 0x0f, 0xc8], 0x1122_3344_5566_7788n, 0n).rax).toBe(0x8877_6655_4433_2211n);
    expect(run([0x66, 0x0f, 0xc8], 0x1_2345n, 0n).rax).toBe(0x1_0000n);
  });

  it('MOVBE reverses on the way to and from memory', () => {
    const bytes = { [PLACE.data]: [1, 2, 3, 4, 5, 6, 7, 8] };
    const load = tryOne(sample([0x66, 0x0f, 0x38, 0xf0, 0x03], { regs: { 3: BigInt(PLACE.data) }, bytes }));
    expect(toBigInt(load.cpu.regs[0])).toBe(0x0102n);
    const store = tryOne(sample([0x48, 0x0f, 0x38, 0xf1, 0x03], { regs: { 0: 0x0102_0304_0506_0708n, 3: BigInt(PLACE.data) } }));
    expect(toBigInt(read(store.memory, frameOf(PLACE.data), 0, 8))).toBe(0x0807_0605_0403_0201n);
  });
});
