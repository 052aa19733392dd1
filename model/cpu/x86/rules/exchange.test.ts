import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { toBigInt } from '../../../word/word.ts';
import { CF, SF, ZF } from '../flags.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../sample.ts';

const data = BigInt(PLACE.data);
const littleEndian = (n: bigint, size = 8): number[] => Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * i)) & 0xffn));
const run = (code: number[], setting: Setting) => {
  const outcome = tryOne(sample(code, setting));
  const word = (offset: number): bigint => toBigInt(read(outcome.memory, frameOf(PLACE.data), offset, 8));
  return { ...outcome, word, reg: (n: number): bigint => toBigInt(outcome.cpu.regs[n]) };
};

describe('XCHG', () => {
  it('swaps register and memory', () => {
    const after = run([0x48, 0x87, 0x03], { regs: { 0: 1n, 3: data }, bytes: { [PLACE.data]: littleEndian(2n) } });
    expect([after.reg(0), after.word(0)]).toEqual([2n, 1n]);
  });

  it('of 32-bit registers clears both upper halves, but 90 is NOP', () => {
    const ones = (1n << 64n) - 1n;
    const both = run([0x91], { regs: { 0: ones, 1: ones } }); // xchg ecx,eax
    expect([both.reg(0), both.reg(1)]).toEqual([0xffff_ffffn, 0xffff_ffffn]);
    expect(run([0x90], { regs: { 0: ones } }).reg(0)).toBe(ones);
    expect(run([0x41, 0x90], { regs: { 0: 1n, 8: 2n } }).reg(8)).toBe(1n); // xchg r8d,eax
  });
});

describe('CMPXCHG', () => {
  const attempt = (rax: bigint) =>
    run([0xf0, 0x48, 0x0f, 0xb1, 0x0b], { regs: { 0: rax, 1: 7n, 3: data }, bytes: { [PLACE.data]: littleEndian(5n) } });

  it('stores when rAX has the old value', () => {
    const hit = attempt(5n);
    expect([hit.word(0), hit.reg(0), hit.cpu.flags & ZF]).toEqual([7n, 5n, ZF]);
  });

  it('loads rAX when it has not', () => {
    const miss = attempt(4n);
    expect([miss.word(0), miss.reg(0), miss.cpu.flags & (ZF | CF | SF)]).toEqual([5n, 5n, CF | SF]);
  });

  it('needs the right to write even when it does not store', () => {
    const regs = { 0: 1n, 3: BigInt(PLACE.readOnly) };
    expect(run([0x48, 0x0f, 0xb1, 0x0b], { regs })).toMatchObject({ kind: 'fault', fault: { vector: 14, error: 7 } });
  });
});

describe('CMPXCHG8B and CMPXCHG16B', () => {
  const bytes = { [PLACE.data]: [...littleEndian(0x1111_1111_2222_2222n), ...littleEndian(3n)] };

  it('compare EDX:EAX with eight bytes', () => {
    const regs = { 0: 0x2222_2222n, 2: 0x1111_1111n, 3: 0xaan, 1: 0xbbn, 6: data };
    const hit = run([0x0f, 0xc7, 0x0e], { regs, bytes });
    expect([hit.word(0), hit.cpu.flags & ZF]).toEqual([0xbb_0000_00aan, ZF]);
    const miss = run([0x0f, 0xc7, 0x0e], { regs: { ...regs, 0: 0xffff_0000_0000n }, bytes });
    expect([miss.reg(0), miss.reg(2), miss.cpu.flags & ZF]).toEqual([0x2222_2222n, 0x1111_1111n, 0]);
  });

  it('compare RDX:RAX with sixteen aligned bytes', () => {
    const regs = { 0: 0x1111_1111_2222_2222n, 2: 3n, 3: 0xaan, 1: 0xbbn, 6: data };
    const hit = run([0x48, 0x0f, 0xc7, 0x0e], { regs, bytes });
    expect([hit.word(0), hit.word(8), hit.cpu.flags & ZF]).toEqual([0xaan, 0xbbn, ZF]);
    const miss = run([0x48, 0x0f, 0xc7, 0x0e], { regs: { ...regs, 2: 4n }, bytes });
    expect([miss.reg(0), miss.reg(2), miss.word(8)]).toEqual([0x1111_1111_2222_2222n, 3n, 3n]);
    expect(run([0x48, 0x0f, 0xc7, 0x0e], { regs: { ...regs, 6: data + 8n }, bytes })).toMatchObject({ fault: { vector: 13, error: 0 } });
  });
});
