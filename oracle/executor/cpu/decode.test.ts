/** Decoding by mode: lengths, addresses, and what begins with the bytes of VEX. */
import { describe, expect, test } from 'vitest';
import { NotModelled } from '#spec/failure.ts';
import { decode } from './decode.ts';
import { NO_REGISTER } from './instruction.ts';
import type { CodeKind } from './mode.ts';

const [BX, BP, SI] = [3, 5, 6];
const of = (kind: CodeKind, ...bytes: number[]) => decode((at) => bytes[at] ?? 0, kind);
const told = (kind: CodeKind, ...bytes: number[]) => {
  const { row, length, size, address } = of(kind, ...bytes);
  return [row.mnemonic, length, size, address];
};

describe('sizes', () => {
  test('of operands and addresses by mode and prefix', () => {
    expect(told('64', 0x8b, 0x00)).toEqual(['mov', 2, 4, 8]);
    expect(told('32', 0x8b, 0x00)).toEqual(['mov', 2, 4, 4]);
    expect(told('16', 0x8b, 0x00)).toEqual(['mov', 2, 2, 2]);
    expect(told('32', 0x66, 0x67, 0x8b, 0x00)).toEqual(['mov', 4, 2, 2]);
    expect(told('16', 0x66, 0x67, 0x8b, 0x00)).toEqual(['mov', 4, 4, 4]);
    expect(told('16', 0xb8, 1, 2)).toEqual(['mov', 3, 2, 2]);
    expect(told('16', 0xa1, 1, 2)).toEqual(['mov', 3, 2, 2]);
    expect(told('32', 0xa1, 1, 2, 3, 4)).toEqual(['mov', 5, 4, 4]);
  });
  test('a far pointer in the instruction: offset of the operand size, then the selector', () => {
    expect(of('16', 0x9a, 0x34, 0x12, 0x78, 0x56)).toMatchObject({ length: 5, immediate: 0x1234, immediate2: 0x5678 });
    expect(of('32', 0xea, 4, 3, 2, 1, 0x78, 0x56)).toMatchObject({ length: 7, immediate: 0x01020304, immediate2: 0x5678 });
  });
});

describe('addresses', () => {
  test('of 16 bits', () => {
    expect(of('16', 0x8b, 0x40, 0xff)).toMatchObject({ length: 3, base: BX, index: SI, displacement: -1 });
    expect(of('16', 0x8b, 0x86, 0x00, 0x80)).toMatchObject({ length: 4, base: BP, index: NO_REGISTER, displacement: 0x8000 });
    expect(of('16', 0x8b, 0x06, 0x34, 0x12)).toMatchObject({ length: 4, base: NO_REGISTER, displacement: 0x1234 });
  });
  test('a lone displacement counts from RIP in 64-bit mode alone', () => {
    expect(of('32', 0x8b, 0x05, 1, 0, 0, 0).base).toBe(NO_REGISTER);
    expect(of('64', 0x8b, 0x05, 1, 0, 0, 0).base).not.toBe(NO_REGISTER);
  });
  test('all six overrides count outside 64-bit mode, the last one', () => {
    expect(of('32', 0x64, 0x2e, 0x8b, 0x00).segment).toBe(1);
    expect(of('64', 0x64, 0x2e, 0x8b, 0x00).segment).toBe(4);
  });
});

describe('what 64-bit mode uses for something else', () => {
  test('40 to 4F, 63, and BOUND, LES, LDS by their operand', () => {
    expect(told('32', 0x48)).toEqual(['dec', 1, 4, 4]);
    expect(told('32', 0x63, 0xc1)[0]).toBe('arpl');
    expect(told('32', 0x62, 0x00)[0]).toBe('bound');
    expect(told('32', 0xc4, 0x00)[0]).toBe('les');
    expect(told('32', 0xc5, 0x00)[0]).toBe('lds');
    expect(told('real', 0xc5, 0xc0)[0]).toBe('invalid');
  });
  test('VEX: R, X and B are complements, and vvvv; outside 64-bit mode there are eight registers and 32 bits', () => {
    const andn = [0xc4, 0x42, 0xa0, 0xf2, 0xc1];
    expect(of('64', ...andn)).toMatchObject({ length: 5, size: 8, reg: 8, rm: 9, vvvv: 11 });
    expect(of('32', 0xc4, 0xc2, 0xa0, 0xf2, 0xc1)).toMatchObject({ size: 4, reg: 0, rm: 1, vvvv: 3 });
    expect(of('64', 0x66, ...andn).row.mnemonic).toBe('invalid');
    expect(of('64', 0xc4, 0x42, 0xa4, 0xf2, 0xc1).row.mnemonic).toBe('invalid');
    expect(() => of('64', 0xc5, 0xf8, 0x58, 0xc0)).toThrow(NotModelled);
    expect(() => of('32', 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0)).toThrow('instruction/evex');
  });
});
