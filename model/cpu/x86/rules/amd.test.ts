/** Where processors of the two vendors differ, the model does as AMD's do: the findings F-036 to F-048. */
import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { fromBigInt, toBigInt, toNumber } from '../../../word/word.ts';
import { ZF } from '../flags.ts';
import { frameOf, PLACE, type Setting, sample, tryOne } from '../sample.ts';
import { RBP, RCX, RSP } from '../state.ts';

const TOP = PLACE.stack + 0x800;
const run = (code: number[], setting: Setting = {}, bases: { fs?: bigint } = {}) => {
  const { cpu, memory } = sample(code, setting);
  const outcome = tryOne({ cpu: { ...cpu, segments: { ...cpu.segments, fsBase: fromBigInt(bases.fs ?? 0n) } }, memory });
  const at = (address: number): bigint => toBigInt(read(outcome.memory, frameOf(address), address % 4096, 8));
  const fault = outcome.kind === 'fault' ? [outcome.fault.vector, outcome.fault.error] : null;
  return { ...outcome, at, fault, rip: toNumber(outcome.cpu.rip), reg: (n: number) => toBigInt(outcome.cpu.regs[n]) };
};
const bytes = (...words: bigint[]): number[] =>
  words.flatMap((w) => Array.from({ length: 8 }, (_, i) => Number((w >> BigInt(8 * i)) & 0xffn)));

describe('near branches with 66', () => {
  it('have 16-bit offsets and targets', () => {
    expect(run([0x66, 0xe9, 0x10, 0x00]).rip).toBe(0x1014);
    expect(run([0x66, 0xeb, 0xfd], { rip: 0x11000 }).rip).toBe(0x1000);
    expect(run([0x66, 0xff, 0xe0], { regs: { 0: 0x1234_5678n } }).rip).toBe(0x5678);
    expect(run([0x66, 0x48, 0xe9, 0x10, 0, 0, 0], { rip: 0x11000 }).rip).toBe(0x11017);
  });

  it('CALL and RET move two bytes', () => {
    const called = run([0x66, 0xe8, 0x10, 0x00]);
    expect([called.rip, called.reg(RSP), called.at(TOP - 2) & 0xffffn]).toEqual([0x1014, BigInt(TOP - 2), 0x1004n]);
    const returned = run([0x66, 0xc3], { bytes: { [TOP]: bytes(0x1122_3344_5566_2000n) } });
    expect([returned.rip, returned.reg(RSP)]).toEqual([0x2000, BigInt(TOP + 2)]);
  });

  it('that are not taken go on as usual', () => {
    expect(run([0x66, 0x0f, 0x84, 0x10, 0x00], { rip: 0x11000 }).rip).toBe(0x11005);
  });
});

describe('LOOPE and LOOPNE', () => {
  it('go by F3 and F2 rather than by their opcode', () => {
    const taken = (code: number[], flags: number) => run([...code, 0x10], { regs: { [RCX]: 5n }, flags }).rip === 0x1003 + 0x10;
    for (const opcode of [0xe0, 0xe1]) {
      expect([taken([0xf3, opcode], ZF), taken([0xf3, opcode], 0)]).toEqual([true, false]);
      expect([taken([0xf2, opcode], ZF), taken([0xf2, opcode], 0)]).toEqual([false, true]);
    }
  });
});

describe('offsets that FS is added to', () => {
  const load = [0x64, 0x48, 0x8b, 0x00]; // mov rax, fs:[rax]
  const offset = 0x8000_0000_0000n;
  const base = BigInt.asUintN(64, BigInt(PLACE.data) - offset);

  it('must be canonical, even where the sum is', () => {
    expect(run(load, { regs: { 0: offset } }, { fs: base }).fault).toEqual([13, 0]);
    expect(run(load, { regs: { 0: offset - 4n } }, { fs: base + 4n }).fault).toEqual([13, 0]);
    expect(run(load, { regs: { 0: offset - 8n } }, { fs: base + 8n }).fault).toBeNull();
  });

  it('are not looked at by LEA', () => {
    expect(run([0x64, 0x48, 0x8d, 0x00], { regs: { 0: offset } }, { fs: base }).reg(0)).toBe(offset);
  });
});

describe('control and debug registers', () => {
  it('that do not exist are undefined, others are privileged', () => {
    const vector = (code: number[]) => run(code).fault?.[0];
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((n) => vector([0x0f, 0x20, 0xc0 | (n << 3)]))).toEqual([13, 6, 13, 13, 13, 6, 6, 6]);
    expect([vector([0x44, 0x0f, 0x22, 0xc0]), vector([0x44, 0x0f, 0x22, 0xc8])]).toEqual([13, 6]);
    expect([vector([0x0f, 0x21, 0xf8]), vector([0x44, 0x0f, 0x21, 0xc0])]).toEqual([13, 6]);
  });
});

describe('far transfers', () => {
  const pointer = { bytes: { [PLACE.data]: [0x00, 0x20, 0x00, 0x00, 0x33, 0xe0] }, regs: { 0: BigInt(PLACE.data) } };

  it('read a 32-bit offset under REX.W too, and push 64 bits', () => {
    expect(run([0x48, 0xff, 0x28], pointer).rip).toBe(0x2000);
    const called = run([0x48, 0xff, 0x18], pointer);
    expect([called.rip, called.at(TOP - 8), called.at(TOP - 16)]).toEqual([0x2000, 0xe033n, 0x1003n]);
  });

  it('CALL leaves CS on the stack when the address cannot be pushed', () => {
    const { fault, at, reg } = run([0xff, 0x18], { ...pointer, regs: { 0: BigInt(PLACE.data), [RSP]: BigInt(PLACE.stack + 4) } });
    expect([fault, at(PLACE.stack) & 0xffff_ffffn, reg(RSP)]).toEqual([[14, 6], 0xe033n, BigInt(PLACE.stack + 4)]);
  });

  it('RET looks at the outer stack before it refuses another ring', () => {
    const frame = { bytes: { [TOP]: bytes(0x2000n, 0xe030n) } };
    expect(run([0x48, 0xca, 0x00, 0x00], frame).fault).toEqual([13, 0xe030]);
    expect(
      run([0x48, 0xcb], { bytes: { [PLACE.absent - 16]: bytes(0x2000n, 0xe030n) }, regs: { [RSP]: BigInt(PLACE.absent - 16) } }).fault,
    ).toEqual([14, 4]);
  });
});

describe('ENTER', () => {
  it('leaves what it pushed before a fault', () => {
    const regs = { [RSP]: BigInt(PLACE.stack + 8), [RBP]: 0x1122n };
    const { fault, at, reg } = run([0xc8, 0, 0, 1], { regs });
    expect([fault, at(PLACE.stack), reg(RSP), reg(RBP)]).toEqual([[14, 6], 0x1122n, BigInt(PLACE.stack + 8), 0x1122n]);
  });
});

describe('prefixes that select nothing', () => {
  it.each([
    ['lfence', [0x0f, 0xae, 0xe8]],
    ['movnti', [0x0f, 0xc3, 0x00]],
    ['xsetbv', [0x0f, 0x01, 0xd1]],
  ])('make %s undefined', (_, code) => {
    for (const prefix of [0x66, 0xf2, 0xf3]) expect(run([prefix, ...code], { regs: { 0: BigInt(PLACE.data) } }).fault).toEqual([6, null]);
  });

  it('F3 90 is an exchange with REX.B', () => {
    expect(run([0xf3, 0x41, 0x90], { regs: { 0: 1n, 8: 2n } }).reg(0)).toBe(2n);
    expect(run([0xf3, 0x90], { regs: { 0: 1n } }).rip).toBe(0x1002);
  });

  it('opcodes that 64-bit mode gave up have their operands still', () => {
    expect(run([0xd4], { rip: PLACE.noExecute - 1 }).fault).toEqual([14, 0x15]);
    expect(run([0x27], { rip: PLACE.noExecute - 1 }).fault).toEqual([6, null]);
    expect(run([0x0f, 0xb9], { rip: PLACE.noExecute - 2 }).fault).toEqual([6, null]);
  });
});
