import { describe, expect, it } from 'vitest';
import type { X86Mode } from '#spec/isa/x86/mode.ts';
import { read } from '../../../memory/access.ts';
import { toBigInt, toNumber } from '../../../word/word.ts';
import { AF, ARITHMETIC, CF, IF, OF, SF, ZF } from '../flags.ts';
import { frameOf, inMode, PLACE, type Setting, sample, tryOne } from '../sample.ts';
import { CS, type Hidden, RAX, RBP, RCX, RDI, RSI, RSP, SS } from '../state.ts';

type Parts = Readonly<Record<number, Partial<Hidden>>>;
const run = (mode: X86Mode, code: number[], setting: Setting = {}, parts: Parts = {}) => tryOne(inMode(sample(code, setting), mode, parts));
const ended = (...of: Parameters<typeof run>): string => {
  const outcome = run(...of);
  return 'fault' in outcome ? `${outcome.kind} ${outcome.fault.vector} ${outcome.fault.error}` : outcome.kind;
};
const reg = (n: number, ...of: Parameters<typeof run>): bigint => toBigInt(run(...of).cpu.regs[n]);
const rip = (...of: Parameters<typeof run>): number => toNumber(run(...of).cpu.rip);
const wordAt = (of: ReturnType<typeof run>, address: number, size: 1 | 2 | 4): number =>
  read(of.memory, frameOf(address), address % 4096, size).lo >>> 0;

describe('the stack', () => {
  it('moves by the operand size, and by as much of RSP as the B bit says', () => {
    const top = { regs: { [RAX]: 0x12345678n, [RSP]: 0xffff0000_ffffb000n } };
    const bytes = 0xffff0000_ffff0000n;
    expect(reg(RSP, 'compat16', [0x50], top)).toBe(bytes + 0xaffen);
    expect(reg(RSP, 'compat16', [0x66, 0x50], top)).toBe(bytes + 0xaffcn);
    expect(wordAt(run('compat16', [0x66, 0x50], top), 0xaffc, 4)).toBe(0x12345678);
    expect(reg(RSP, 'compat32', [0x50], { regs: { [RSP]: 0xffff0000_0000b000n } })).toBe(0xaffcn);
    expect(reg(RSP, 'compat32', [0x50], { regs: { [RSP]: 0x7b000n } }, { [SS]: { rights: 0xf3 } })).toBe(0x7affcn);
  });

  it('of 16 bits wraps within 64 KiB', () => {
    expect(reg(RSP, 'real', [0x50], { regs: { [RSP]: 0n } })).toBe(0xfffen);
    expect(ended('real', [0x50], { regs: { [RSP]: 1n } })).toBe('fault 12 0');
  });

  it('PUSHA pushes eight registers and the old stack pointer, POPA leaves it alone', () => {
    const regs = { 0: 1n, 1: 2n, 2: 3n, 3: 4n, 4: 0xb000n, 5: 6n, 6: 7n, 7: 8n };
    const outcome = run('compat32', [0x60], { regs });
    const pushed = Array.from({ length: 8 }, (_, n) => wordAt(outcome, 0xb000 - 4 * (n + 1), 4));
    expect(pushed).toEqual([1, 2, 3, 4, 0xb000, 6, 7, 8]);
    expect(toNumber(outcome.cpu.regs[RSP])).toBe(0xb000 - 32);
    const bytes = { [PLACE.data]: Array.from({ length: 16 }, (_, n) => n) };
    const popped = run('compat16', [0x61], { regs: { [RSP]: BigInt(PLACE.data), [RAX]: 0xffff0000n }, bytes }).cpu.regs;
    expect([RDI, RSI, RBP, RSP, RAX].map((n) => toNumber(popped[n]))).toEqual([0x100, 0x302, 0x504, PLACE.data + 16, 0xffff0f0e]);
  });

  it('PUSHA that cannot write all leaves what it has written, and the registers as they were', () => {
    const outcome = run('compat32', [0x60], { regs: { [RAX]: 7n, [RSP]: BigInt(PLACE.stack + 16) } });
    expect(outcome).toMatchObject({ kind: 'fault', fault: { vector: 14, error: 6 } });
    expect(wordAt(outcome, PLACE.stack + 12, 4)).toBe(7);
    expect(toNumber(outcome.cpu.regs[RSP])).toBe(PLACE.stack + 16);
  });

  it('ENTER and LEAVE work on frames of any size', () => {
    const entered = run('compat32', [0xc8, 8, 0, 0], { regs: { [RBP]: 0x1234n, [RSP]: 0xb000n } });
    expect([RBP, RSP].map((n) => toNumber(entered.cpu.regs[n]))).toEqual([0xaffc, 0xaff4]);
    expect(wordAt(entered, 0xaffc, 4)).toBe(0x1234);
    const left = run('compat16', [0xc9], { regs: { [RBP]: 0x74000n, [RSP]: 0x50010n }, bytes: { [PLACE.data]: [0x34, 0x12] } });
    expect([RBP, RSP].map((n) => toNumber(left.cpu.regs[n]))).toEqual([0x71234, 0x54002]);
  });
});

describe('branches', () => {
  it('wrap at 64 KiB with 16-bit operands', () => {
    expect(rip('compat16', [0xe9, 0xff, 0xef])).toBe(2);
    expect(rip('compat32', [0x66, 0xe9, 0xff, 0xef])).toBe(3);
    expect(rip('compat32', [0xe9, 0xff, 0xef, 0xff, 0xff])).toBe(4);
    expect(rip('compat32', [0xe9, 0, 0, 0, 0xf0])).toBe(0xf0001005);
    expect(ended('compat16', [0x66, 0xe9, 0, 0, 1, 0])).toBe('fault 13 0');
  });

  it('LOOP and JCXZ count in as much of RCX as addresses have', () => {
    const cx = { regs: { [RCX]: 0x10000n } };
    expect(rip('compat16', [0xe3, 0x10], cx)).toBe(0x1012);
    expect(rip('compat32', [0xe3, 0x10], cx)).toBe(0x1002);
    expect(rip('compat32', [0x67, 0xe3, 0x10], cx)).toBe(0x1013);
    expect(reg(RCX, 'compat16', [0xe2, 0x10], cx)).toBe(0x1ffffn);
    expect(rip('compat16', [0xe2, 0x10], { regs: { [RCX]: 0x10001n } })).toBe(0x1002);
  });

  it('CALL and RET push and pop what RIP has', () => {
    expect(wordAt(run('compat16', [0xe8, 0, 1]), PLACE.stack + 0x7fe, 2)).toBe(0x1003);
    expect(rip('compat16', [0xc3], { bytes: { [PLACE.stack + 0x800]: [0x34, 0x12] } })).toBe(0x1234);
    expect(ended('compat32', [0xc3], { bytes: { [PLACE.stack + 0x800]: [0, 0, 1, 0] } }, { [CS]: { limit: 0xffff } })).toBe('fault 13 0');
  });
});

describe('decimal arithmetic', () => {
  const ax = (code: number[], value: number, flags = 0) => {
    const { cpu } = run('compat32', code, { regs: { [RAX]: BigInt(value) }, flags });
    return [toNumber(cpu.regs[RAX]), cpu.flags & (AF | CF)];
  };
  it('DAA and DAS keep two digits', () => {
    expect(ax([0x27], 0x0f)).toEqual([0x15, AF]);
    expect(ax([0x27], 0x9a)).toEqual([0, AF | CF]);
    expect(ax([0x27], 0x32, CF)).toEqual([0x92, CF]);
    expect(ax([0x2f], 0x0f)).toEqual([0x09, AF]);
    expect(ax([0x2f], 0xaa)).toEqual([0x44, AF | CF]);
    expect(ax([0x2f], 0x03, AF)).toEqual([0xfd, AF | CF]);
  });
  it('AAA and AAS keep one', () => {
    expect(ax([0x37], 0x020b)).toEqual([0x0301, AF | CF]);
    expect(ax([0x37], 0x0219)).toEqual([0x0209, 0]);
    expect(ax([0x3f], 0x020b)).toEqual([0x0105, AF | CF]);
    expect(ax([0x3f], 0x0003, AF)).toEqual([0xfe0d, AF | CF]);
  });
  it('AAM and AAD split and join in any base', () => {
    expect(ax([0xd4, 10], 0xff63)).toEqual([0x0909, 0]);
    expect(ax([0xd5, 10], 0x0909)).toEqual([99, 0]);
    expect(ended('compat32', [0xd4, 0])).toBe('fault 0 null');
  });
});

describe('small ones', () => {
  it('BOUND compares signed', () => {
    const bounds = { bytes: { [PLACE.data]: [0xfe, 0xff, 0xff, 0xff, 3, 0, 0, 0] } };
    const index = (n: bigint) => ended('compat32', [0x62, 0x03], { regs: { [RAX]: n, 3: BigInt(PLACE.data) }, ...bounds });
    expect([index(3n), index(0xfffffffen), index(4n), index(0xfffffffdn)]).toEqual(['retired', 'retired', 'fault 5 null', 'fault 5 null']);
  });

  it('INTO traps on overflow', () => {
    expect([ended('compat32', [0xce]), ended('compat32', [0xce], { flags: OF })]).toEqual(['retired', 'trap 4 null']);
  });

  it('SALC, ARPL', () => {
    expect([reg(RAX, 'compat32', [0xd6], { flags: CF }), reg(RAX, 'compat32', [0xd6], { regs: { [RAX]: 0x1ffn } })]).toEqual([
      0xffn,
      0x100n,
    ]);
    const arpl = run('compat32', [0x63, 0xc8], { regs: { [RAX]: 0x1231n, [RCX]: 2n } }).cpu;
    expect([toNumber(arpl.regs[RAX]), arpl.flags & ARITHMETIC]).toEqual([0x1232, ZF]);
    expect(run('compat32', [0x63, 0xc8], { regs: { [RAX]: 0x1233n, [RCX]: 2n } }).cpu.flags & ARITHMETIC).toBe(0);
    expect(ended('real', [0x63, 0xc8])).toBe('fault 6 null');
  });

  it('string instructions move as much of the pointers as addresses have', () => {
    const regs = { [RSI]: 0x1ffffn, [RDI]: 0x24000n, [RCX]: 0x10001n };
    const { cpu } = run('compat16', [0xf3, 0xa4], { regs });
    expect([RSI, RDI, RCX].map((n) => toNumber(cpu.regs[n]))).toEqual([0x10000, 0x24001, 0x10000]);
    expect(toNumber(cpu.rip)).toBe(PLACE.code + 2);
  });

  it('XLAT adds in the address size', () => {
    const bytes = { [PLACE.data + 1]: [0x77] };
    expect(reg(RAX, 'compat16', [0xd7], { regs: { [RAX]: 2n, 3: 0x10000n + BigInt(PLACE.data - 1) }, bytes })).toBe(0x77n);
  });
});

describe('flags as a whole', () => {
  const popped = (mode: X86Mode, image: number, flags = 0) =>
    run(mode, [0x9d], { bytes: { [PLACE.stack + 0x800]: [image & 0xff, image >> 8, 0, 0] }, flags });
  const IOPL = 0x3000;

  it('IF changes by IOPL, IOPL at CPL 0 alone', () => {
    expect(popped('compat32', SF).cpu.flags & (IF | IOPL | SF)).toBe(IF | SF);
    expect(popped('compat32', SF, IOPL).cpu.flags & (IF | IOPL | SF)).toBe(IOPL | SF);
    expect(popped('real', IOPL).cpu.flags & (IF | IOPL)).toBe(IOPL);
  });

  it('virtual-8086 mode needs IOPL 3', () => {
    expect([ended('v86', [0x9c]), ended('v86', [0x9d]), ended('v86', [0x9c], { flags: IOPL })]).toEqual([
      'fault 13 0',
      'fault 13 0',
      'retired',
    ]);
  });
});
