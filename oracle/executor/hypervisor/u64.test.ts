import { expect, test } from 'vitest';
import { hexText, highHalf, isCanonical, signed, U64, unsigned } from './u64.ts';

test.each([
  [0n, '0x0'],
  [0xfffn, '0xfff'],
  [0xffffffffn, '0xffffffff'],
  [0x1_0000_0000n, '0x100000000'],
  [0xffff_ffff_0000_0000n, '0xffffffff00000000'],
  [0x0123_4567_89ab_cdefn, '0x123456789abcdef'],
])('%i is spelled %s, also the second time', (value, text) => {
  const lo = Number(BigInt.asIntN(32, value));
  const hi = Number(BigInt.asIntN(32, value >> 32n));
  expect([hexText(lo, hi), hexText(lo, hi)]).toEqual([text, text]);
});

test('spellings that share a place in the memo do not mix', () => {
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 5000; i++) expect(hexText(i * 977, i & 3)).toBe(`0x${((BigInt(i & 3) << 32n) | BigInt(i * 977)).toString(16)}`);
});

test('halves, signs, canonical addresses', () => {
  expect([unsigned(-1, 1), signed(-1, -1), signed(0, 1), highHalf(-1), highHalf(2 ** 40)]).toEqual([2 ** 33 - 1, -1, 2 ** 32, -1, 256]);
  expect([0x7fff, 0x8000, 0xffff7fff | 0, 0xffff8000 | 0].map(isCanonical)).toEqual([true, false, false, true]);
  const cell = new U64();
  expect(cell.isZero()).toBe(true);
  cell.set(0x80000000, 0);
  expect([cell.lo, cell.isZero()]).toEqual([-0x80000000, false]);
});
