/** Multiplication and division against BigInt. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODE, fixture } from './fixture.ts';
import { RAX, RCX, RDX } from './interface.ts';

const CARRY_OVERFLOW = 0x801n;
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, (1n << 31n) - 1n, 1n << 31n, (1n << 32n) - 1n, 1n << 63n, (1n << 64n) - 1n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.tuple(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat(63)).map(([v, n]) => v >> BigInt(n)),
);
const width = fc.constantFrom(8, 16, 32, 64);
const cut = (width: number, v: bigint): bigint => BigInt.asUintN(width, v);
const cast = (signed: boolean, width: number, v: bigint): bigint => (signed ? BigInt.asIntN(width, v) : BigInt.asUintN(width, v));

/** `F6` or `F7` with this ModRM.reg, on RCX. */
const unary = (reg: number, width: number): number[] => {
  const prefix = width === 16 ? [0x66] : width === 64 ? [0x48] : [];
  return [...prefix, width === 8 ? 0xf6 : 0xf7, 0xc1 | (reg << 3)];
};

test('MUL and IMUL give the double-width product, and tell in C and O whether it was needed', () => {
  const { cpu, poke } = fixture();
  fc.assert(
    fc.property(width, fc.boolean(), value, value, (width, signed, a, b) => {
      poke(CODE, unary(signed ? 5 : 4, width));
      cpu.rip = CODE;
      cpu.setGpr(RAX, a);
      cpu.setGpr(RCX, b);
      cpu.setGpr(RDX, 0n);
      cpu.run(1);
      const product = cast(signed, width, a) * cast(signed, width, b);
      const low = cut(width, cpu.gpr(RAX));
      const high = width === 8 ? cut(8, cpu.gpr(RAX) >> 8n) : cut(width, cpu.gpr(RDX));
      expect((high << BigInt(width)) | low).toBe(cut(2 * width, product));
      expect(cpu.rflags & 0x8d5n).toBe(cast(signed, width, product) === product ? 0n : CARRY_OVERFLOW);
    }),
    { numRuns: 2000 },
  );
});

test('IMUL with two operands', () => {
  const { cpu, poke } = fixture();
  fc.assert(
    fc.property(fc.constantFrom(16, 32, 64), value, value, (width, a, b) => {
      poke(CODE, [...(width === 16 ? [0x66] : width === 64 ? [0x48] : []), 0x0f, 0xaf, 0xc1]);
      cpu.rip = CODE;
      cpu.setGpr(RAX, a);
      cpu.setGpr(RCX, b);
      cpu.run(1);
      const product = BigInt.asIntN(width, a) * BigInt.asIntN(width, b);
      expect(cut(width, cpu.gpr(RAX))).toBe(cut(width, product));
      expect(cpu.rflags & 0x8d5n).toBe(BigInt.asIntN(width, product) === product ? 0n : CARRY_OVERFLOW);
    }),
    { numRuns: 1000 },
  );
});

test('DIV and IDIV divide or raise #DE, and leave registers alone when they do', () => {
  const { cpu, poke } = fixture();
  fc.assert(
    fc.property(width, fc.boolean(), value, value, fc.oneof(fc.constant(0n), value), (width, signed, low, divisor, high) => {
      poke(CODE, unary(signed ? 7 : 6, width));
      cpu.rip = CODE;
      cpu.setGpr(RAX, low);
      cpu.setGpr(RCX, divisor);
      cpu.setGpr(RDX, high);
      const exit = cpu.run(1);
      const whole = width === 8 ? cut(16, low) : (cut(width, high) << BigInt(width)) | cut(width, low);
      const a = cast(signed, 2 * width, whole);
      const b = cast(signed, width, divisor);
      if (b === 0n || cast(signed, width, a / b) !== a / b) {
        expect(exit).toEqual({ kind: 'fault', retired: 1, vector: 0, error: null, cr2: null });
        expect([cpu.gpr(RAX), cpu.gpr(RDX), cpu.rip]).toEqual([low, high, CODE]);
        return;
      }
      expect(exit.kind).toBe('limit');
      const rest = width === 8 ? cut(8, cpu.gpr(RAX) >> 8n) : cut(width, cpu.gpr(RDX));
      expect([cut(width, cpu.gpr(RAX)), rest]).toEqual([cut(width, a / b), cut(width, a % b)]);
    }),
    { numRuns: 3000 },
  );
});
