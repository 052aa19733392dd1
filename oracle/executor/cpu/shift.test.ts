/** Shifts and rotates against BigInt; flags where the manuals define them, zero where they do not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODE, fixture } from './fixture.ts';
import { RAX, RCX } from './interface.ts';

const [CF, PF, ZF, SF, OF] = [1n, 4n, 0x40n, 0x80n, 0x800n];
const NAMES = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar'] as const;

type Answer = { readonly result: bigint; readonly carry: bigint };

/** One place at a time, as the manuals write it. */
const bitByBit = (name: string, width: number, start: bigint, carryIn: bigint, count: number): Answer => {
  const high = BigInt(width - 1);
  const mask = (1n << BigInt(width)) - 1n;
  let v = start;
  let carry = carryIn;
  for (let i = 0; i < count; i++) {
    const top = (v >> high) & 1n;
    const low = v & 1n;
    const into = { rol: top, rcl: carry, shl: 0n, ror: low, rcr: carry, shr: 0n, sar: top }[name] as bigint;
    const left = name === 'rol' || name === 'rcl' || name === 'shl';
    v = left ? ((v << 1n) & mask) | into : (v >> 1n) | (into << high);
    carry = left ? top : low;
  }
  return { result: v, carry };
};

test('all shifts at all sizes by CL and by an immediate', () => {
  const { cpu, poke } = fixture();
  const anything = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(
      fc.nat(7),
      fc.constantFrom(8, 16, 32, 64),
      anything,
      fc.nat(255),
      fc.boolean(),
      fc.boolean(),
      (n, width, a, raw, cl, carryIn) => {
        const prefix = width === 16 ? [0x66] : width === 64 ? [0x48] : [];
        const wide = width === 8 ? 0 : 1;
        poke(CODE, [...prefix, (cl ? 0xd2 : 0xc0) + wide, 0xc0 | (n << 3), ...(cl ? [] : [raw])]);
        cpu.rip = CODE;
        cpu.rflags = 2n | SF | PF | (carryIn ? CF : 0n);
        cpu.setGpr(RAX, a);
        cpu.setGpr(RCX, BigInt(raw));
        cpu.run(1);
        const before = BigInt.asUintN(width, a);
        const count = raw & (width === 64 ? 63 : 31);
        const { result, carry } = bitByBit(NAMES[n], width, before, carryIn ? 1n : 0n, count);
        expect(BigInt.asUintN(width, cpu.gpr(RAX))).toBe(result);
        const flags = cpu.rflags & 0x8d5n;
        if (count === 0) {
          expect(flags).toBe(SF | PF | (carryIn ? CF : 0n));
          return;
        }
        const top = (v: bigint): bigint => (v >> BigInt(width - 1)) & 1n;
        const second = (v: bigint): bigint => (v >> BigInt(width - 2)) & 1n;
        const left = ['rol', 'rcl', 'shl'].includes(NAMES[n]);
        const over = NAMES[n] === 'sar' ? 0n : NAMES[n] === 'shr' ? top(before) : left ? top(result) ^ carry : top(result) ^ second(result);
        const beyond = count > width && (NAMES[n] === 'shl' || NAMES[n] === 'shr');
        const common = (count === 1 && over === 1n ? OF : 0n) | (carry === 1n && !beyond ? CF : 0n);
        const ones = [...(result & 0xffn).toString(2)].filter((digit) => digit === '1').length;
        const byResult = (result === 0n ? ZF : 0n) | (top(result) === 1n ? SF : 0n) | (ones % 2 === 0 ? PF : 0n);
        expect(flags).toBe(common | (n < 4 ? SF | PF : byResult));
      },
    ),
    { numRuns: 3000 },
  );
});

test('SHLD and SHRD shift one value into another', () => {
  const { cpu, poke } = fixture();
  const anything = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(fc.boolean(), fc.constantFrom(32, 64), anything, anything, fc.nat(255), (left, width, a, b, raw) => {
      poke(CODE, [...(width === 64 ? [0x48] : []), 0x0f, left ? 0xa4 : 0xac, 0xc8, raw]); // SHxD rAX, rCX, raw
      cpu.rip = CODE;
      cpu.setGpr(RAX, a);
      cpu.setGpr(RCX, b);
      cpu.run(1);
      const count = BigInt(raw & (width - 1));
      const [x, y] = [BigInt.asUintN(width, a), BigInt.asUintN(width, b)];
      const bits = BigInt(width);
      const joined = left ? ((x << bits) | y) >> (bits - count) : ((y << bits) | x) >> count;
      expect(cpu.gpr(RAX)).toBe(BigInt.asUintN(width, joined));
    }),
    { numRuns: 500 },
  );
});
