import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { read } from '../../../../memory/access.ts';
import { fromBigInt, toBigInt, toHex } from '../../../../word/word.ts';
import { type Fpu, FRESH_FPU, type Xmm } from '../../fpu/state.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../../sample.ts';
import { CR4, type SystemState } from '../../system/state.ts';

const xmm = (bits: bigint): Xmm => ({ hi: fromBigInt(bits >> 64n), lo: fromBigInt(BigInt.asUintN(64, bits)) });
const bits = ({ hi, lo }: Xmm): bigint => (toBigInt(hi) << 64n) | toBigInt(lo);
const holding = (first: bigint, second: bigint, mxcsr = 0x1f80): Fpu => ({
  ...FRESH_FPU,
  mxcsr,
  xmm: [xmm(first), xmm(second), ...FRESH_FPU.xmm.slice(2)],
});
const step = (code: readonly number[], fpu: Fpu, setting: Setting = {}, system: Partial<SystemState> = {}) => {
  const { cpu, memory } = sample(code, setting);
  return tryOne({ cpu: { ...cpu, fpu, system: { ...cpu.system, ...system } }, memory });
};
const single = (x: number): bigint => BigInt(new Uint32Array(Float32Array.of(x).buffer)[0]);
const at = (bytes: readonly number[]): Setting => ({ regs: { 3: BigInt(PLACE.data) }, bytes: { [PLACE.data]: bytes } });

const ADDSS = [0xf3, 0x0f, 0x58, 0xc1];
const DIVSS = [0xf3, 0x0f, 0x5e, 0xc1];
const DIVIDE_UNMASKED = 0x1f80 & ~(4 << 7);

describe('scalars', () => {
  it('leave the rest of the register', () => {
    const rest = 0xaaaa_bbbb_cccc_dddd_eeee_ffffn << 32n;
    const { fpu } = step(ADDSS, holding(rest | single(1.5), single(2))).cpu;
    expect(bits(fpu.xmm[0])).toBe(rest | single(3.5));
  });

  it('MOVSS from memory clears it', () => {
    const { fpu } = step([0xf3, 0x0f, 0x10, 0x03], holding(~0n & ((1n << 128n) - 1n), 0n), at([1, 2, 3, 4, 5])).cpu;
    expect(bits(fpu.xmm[0])).toBe(0x04030201n);
  });
});

describe('an unmasked exception', () => {
  it('is noted in MXCSR and changes nothing else', () => {
    const before = holding(single(1), single(0), DIVIDE_UNMASKED);
    const outcome = step(DIVSS, before);
    expect(outcome).toMatchObject({ kind: 'fault', fault: { vector: 19, error: null } });
    expect(outcome.cpu.fpu).toEqual({ ...before, mxcsr: DIVIDE_UNMASKED | 4 });
    expect(toHex(outcome.cpu.rip)).toBe('0x1000');
    expect(outcome.clauses).toContain('fp/sse-unmasked');
  });

  it('is #UD to a system that does not take it', () => {
    const { system } = sample([]).cpu;
    const outcome = step(DIVSS, holding(single(1), 0n, DIVIDE_UNMASKED), {}, { cr4: system.cr4 & ~CR4.OSXMMEXCPT });
    expect(outcome).toMatchObject({ kind: 'fault', fault: { vector: 6 } });
  });
});

describe('MXCSR', () => {
  it('has bits that cannot be set', () => {
    const ldmxcsr = [0x0f, 0xae, 0x13];
    expect(step(ldmxcsr, FRESH_FPU, at([0, 0, 1, 0]))).toMatchObject({ kind: 'fault', fault: { vector: 13, error: 0 } });
    expect(step(ldmxcsr, FRESH_FPU, at([0xff, 0xff, 2, 0])).cpu.fpu.mxcsr).toBe(0x2ffff);
  });
});

describe('comparisons and minimum', () => {
  it('MINSS gives the second of equals and of NaNs', () => {
    const min = (a: bigint, b: bigint) => bits(step([0xf3, 0x0f, 0x5d, 0xc1], holding(a, b)).cpu.fpu.xmm[0]);
    expect(min(single(0), single(-0))).toBe(single(-0));
    expect(min(0x7fc00001n, single(1))).toBe(single(1));
    expect(min(single(1), 0x7f800001n)).toBe(0x7f800001n);
  });

  it('UCOMISS tells the order in flags', () => {
    const flags = (a: number, b: number) => step([0x0f, 0x2e, 0xc1], holding(single(a), single(b))).cpu.flags & 0x8d5;
    expect([flags(1, 2), flags(2, 2), flags(3, 2), flags(1, Number.NaN)]).toEqual([1, 0x40, 0, 0x45]);
  });
});

describe('packed integers', () => {
  const any = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
  const packed = (opcode: number) => (a: bigint, b: bigint) => bits(step([0x66, 0x0f, opcode, 0xc1], holding(a, b)).cpu.fpu.xmm[0]);
  const elements = (value: bigint, width: number): bigint[] =>
    Array.from({ length: 128 / width }, (_, n) => BigInt.asUintN(width, value >> BigInt(width * n)));
  const joined = (list: readonly bigint[], width: number): bigint =>
    list.reduceRight((all, e) => (all << BigInt(width)) | BigInt.asUintN(width, e), 0n);
  const each = (width: number, f: (a: bigint, b: bigint) => bigint) => (a: bigint, b: bigint) => {
    const other = elements(b, width);
    return joined(
      elements(a, width).map((x, n) => f(x, other[n])),
      width,
    );
  };
  const clamp = (n: bigint, low: bigint, high: bigint): bigint => (n < low ? low : n > high ? high : n);
  const signed = (width: number, n: bigint): bigint => BigInt.asIntN(width, n);

  const rules: readonly (readonly [string, number, (a: bigint, b: bigint) => bigint])[] = [
    ['paddb', 0xfc, each(8, (a, b) => a + b)],
    ['paddq', 0xd4, each(64, (a, b) => a + b)],
    ['psubusw', 0xd9, each(16, (a, b) => clamp(a - b, 0n, 0xffffn))],
    ['paddsb', 0xec, each(8, (a, b) => clamp(signed(8, a) + signed(8, b), -128n, 127n))],
    ['pmulhw', 0xe5, each(16, (a, b) => (signed(16, a) * signed(16, b)) >> 16n)],
    ['pmulhuw', 0xe4, each(16, (a, b) => (a * b) >> 16n)],
    ['pmuludq', 0xf4, each(64, (a, b) => BigInt.asUintN(32, a) * BigInt.asUintN(32, b))],
    ['pavgb', 0xe0, each(8, (a, b) => (a + b + 1n) >> 1n)],
    ['pmaxsw', 0xee, each(16, (a, b) => (signed(16, a) > signed(16, b) ? a : b))],
    ['pcmpgtb', 0x64, each(8, (a, b) => (signed(8, a) > signed(8, b) ? 0xffn : 0n))],
    ['pandn', 0xdf, (a, b) => ~a & b & ((1n << 128n) - 1n)],
    ['punpcklqdq', 0x6c, (a, b) => BigInt.asUintN(64, a) | (BigInt.asUintN(64, b) << 64n)],
  ];
  for (const [name, opcode, expected] of rules)
    it(name, () =>
      fc.assert(
        fc.property(any, any, (a, b) => packed(opcode)(a, b) === expected(a, b)),
        { numRuns: 60 },
      ),
    );

  it('shift counts are whole numbers of 64 bits', () => {
    expect(packed(0xd1)(~0n & ((1n << 128n) - 1n), 1n << 40n)).toBe(0n); // psrlw
    expect(packed(0xe1)(0x8000n, 1n << 63n)).toBe(0xffffn); // psraw
  });
});

describe('MMX', () => {
  it('makes all x87 registers valid, and EMMS empty', () => {
    const loaded = step([0x0f, 0x6e, 0xc3], { ...FRESH_FPU, status: 5 << 11 }, { regs: { 3: 7n } }).cpu.fpu; // movd mm0,ebx
    expect(loaded).toMatchObject({ tag: 0xff, status: 0 });
    expect(loaded.registers[0]).toEqual({ top: 0xffff, significand: fromBigInt(7n) });
    expect(step([0x0f, 0x77], loaded).cpu.fpu.tag).toBe(0);
  });
});

describe('FXSAVE', () => {
  it('and FXRSTOR are each other’s inverse', () => {
    const fpu = { ...holding(123n, 456n, 0x3fbf), control: 0x27f, tag: 0x81, status: 7 << 11 };
    const saved = step([0x0f, 0xae, 0x03], fpu, at([]));
    const image = Array.from({ length: 512 }, (_, n) => read(saved.memory, frameOf(PLACE.data), n, 1).lo);
    expect(step([0x0f, 0xae, 0x0b], FRESH_FPU, at(image)).cpu.fpu).toEqual(fpu);
  });
  it('wants sixteen-byte boundaries', () => {
    expect(step([0x0f, 0xae, 0x03], FRESH_FPU, { regs: { 3: BigInt(PLACE.data + 8) } })).toMatchObject({ fault: { vector: 13 } });
  });
});

describe('XSAVE', () => {
  const live = { cr4: sample([]).cpu.system.cr4 | CR4.OSXSAVE, xcr0: fromBigInt(3n) };
  const both = { 0: 3n, 3: BigInt(PLACE.data) };
  const save = (code: readonly number[], fpu: Fpu) => {
    const { memory } = step(code, fpu, { regs: both }, live);
    return (at: number) => toHex(read(memory, frameOf(PLACE.data), at, 8));
  };

  it('notes what is in use', () => {
    expect(save([0x0f, 0xae, 0x23], FRESH_FPU)(512)).toBe('0x0');
    expect(save([0x0f, 0xae, 0x23], holding(1n, 0n))(512)).toBe('0x2');
    const compacted = save([0x0f, 0xc7, 0x23], { ...FRESH_FPU, control: 0x27f });
    expect([compacted(512), compacted(520)]).toEqual(['0x1', '0x8000000000000003']);
  });

  it('XRSTOR gives initial values to what is not there, and refuses a bad header', () => {
    const image = new Array<number>(576).fill(0);
    const used = holding(5n, 6n);
    const restore = (bytes: readonly number[]) => step([0x0f, 0xae, 0x2b], used, { regs: both, bytes: { [PLACE.data]: bytes } }, live);
    expect(restore(image).cpu.fpu).toEqual({ ...FRESH_FPU, mxcsr: 0 });
    expect(restore(image.with(512, 4))).toMatchObject({ kind: 'fault', fault: { vector: 13, error: 0 } });
    expect(restore(image.with(530, 1))).toMatchObject({ kind: 'fault', fault: { vector: 13, error: 0 } });
  });
});

describe('string comparisons', () => {
  const text = (s: string): bigint => [...s].reduceRight((all, c) => (all << 8n) | BigInt(c.charCodeAt(0)), 0n);
  const pcmpistri = (a: string, b: string, how: number) => step([0x66, 0x0f, 0x3a, 0x63, 0xc1, how], holding(text(a), text(b))).cpu;

  it('find a character, a range, a word', () => {
    expect(pcmpistri('xyz', 'abcyde', 0x00).regs[1].lo).toBe(3);
    expect(pcmpistri('09', 'abc7de', 0x04).regs[1].lo).toBe(3);
    expect(pcmpistri('cde', 'abcde', 0x0c).regs[1].lo).toBe(2);
    expect(pcmpistri('xyz', 'abc', 0x00).regs[1].lo).toBe(16);
  });
  it('tell in flags where a string ends', () => expect(pcmpistri('q', 'abcdefghijklmnop', 0x08).flags & 0x8d5).toBe(0x80));
});
