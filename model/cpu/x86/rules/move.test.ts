import { describe, expect, it } from 'vitest';
import { CONDITIONS } from '#spec/isa/x86/opcodes.ts';
import { read } from '../../../memory/access.ts';
import { fromNumber, toBigInt, toNumber } from '../../../word/word.ts';
import { CF, OF, PF, SF, ZF } from '../flags.ts';
import { frameOf, PLACE, regAfter, type Setting, sample, tryOne } from '../sample.ts';
import { FS } from '../state.ts';

const rax = (code: number[], setting: Setting = {}): bigint => toBigInt(regAfter(code, setting, 0));
const data = BigInt(PLACE.data);
const bytes = { [PLACE.data]: [0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x99] };

describe('addresses', () => {
  const at = (code: number[], regs: Record<number, bigint> = {}): bigint => rax([0x48, ...code], { regs });

  it('are base, scaled index and displacement', () => {
    expect(at([0x8d, 0x44, 0x8b, 0x10], { 3: 0x1000n, 1: 0x20n })).toBe(0x1090n); // lea rax,[rbx+rcx*4+16]
    expect(at([0x8d, 0x84, 0x24, 0, 1, 0, 0], { 4: 0x1000n })).toBe(0x1100n); // lea rax,[rsp+256]
    expect(at([0x8d, 0x04, 0x25, 0xf0, 0xff, 0xff, 0xff])).toBe(0xffff_ffff_ffff_fff0n); // lea rax,[-16]
    expect(at([0x8d, 0x44, 0x25, 0x00], { 5: 7n, 4: 100n })).toBe(7n); // lea rax,[rbp+0]: index 4 is none
  });

  it('R12 can be an index, R13 needs a displacement', () => {
    expect(rax([0x4a, 0x8d, 0x04, 0x23], { regs: { 3: 1n, 12: 5n } })).toBe(6n); // lea rax,[rbx+r12]
    expect(rax([0x49, 0x8d, 0x45, 0x01], { regs: { 13: 5n } })).toBe(6n); // lea rax,[r13+1]
  });

  it('can be relative to the next instruction', () => {
    expect(at([0x8d, 0x05, 0x10, 0, 0, 0])).toBe(BigInt(PLACE.code + 7 + 16));
  });

  it('are 32 bits wide under a 67 prefix, and LEA cuts to its operand', () => {
    expect(rax([0x67, 0x48, 0x8d, 0x03], { regs: { 3: 0x1_2345_6789n } })).toBe(0x2345_6789n);
    expect(rax([0x8d, 0x03], { regs: { 3: 0x1_2345_6789n } })).toBe(0x2345_6789n);
    expect(rax([0x66, 0x8d, 0x03], { regs: { 0: 0x1_0000n, 3: 0x1_2345_6789n } })).toBe(0x1_6789n);
  });

  it('add the base of FS or GS when overridden so', () => {
    const start = sample([0x64, 0x8a, 0x03], { regs: { 3: 0x10n }, bytes: { [PLACE.data + 0x10]: [0x42] } }); // mov al,fs:[rbx]
    const cpu = { ...start.cpu, segments: { ...start.cpu.segments, fsBase: fromNumber(PLACE.data) } };
    expect(toNumber(tryOne({ ...start, cpu }).cpu.regs[0])).toBe(0x42);
    expect(FS).toBe(4);
  });
});

describe('moves', () => {
  it('of 32 bits clear the upper half, smaller ones keep it', () => {
    const regs = { 0: 0xffff_ffff_ffff_ffffn, 3: data };
    expect(rax([0x8b, 0x03], { regs, bytes })).toBe(0x8483_8281n);
    expect(rax([0x66, 0x8b, 0x03], { regs, bytes })).toBe(0xffff_ffff_ffff_8281n);
    expect(rax([0x8a, 0x03], { regs, bytes })).toBe(0xffff_ffff_ffff_ff81n);
  });

  it('MOVZX, MOVSX and MOVSXD extend', () => {
    const regs = { 3: data };
    expect(rax([0x0f, 0xb6, 0x03], { regs, bytes })).toBe(0x81n);
    expect(rax([0x48, 0x0f, 0xbe, 0x03], { regs, bytes })).toBe(0xffff_ffff_ffff_ff81n);
    expect(rax([0x0f, 0xbf, 0x03], { regs, bytes })).toBe(0xffff_8281n);
    expect(rax([0x48, 0x63, 0x03], { regs, bytes })).toBe(0xffff_ffff_8483_8281n);
  });

  it('take 64-bit immediates and absolute addresses', () => {
    expect(rax([0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8])).toBe(0x0807_0605_0403_0201n);
    expect(rax([0x48, 0xa1, 0, 0x40, 0, 0, 0, 0, 0, 0], { bytes })).toBe(0x8887_8685_8483_8281n);
    expect(rax([0x48, 0xc7, 0xc0, 0xff, 0xff, 0xff, 0xff])).toBe(0xffff_ffff_ffff_ffffn);
  });

  it('reach unaligned words and cross pages', () => {
    expect(rax([0x48, 0x8b, 0x43, 0x01], { regs: { 3: data }, bytes })).toBe(0x9988_8786_8584_8382n);
    const across = sample([0x48, 0x89, 0x03], { regs: { 0: 0x1122_3344_5566_7788n, 3: data + 0xffdn } });
    const { memory } = tryOne(across);
    expect(read(memory, frameOf(PLACE.data), 0xffc, 4).lo).toBe(0x6677_8800);
    expect(toBigInt(read(memory, frameOf(PLACE.data + 4096), 0, 8))).toBe(0x11_2233_4455n);
  });

  it('sign-extend rAX in place and into rDX', () => {
    expect(rax([0x66, 0x98], { regs: { 0: 0x12_3480n } })).toBe(0x12_ff80n); // cbw
    expect(rax([0x98], { regs: { 0: 0x12_8000n } })).toBe(0xffff_8000n); // cwde
    expect(rax([0x48, 0x98], { regs: { 0: 0x8000_0000n } })).toBe(0xffff_ffff_8000_0000n); // cdqe
    expect(toBigInt(regAfter([0x99], { regs: { 0: 0x8000_0000n } }, 2))).toBe(0xffff_ffffn); // cdq
    expect(toBigInt(regAfter([0x48, 0x99], { regs: { 0: 1n, 2: 5n } }, 2))).toBe(0n); // cqo
  });

  it('XLAT looks AL up', () => {
    expect(rax([0xd7], { regs: { 0: 0x5503n, 3: data }, bytes })).toBe(0x5584n);
  });
});

describe('conditions', () => {
  /** Flags that make each condition true, and others that make it false. */
  const CASES: Record<(typeof CONDITIONS)[number], readonly [yes: readonly number[], no: readonly number[]]> = {
    o: [[OF], [0]],
    no: [[0], [OF]],
    b: [[CF], [0]],
    ae: [[0], [CF]],
    e: [[ZF], [0]],
    ne: [[0], [ZF]],
    be: [[CF, ZF, CF | ZF], [0]],
    a: [[0], [CF, ZF]],
    s: [[SF], [0]],
    ns: [[0], [SF]],
    p: [[PF], [0]],
    np: [[0], [PF]],
    l: [
      [SF, OF],
      [0, SF | OF],
    ],
    ge: [
      [0, SF | OF],
      [SF, OF],
    ],
    le: [
      [ZF, SF, OF, ZF | SF | OF],
      [0, SF | OF],
    ],
    g: [
      [0, SF | OF],
      [ZF, SF, OF],
    ],
  };
  for (const [n, condition] of CONDITIONS.entries())
    it(`SET${condition}, CMOV${condition} and J${condition} agree`, () => {
      for (const [wanted, all] of CASES[condition].entries())
        for (const flags of all) {
          const holds = wanted === 0;
          expect(rax([0x0f, 0x90 + n, 0xc0], { flags })).toBe(holds ? 1n : 0n);
          expect(rax([0x0f, 0x40 + n, 0xc1], { flags, regs: { 0: 0xf_0000_0005n, 1: 9n } })).toBe(holds ? 9n : 5n);
          expect(toNumber(tryOne(sample([0x70 + n, 0x10], { flags })).cpu.rip)).toBe(PLACE.code + 2 + (holds ? 16 : 0));
        }
    });

  it('CMOV reads memory even when it does not move', () => {
    expect(tryOne(sample([0x0f, 0x44, 0x03], { regs: { 3: BigInt(PLACE.absent) } })).kind).toBe('fault');
  });
});
