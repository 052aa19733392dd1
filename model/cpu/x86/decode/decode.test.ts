import { describe, expect, it } from 'vitest';
import type { DecodeMode } from '#spec/isa/x86/mode.ts';
import { toNumber } from '../../../word/word.ts';
import { NONE } from '../instruction.ts';
import { DS, ES, FS, RAX, RBP, RBX, RDI, RSI, SS } from '../state.ts';
import { decode } from './decode.ts';

const decoded = (mode: DecodeMode, ...code: number[]) => decode((index) => code[index] ?? 0, mode);
const named = (mode: DecodeMode, ...code: number[]): [string, number, number] => {
  const { mnemonic, length, size } = decoded(mode, ...code);
  return [mnemonic, length, size];
};

describe('sizes of operands and addresses', () => {
  it('come from the code, and prefixes 66 and 67 turn them over', () => {
    expect(named('16', 0x05, 1, 2)).toEqual(['add', 3, 2]);
    expect(named('16', 0x66, 0x05, 1, 2, 3, 4)).toEqual(['add', 6, 4]);
    expect(named('32', 0x05, 1, 2, 3, 4)).toEqual(['add', 5, 4]);
    expect(named('32', 0x66, 0x05, 1, 2)).toEqual(['add', 4, 2]);
    expect(named('64', 0x48, 0x05, 1, 2, 3, 4)).toEqual(['add', 6, 8]);
    for (const [mode, plain, other] of [
      ['16', 2, 4],
      ['32', 4, 2],
      ['64', 8, 4],
    ] as const) {
      expect(decoded(mode, 0xa4).addressSize).toBe(plain);
      expect(decoded(mode, 0x67, 0xa4).addressSize).toBe(other);
    }
  });

  it('are 64 bits for the stack in 64-bit code alone', () => {
    expect([named('64', 0x50), named('32', 0x50), named('16', 0x50)]).toEqual([
      ['push', 1, 8],
      ['push', 1, 4],
      ['push', 1, 2],
    ]);
  });
});

describe('memory operands', () => {
  it('of 16-bit addresses are pairs of registers', () => {
    const { src } = decoded('16', 0x8b, 0x42, 0xfe); // mov ax,[bp+si-2]
    expect([src.base, src.index, src.value.lo, src.segment, src.stack]).toEqual([RBP, RSI, -2, SS, true]);
    const alone = decoded('16', 0x8b, 0x06, 0x34, 0x12).src;
    expect([alone.base, alone.value.lo, alone.segment]).toEqual([NONE, 0x1234, DS]);
    const single = decoded('16', 0x8b, 0x87, 0x34, 0x12).src; // mov ax,[bx+1234]
    expect([single.base, single.index, single.value.lo]).toEqual([RBX, NONE, 0x1234]);
  });

  it('of 32-bit code have no RIP', () => {
    const { src, length } = decoded('32', 0x8b, 0x05, 4, 0, 0, 0);
    expect([src.base, src.value.lo, length]).toEqual([NONE, 4, 6]);
  });

  it('are in the segment that the last prefix says', () => {
    expect(decoded('32', 0x26, 0x64, 0x8b, 0x03).src.segment).toBe(FS);
    expect(decoded('32', 0x64, 0x26, 0x8b, 0x03).src.segment).toBe(ES);
    expect(decoded('64', 0x64, 0x26, 0x8b, 0x03).src.segment).toBe(FS);
    expect(decoded('32', 0x36, 0xa5).src).toMatchObject({ base: RSI, segment: SS, stack: true });
    expect(decoded('32', 0x36, 0xa5).dst).toMatchObject({ base: RDI, segment: ES, stack: false });
  });

  it('at an offset in the instruction have an address of the address size', () => {
    expect(named('16', 0xa1, 1, 2)).toEqual(['mov', 3, 2]);
    expect(named('32', 0xa1, 1, 2, 3, 4)).toEqual(['mov', 5, 4]);
    expect(named('32', 0x67, 0xa1, 1, 2)).toEqual(['mov', 4, 4]);
  });
});

describe('bytes that mean something else in other code', () => {
  it('40 to 4f are REX or INC and DEC', () => {
    expect(named('32', 0x40)).toEqual(['inc', 1, 4]);
    expect(named('16', 0x4f)).toEqual(['dec', 1, 2]);
    expect(named('64', 0x48, 0x90)).toEqual(['nop', 2, 8]);
  });

  it('63 is ARPL or MOVSXD', () => {
    expect([decoded('32', 0x63, 0xc1).mnemonic, decoded('64', 0x63, 0xc1).mnemonic]).toEqual(['arpl', 'movsxd']);
  });

  it('c4 and c5 are VEX when no memory operand follows', () => {
    const andn = [0xc4, 0xe2, 0x60, 0xf2, 0xc1]; // andn eax,ebx,ecx
    for (const mode of ['16', '32', '64'] as const) {
      const { mnemonic, length, size, dst, src, third } = decoded(mode, ...andn);
      expect([mnemonic, length, size, dst.index, src.index, third.index]).toEqual(['andn', 5, 4, RAX, RBX, 1]);
    }
    expect(named('32', 0xc4, 0x03)).toEqual(['les', 2, 4]);
    expect(named('16', 0xc5, 0x07)).toEqual(['lds', 2, 2]);
  });

  it('VEX refuses prefixes, and registers that nobody uses', () => {
    const refused = (mode: DecodeMode, ...code: number[]) => {
      try {
        return decoded(mode, ...code).mnemonic;
      } catch (thrown) {
        return (thrown as { fault?: { vector: number } }).fault?.vector ?? String(thrown);
      }
    };
    expect(refused('64', 0x66, 0xc4, 0xe2, 0x60, 0xf2, 0xc1)).toBe(6);
    expect(refused('64', 0xf0, 0xc4, 0xe2, 0x60, 0xf2, 0xc1)).toBe(6);
    expect(refused('64', 0x48, 0xc4, 0xe2, 0x60, 0xf2, 0xc1)).toBe(6);
    expect(refused('64', 0xc4, 0xe2, 0x64, 0xf2, 0xc1)).toBe(6); // L
    expect(refused('64', 0xc4, 0xe3, 0x63, 0xf0, 0xc1, 1)).toBe(6); // rorx with vvvv
    expect(refused('64', 0xc4, 0xe3, 0x7b, 0xf0, 0xc1, 1)).toBe('rorx');
    expect(refused('64', 0xc4, 0xe2, 0x78, 0xf3, 0xf9)).toBe(6); // group 17, 7
    expect(refused('64', 0xc5, 0xf8, 0x58, 0xc1)).toContain('instruction/vex-0f58');
    expect(refused('64', 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1)).toContain('instruction/evex');
  });

  it('62 is BOUND', () => {
    expect(named('32', 0x62, 0x03)).toEqual(['bound', 2, 4]);
  });
});

describe('far pointers in the instruction', () => {
  it('are as long as the operand size says', () => {
    const { dst, length } = decoded('32', 0x9a, 1, 2, 3, 4, 5, 6);
    expect([dst.kind, toNumber(dst.value), dst.index, length]).toEqual(['far', 0x4030201, 0x605, 7]);
    const short = decoded('16', 0xea, 0xff, 0xff, 5, 6);
    expect([toNumber(short.dst.value), short.dst.index, short.length]).toEqual([0xffff, 0x605, 5]);
  });
});
