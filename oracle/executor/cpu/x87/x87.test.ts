/** The x87 as a stack: faults and their masked answers, environments, saved state, MMX on the same registers. */
import { beforeEach, expect, test } from 'vitest';
import { CODE, DATA, type Fixture, fixture } from '../fixture.ts';
import { MXCSR, X87, X87_CONTROL, X87_STATUS, X87_TAG, XMM } from '../layout.ts';

let f: Fixture;
/** Run instructions one after the other; how the last one ended. */
const run = (...instructions: readonly (readonly number[])[]) => {
  const { cpu } = f;
  f.poke(CODE, [...instructions.flat(), 0x90]);
  cpu.rip = CODE;
  return cpu.run(instructions.length);
};
const bytesAt = (offset: number, length: number): number[] => {
  const at = f.maddr(DATA) + offset;
  return [...f.memory.bytes.subarray(at, at + length)];
};

const FLD1 = [0xd9, 0xe8];
const FLDZ = [0xd9, 0xee];
const FLDPI = [0xd9, 0xeb];
const FADDP = [0xde, 0xc1];
const FDIVP = [0xde, 0xf9];
const FNSTSW_AX = [0xdf, 0xe0];
/** FISTP m32, FBSTP m80, FLDCW, FNSTENV, FXSAVE and FXRSTOR at [RBX]. */
const FISTP = [0xdb, 0x1b];
const FBSTP = [0xdf, 0x33];
const FLDCW = [0xd9, 0x2b];
const FNSTENV = [0xd9, 0x33];
const FXSAVE = [0x0f, 0xae, 0x03];
const FXRSTOR = [0x0f, 0xae, 0x0b];

beforeEach(() => {
  f = fixture();
  f.cpu.setGpr(3, DATA);
  run([0xdb, 0xe3]);
});

test('one and one are two', () => {
  run(FLD1, FLD1, FADDP, FISTP);
  expect(bytesAt(0, 4)).toEqual([2, 0, 0, 0]);
  expect(f.cpu.s[X87_TAG]).toBe(0);
  expect(f.cpu.s[X87_STATUS]).toBe(0);
});

test('an empty stack gives the indefinite, a full one loses its bottom; C1 tells them apart', () => {
  run(FLD1, FADDP);
  expect(f.cpu.s[X87_STATUS] & 0x27f).toBe(0x41);
  run([0xdb, 0xe3]);
  run(...Array.from({ length: 9 }, () => FLD1));
  expect(f.cpu.s[X87_STATUS] & 0x27f).toBe(0x241);
  // The ninth went to register 7, where the first had been.
  expect(f.cpu.s[X87 + 28 + 2]).toBe(0xffff);
  expect(f.cpu.s[X87 + 28 + 1] >>> 0).toBe(0xc0000000);
});

test('an unmasked exception waits for the next instruction that looks', () => {
  f.poke(DATA, [0x7b, 0x03]);
  run(FLDCW, FLD1, FLDZ, FDIVP);
  expect(f.cpu.s[X87_STATUS] & 0x80ff).toBe(0x8084);
  expect(run(FLD1)).toMatchObject({ kind: 'fault', vector: 16 });
  expect(run(FNSTSW_AX).kind).toBe('limit');
  expect(f.cpu.gpr(0) & 0xffn).toBe(0x84n);
  run([0xdb, 0xe2]);
  expect(run(FLD1).kind).toBe('limit');
});

test('decimals', () => {
  run(FLDPI, FBSTP);
  expect(bytesAt(0, 10)).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(f.cpu.s[X87_STATUS] & 0x3f).toBe(0x20);
});

test('the environment has tags of two bits and masks everything afterwards', () => {
  f.poke(DATA, [0x40, 0x03]);
  run(FLDCW, FLD1, FLDZ, FNSTENV);
  expect(bytesAt(0, 12)).toEqual([0x40, 3, 255, 255, 0, 0x30, 255, 255, 0xff, 0x1f, 255, 255]);
  expect(f.cpu.s[X87_CONTROL]).toBe(0x37f);
});

test('FXSAVE and FXRSTOR carry the whole state over a reset', () => {
  const { s } = f.cpu;
  for (let n = 0; n < 64; n++) s[XMM + n] = n * 0x01010101;
  run(FLD1, FLDPI, FXSAVE);
  const before = s.slice(X87, MXCSR + 1);
  expect(bytesAt(0, 5)).toEqual([0x7f, 3, 0, 0x30, 0xc0]);
  s.fill(0, X87, XMM + 64);
  run([0xdb, 0xe3], FXRSTOR);
  expect(s.slice(X87, MXCSR + 1)).toEqual(before);
});

test('an FXSAVE area that is not aligned is #GP(0), one with a wrong MXCSR is not loaded', () => {
  f.cpu.setGpr(3, DATA + 8n);
  expect(run(FXSAVE)).toMatchObject({ kind: 'fault', vector: 13 });
  f.cpu.setGpr(3, DATA);
  run(FLD1, FXSAVE);
  f.poke(DATA + 27n, [0x80]);
  expect(run(FXRSTOR)).toMatchObject({ kind: 'fault', vector: 13 });
});

test('MMX makes all registers valid and the top 0; EMMS empties them', () => {
  const { cpu } = f;
  run(FLD1);
  cpu.setGpr(0, 0x0123456789abcdefn);
  // MOVQ mm3, rax; PADDB mm3, mm3.
  run([0x48, 0x0f, 0x6e, 0xd8], [0x0f, 0xfc, 0xdb]);
  expect(cpu.s[X87_TAG]).toBe(0xff);
  expect(cpu.s[X87_STATUS] & 0x3800).toBe(0);
  expect(cpu.u64[(X87 + 12) >> 1]).toBe(0x02468ace12569aden);
  expect(cpu.s[X87 + 12 + 2]).toBe(0xffff);
  run([0x0f, 0x77]);
  expect(cpu.s[X87_TAG]).toBe(0);
});
