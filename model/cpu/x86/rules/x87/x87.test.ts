import { describe, expect, it } from 'vitest';
import { read } from '../../../../memory/access.ts';
import { toHex } from '../../../../word/word.ts';
import { stBits } from '../../fpu/stack.ts';
import { extendedOf, type Fpu, FRESH_FPU } from '../../fpu/state.ts';
import { C0, C1, C2, C3, topOf } from '../../fpu/words.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../../sample.ts';

const ONE = 0x3fff_8000_0000_0000_0000n;
const TWO = 0x4000_8000_0000_0000_0000n;
const QUIET = 0x7fff_c000_0000_0000_0000n;
const INDEFINITE = 0xffff_c000_0000_0000_0000n;
const [IE, DE, PE, SF, ES] = [1, 2, 0x20, 0x40, 0x8080];
const ALL_UNMASKED = 0x340;

/** A unit whose stack holds these values, the first on top. */
const holding = (values: readonly bigint[], more: Partial<Fpu> = {}): Fpu => {
  const top = (8 - values.length) & 7;
  const registers = FRESH_FPU.registers.map((empty, n) => (n >= top && values.length > 0 ? extendedOf(values[n - top]) : empty));
  const tag = values.length === 0 ? 0 : (0xff << top) & 0xff;
  return { ...FRESH_FPU, status: top << 11, tag, registers, ...more };
};
const step = (code: readonly number[], fpu: Fpu, setting: Setting = {}) => {
  const { cpu, memory } = sample(code, setting);
  return tryOne({ cpu: { ...cpu, fpu }, memory });
};
const fpuAfter = (code: readonly number[], fpu: Fpu, setting: Setting = {}): Fpu => step(code, fpu, setting).cpu.fpu;
const st = (fpu: Fpu, n = 0): bigint => stBits(fpu, n);
/** Memory at RBX. */
const at = (bytes: readonly number[]): Setting => ({ regs: { 3: BigInt(PLACE.data) }, bytes: { [PLACE.data]: bytes } });
const codes = ({ status }: Fpu): number => status & (C0 | C2 | C3);

const FLD1 = [0xd9, 0xe8];
const FADDP = [0xde, 0xc1];
const FSTP_M64 = [0xdd, 0x1b];

describe('the stack', () => {
  it('pushes downwards and pops upwards', () => {
    const one = fpuAfter(FLD1, FRESH_FPU);
    expect([topOf(one), one.tag, st(one)]).toEqual([7, 0x80, ONE]);
    const two = fpuAfter(FADDP, fpuAfter(FLD1, one));
    expect([topOf(two), two.tag, st(two)]).toEqual([7, 0x80, TWO]);
  });

  it('overflows into an indefinite number, and says so in C1', () => {
    const full = holding(new Array<bigint>(8).fill(ONE));
    expect(fpuAfter(FLD1, full)).toMatchObject({ status: IE | SF | C1 | (7 << 11) });
    expect(st(fpuAfter(FLD1, full))).toBe(INDEFINITE);
  });

  it('underflows without C1', () => {
    const fpu = fpuAfter(FADDP, holding([ONE]));
    expect(fpu.status & (IE | SF | C1)).toBe(IE | SF);
    expect(st(fpu)).toBe(INDEFINITE);
  });

  it('unmasked, a fault of the stack changes nothing but the status', () => {
    const before = holding([ONE], { control: ALL_UNMASKED });
    expect(fpuAfter(FADDP, before)).toEqual({ ...before, status: before.status | IE | SF | ES });
  });

  it('D9 D8+i pops an empty register without a word', () => {
    expect(fpuAfter([0xd9, 0xd9], holding([]))).toMatchObject({ status: 1 << 11, tag: 0 });
  });
});

describe('exceptions', () => {
  it('a denormal operand is told, and unmasked keeps the sum from happening', () => {
    const operands = [1n, ONE];
    expect(fpuAfter([0xd8, 0xc1], holding(operands)).status & 0x3f).toBe(DE | PE);
    const stopped = fpuAfter([0xd8, 0xc1], holding(operands, { control: ALL_UNMASKED }));
    expect([st(stopped), stopped.status & 0xff]).toEqual([1n, DE | 0x80]);
  });

  it('an unmasked exception waits for the next instruction', () => {
    const pending = holding([ONE], { control: ALL_UNMASKED, status: (7 << 11) | IE | ES });
    expect(step(FLD1, pending)).toMatchObject({ kind: 'fault', fault: { vector: 16 } });
    expect(step([0xdb, 0xe2], pending)).toMatchObject({ kind: 'retired' }); // FNCLEX does not wait
  });

  it('FLDCW can make one pending', () => {
    expect(fpuAfter([0xd9, 0x2b], holding([], { status: IE }), at([0x40, 0x03])).status).toBe(IE | ES);
    expect(fpuAfter([0xd9, 0x2b], holding([]), at([0xff, 0xff])).control).toBe(0x1f7f);
  });

  it('a store that is refused leaves memory and stack', () => {
    const nan = holding([0x7fff_8000_0000_0000_0001n], { control: ALL_UNMASKED });
    const outcome = step(FSTP_M64, nan, at([1, 2, 3, 4, 5, 6, 7, 8]));
    expect(toHex(read(outcome.memory, frameOf(PLACE.data), 0, 8))).toBe('0x807060504030201');
    expect(outcome.cpu.fpu).toMatchObject({ status: nan.status | IE | ES, tag: nan.tag });
  });

  it('C1 tells that rounding grew the magnitude', () => {
    const third = (rounding: number) =>
      fpuAfter([0xd8, 0xf1], holding([ONE, 0x4000_c000_0000_0000_0000n], { control: 0x37f | (rounding << 10) }));
    expect([0, 1, 2, 3].map((rounding) => (third(rounding).status & C1) !== 0)).toEqual([true, false, true, false]);
  });
});

describe('comparisons', () => {
  it('order in C3 C2 C0', () => {
    const fcom = (a: bigint, b: bigint) => codes(fpuAfter([0xd8, 0xd1], holding([a, b])));
    expect([fcom(ONE, TWO), fcom(TWO, TWO), fcom(TWO, ONE), fcom(ONE, QUIET)]).toEqual([C0, C3, 0, C0 | C2 | C3]);
  });

  it('FUCOM takes quiet NaNs, FCOM does not', () => {
    expect(fpuAfter([0xdd, 0xe1], holding([ONE, QUIET])).status & IE).toBe(0);
    expect(fpuAfter([0xd8, 0xd1], holding([ONE, QUIET])).status & IE).toBe(IE);
  });

  it('FCOMI sets flags', () => {
    const { flags } = step([0xdb, 0xf1], holding([ONE, TWO]), { flags: 0x8d4 }).cpu;
    expect(flags & 0x8d5).toBe(1);
  });

  it('FXAM classifies what is there, empty or not', () => {
    const fxam = (fpu: Fpu) => codes(fpuAfter([0xd9, 0xe5], fpu));
    expect([0n, ONE, 1n, QUIET, 0x7fff_8000_0000_0000_0000n, 0x7fff_0000_0000_0000_0000n].map((v) => fxam(holding([v])))).toEqual([
      C3,
      C2,
      C3 | C2,
      C0,
      C2 | C0,
      0,
    ]);
    expect(fxam(holding([]))).toBe(C3 | C0);
  });
});

describe('precision and constants', () => {
  it('precision control rounds sums, not loads', () => {
    const single = 0x07f;
    const sum = fpuAfter([0xd8, 0xc1], holding([ONE, 0x3fdf_8000_0000_0000_0000n], { control: single }));
    expect([st(sum), sum.status & PE]).toEqual([ONE, PE]);
    const pi = fpuAfter([0xd9, 0xeb], holding([], { control: single }));
    expect(st(pi)).toBe(0x4000_c90f_daa2_2168_c235n);
  });

  it('FLDPI follows the rounding mode', () => {
    const pi = (rounding: number) => st(fpuAfter([0xd9, 0xeb], holding([], { control: 0x37f | (rounding << 10) }))) & 0xffn;
    expect([0, 1, 2, 3].map(pi)).toEqual([0x35n, 0x34n, 0x35n, 0x34n]);
  });
});

describe('images', () => {
  it('FNSTENV makes the tag word up, and masks everything', () => {
    const fpu = holding([ONE, 0n, QUIET], { control: ALL_UNMASKED });
    const outcome = step([0xd9, 0x33], fpu, at([]));
    const word = (n: number) => toHex(read(outcome.memory, frameOf(PLACE.data), 4 * n, 4));
    expect([0, 1, 2, 3, 4, 5, 6].map(word)).toEqual(['0xffff0340', '0xffff2800', '0xffff93ff', '0x0', '0x0', '0x0', '0xffff0000']);
    expect(outcome.cpu.fpu.control).toBe(0x37f);
  });

  it('FRSTOR brings back what FNSAVE wrote', () => {
    const fpu = holding([ONE, QUIET, TWO]);
    const saved = step([0xdd, 0x33], fpu, at([]));
    expect(saved.cpu.fpu).toMatchObject({ control: 0x37f, status: 0, tag: 0 });
    const bytes = Array.from({ length: 108 }, (_, n) => read(saved.memory, frameOf(PLACE.data), n, 1).lo);
    const restored = step([0xdd, 0x23], FRESH_FPU, at(bytes));
    expect(restored.cpu.fpu).toEqual(fpu);
  });
});

describe('transcendental instructions', () => {
  it('refuse large angles', () => {
    const large = 0x403e_8000_0000_0000_0000n;
    const fpu = fpuAfter([0xd9, 0xfe], holding([large]));
    expect([st(fpu), fpu.status & C2]).toEqual([large, C2]);
    expect(fpuAfter([0xd9, 0xfe], fpu.status & C2 ? holding([0n], { status: fpu.status }) : fpu).status & C2).toBe(0);
  });
  it('have sharp ends', () => {
    expect(st(fpuAfter([0xd9, 0xf2], holding([0n])), 0)).toBe(ONE); // FPTAN pushes 1
    expect(st(fpuAfter([0xd9, 0xf0], holding([ONE])))).toBe(ONE); // 2^1 − 1
    expect(st(fpuAfter([0xd9, 0xf0], holding([TWO])))).toBe(TWO); // beyond its domain
    expect(st(fpuAfter([0xd9, 0xf1], holding([TWO, ONE])))).toBe(ONE); // 1 · log₂ 2
  });
});
