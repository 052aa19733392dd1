/** As in compare.test.ts: each part of the state, changed in one bit, must be noticed, and no more be forgiven than is declared. */
import { describe, expect, it } from 'vitest';
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import { type FxState, fxImageOf, fxStateOf, sameFx } from '../../image/instruction/fx_state.ts';
import { fxDifference } from './fx_compare.ts';

const caseOf = (mnemonic: string) =>
  instructionCase(
    OPCODES.findIndex((row) => row.mnemonic === mnemonic),
    1,
  );

const ONE = (0x3fffn << 64n) | (1n << 63n);
const state = (change: Partial<FxState> = {}): FxState => ({
  control: 0x37f,
  status: 0x3800,
  tag: 0xff,
  registers: new Array<bigint>(8).fill(ONE),
  mxcsr: 0x1f80,
  xmm: new Array<bigint>(16).fill(0x3f8000003f8000003f8000003f800000n),
  ...change,
});
const at = (values: readonly bigint[], n: number, value: bigint): readonly bigint[] => values.with(n, value);

describe('x87 and SSE state', () => {
  it('goes through an image and back', () => {
    const random = state({ registers: [1n, 2n, 3n, 4n, 5n, 6n, 7n, ONE], xmm: Array.from({ length: 16 }, (_, n) => BigInt(n) << 100n) });
    expect(fxStateOf(fxImageOf(random))).toEqual(random);
    expect(sameFx(fxImageOf(random), fxImageOf(random))).toBe(true);
  });

  it.each([
    ['control', { control: 0x37e }],
    ['status', { status: 0x3801 }],
    ['tag', { tag: 0xfe }],
    ['mxcsr', { mxcsr: 0x1f81 }],
    ['a register', { registers: at(state().registers, 7, ONE + 1n) }],
    ['its exponent', { registers: at(state().registers, 0, ONE + (1n << 64n)) }],
    ['a vector', { xmm: at(state().xmm, 15, state().xmm[0] ^ (1n << 127n)) }],
  ] as const)('differs in %s', (_, change) => {
    expect(fxDifference(caseOf('addps'), state(), state(change as Partial<FxState>))).not.toBeNull();
    expect(sameFx(fxImageOf(state()), fxImageOf(state(change as Partial<FxState>)))).toBe(false);
  });

  it('does not tell the last instruction apart', () => {
    const image = fxImageOf(state());
    image.fill(7, 5, 24);
    expect(sameFx(image, fxImageOf(state()))).toBe(true);
  });
});

describe('a tolerance', () => {
  const registers = (bits: bigint) => state({ registers: at(state().registers, 0, bits) });

  it('is one unit of the last place, with C1 and PE, for the functions that are declared', () => {
    for (const bits of [ONE + 1n, ONE - (1n << 64n) + (1n << 63n) - 1n])
      expect(fxDifference(caseOf('fsin'), registers(ONE), registers(bits))).toBeNull();
    expect(fxDifference(caseOf('fsin'), state(), state({ status: 0x3800 | 0x220 }))).toBeNull();
    expect(fxDifference(caseOf('fsin'), registers(ONE), registers(ONE + 2n))).not.toBeNull();
    expect(fxDifference(caseOf('fsin'), registers(ONE), registers(ONE | (1n << 79n)))).not.toBeNull();
    expect(fxDifference(caseOf('fsqrt'), registers(ONE), registers(ONE + 1n))).not.toBeNull();
  });

  it('is one unit in both directions, also where normal numbers begin, and none for what is no number', () => {
    const forgiven = (a: bigint, b: bigint) =>
      [
        [a, b],
        [b, a],
      ].map(([seen, told]) => fxDifference(caseOf('fsin'), registers(seen!), registers(told!)) === null);
    const [largestDenormal, smallestNormal] = [(1n << 63n) - 1n, (1n << 64n) | (1n << 63n)];
    expect(forgiven(ONE, ONE + 1n)).toEqual([true, true]);
    expect(forgiven(ONE, ONE + 2n)).toEqual([false, false]);
    expect(forgiven(largestDenormal, smallestNormal)).toEqual([true, true]);
    expect(forgiven(largestDenormal - 1n, smallestNormal)).toEqual([false, false]);
    const infinity = (0x7fffn << 64n) | (1n << 63n);
    for (const other of [infinity + 1n, infinity - (1n << 64n) + (1n << 63n) - 1n])
      expect(forgiven(infinity, other)).toEqual([false, false]);
  });

  it('is relative for reciprocals, element by element', () => {
    const xmm = (low: bigint) => state({ xmm: at(state().xmm, 2, (state().xmm[2] & ~0xffffffffn) | low) });
    expect(fxDifference(caseOf('rcpps'), xmm(0x3f800800n), xmm(0x3f800000n))).toBeNull();
    expect(fxDifference(caseOf('rcpps'), xmm(0x3f804000n), xmm(0x3f800000n))).not.toBeNull();
    expect(fxDifference(caseOf('rcpps'), xmm(0x80000000n), xmm(0x80800000n))).toBeNull();
    expect(fxDifference(caseOf('rcpps'), xmm(0n), xmm(0x80800000n))).not.toBeNull();
    expect(fxDifference(caseOf('divps'), xmm(0x3f800800n), xmm(0x3f800000n))).not.toBeNull();
  });
});
