/** Sums, differences, logic and their lazy flags against BigInt arithmetic, through real instructions. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FLAGS, RFLAGS } from '#spec/isa/x86/flags.ts';
import { CODE, fixture } from './fixture.ts';
import { RAX, RCX } from './interface.ts';

const { CF, PF, AF, ZF, SF, OF } = RFLAGS;
const ARITHMETIC = CF | PF | AF | ZF | SF | OF;
const OPERATIONS = ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'] as const;
type Operation = (typeof OPERATIONS)[number];

/** What the manual says, over unsigned values of `width` bits. */
const expected = (name: Operation, a: bigint, b: bigint, carry: bigint, width: number): { result: bigint; flags: number } => {
  const bits = BigInt(width);
  const cut = (v: bigint): bigint => BigInt.asUintN(width, v);
  const signed = (v: bigint): bigint => BigInt.asIntN(width, v);
  const c = name === 'adc' || name === 'sbb' ? carry : 0n;
  const sum = name === 'add' || name === 'adc';
  const logic = { and: a & b, or: a | b, xor: a ^ b }[name as 'and'];
  const full = logic ?? (sum ? a + b + c : a - b - c);
  const result = cut(full);
  const exact = sum ? signed(a) + signed(b) + c : signed(a) - signed(b) - c;
  const ones = [...(result & 0xffn).toString(2)].filter((digit) => digit === '1').length;
  let flags = (result === 0n ? ZF : 0) | ((result >> (bits - 1n)) & 1n ? SF : 0) | (ones % 2 === 0 ? PF : 0);
  if (logic === undefined) {
    if (full !== result) flags |= CF;
    if (exact !== signed(result)) flags |= OF;
    if (((a ^ b ^ result) & 16n) !== 0n) flags |= AF;
  }
  return { result: name === 'cmp' ? a : result, flags };
};

const bytesOf = (n: number, width: number): number[] => {
  const opcode = 8 * n + (width === 8 ? 0 : 1);
  const prefix = width === 16 ? [0x66] : width === 64 ? [0x48] : [];
  return [...prefix, opcode, 0xc8]; // OP rAX, rCX
};

const edge = fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 63n);
const value = fc.oneof(edge, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const width = fc.constantFrom(8, 16, 32, 64);

test('results and flags of the eight operations at all sizes', () => {
  const { cpu, poke } = fixture();
  fc.assert(
    fc.property(fc.nat(7), width, value, value, fc.boolean(), (n, width, a, b, carry) => {
      poke(CODE, bytesOf(n, width));
      cpu.rip = CODE;
      cpu.rflags = carry ? 3n : 2n;
      cpu.setGpr(RAX, a);
      cpu.setGpr(RCX, b);
      expect(cpu.run(1)).toEqual({ kind: 'limit', retired: 1 });
      const cut = (v: bigint): bigint => BigInt.asUintN(width, v);
      const { result, flags } = expected(OPERATIONS[n], cut(a), cut(b), carry ? 1n : 0n, width);
      const upper = width === 64 ? 0n : width === 32 && OPERATIONS[n] !== 'cmp' ? 0n : a - cut(a);
      expect(cpu.gpr(RAX)).toBe(upper + result);
      expect(Number(cpu.rflags) & ARITHMETIC).toBe(flags);
    }),
    { numRuns: 2000 },
  );
});

test('INC and DEC keep the carry that any earlier instruction left', () => {
  const { cpu, poke } = fixture();
  fc.assert(
    fc.property(fc.nat(7), width, value, value, fc.boolean(), (n, width, a, b, down) => {
      const prefix = width === 16 ? [0x66] : width === 64 ? [0x48] : [];
      const code = bytesOf(n, width);
      poke(CODE, [...code, ...prefix, width === 8 ? 0xfe : 0xff, down ? 0xca : 0xc2]); // INC or DEC of rDX
      cpu.rip = CODE;
      cpu.rflags = 2n;
      cpu.setGpr(RAX, a);
      cpu.setGpr(RCX, b);
      cpu.setGpr(2, a);
      cpu.run(1);
      const before = Number(cpu.rflags) & CF;
      cpu.run(1);
      const cut = (v: bigint): bigint => BigInt.asUintN(width, v);
      const { result, flags } = expected(down ? 'sub' : 'add', cut(a), 1n, 0n, width);
      expect(cut(cpu.gpr(2))).toBe(result);
      expect(Number(cpu.rflags) & ARITHMETIC).toBe((flags & ~CF) | before);
    }),
    { numRuns: 500 },
  );
});

test('undefined flags of a multiplication read as zero', () => {
  const { cpu } = fixture([0x48, 0x0f, 0xaf, 0xc1]); // IMUL RAX, RCX
  cpu.rflags = BigInt(2 | ARITHMETIC);
  cpu.setGpr(RAX, 3n);
  cpu.setGpr(RCX, 5n);
  cpu.run(1);
  expect(FLAGS['imul'].undefined).toBe('SZAP');
  expect(cpu.rflags).toBe(2n);
});
