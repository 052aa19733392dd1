import { describe, expect, it } from 'vitest';
import { read } from '../../../memory/access.ts';
import { toBigInt, toNumber } from '../../../word/word.ts';
import { DF, ZF } from '../flags.ts';
import { frameOf, PLACE, SAMPLE_PLATFORM, type Setting, sample, tryOne } from '../sample.ts';
import { RAX, RCX, RDI, RSI } from '../state.ts';
import { runInstructions } from '../step.ts';

const data = BigInt(PLACE.data);
/** Run up to `budget` steps, and look at registers and bytes. */
const run = (code: number[], setting: Setting, budget: number) => {
  const { cpu, memory } = sample(code, setting);
  const outcome = runInstructions(cpu, memory, SAMPLE_PLATFORM, budget);
  const reg = (n: number): bigint => toBigInt(outcome.cpu.regs[n]);
  const byte = (address: number): number => read(outcome.memory, frameOf(address), address % 4096, 1).lo;
  return { ...outcome, reg, byte, rip: toNumber(outcome.cpu.rip) };
};
const text = { [PLACE.data]: [1, 2, 3, 4, 5, 6, 7, 8] };
const registers = (rcx: bigint, rsi = data, rdi = data + 0x100n, rax = 0n) => ({ [RAX]: rax, [RCX]: rcx, [RSI]: rsi, [RDI]: rdi });

describe('a string instruction', () => {
  it('does one element and moves its pointers', () => {
    const one = run([0x48, 0xa5], { regs: registers(9n), bytes: text }, 1);
    expect([one.reg(RSI), one.reg(RDI), one.reg(RCX), one.rip]).toEqual([data + 8n, data + 0x108n, 9n, PLACE.code + 2]);
    expect(one.byte(PLACE.data + 0x107)).toBe(8);
  });

  it('goes down when DF is set', () => {
    const down = run([0xa4], { regs: registers(0n), bytes: text, flags: DF }, 1);
    expect([down.reg(RSI), down.reg(RDI)]).toEqual([data - 1n, data + 0xffn]);
  });

  it('uses 32-bit registers under a 67 prefix', () => {
    const narrow = run([0x67, 0xaa], { regs: registers(0n, 0n, data | (5n << 32n), 0x77n) }, 1);
    expect([narrow.reg(RDI), narrow.byte(PLACE.data)]).toEqual([data + 1n, 0x77]);
  });
});

describe('a REP prefix', () => {
  it('takes one step for each iteration', () => {
    const start = { regs: registers(3n), bytes: text };
    const two = run([0xf3, 0xa4], start, 2);
    expect([two.reg(RCX), two.rip, two.steps]).toEqual([1n, PLACE.code, 2]);
    const three = run([0xf3, 0xa4], start, 3);
    expect([three.reg(RCX), three.rip, three.byte(PLACE.data + 0x102), three.byte(PLACE.data + 0x103)]).toEqual([0n, PLACE.code + 2, 3, 0]);
    expect(three.clauses).toContain('x86/rep-iteration');
  });

  it('with a count of zero is one step that changes nothing', () => {
    const none = run([0xf3, 0xaa], { regs: registers(0n) }, 1);
    expect([none.rip, none.reg(RDI)]).toEqual([PLACE.code + 2, data + 0x100n]);
  });

  it('stops SCAS at the first difference (F3) or match (F2)', () => {
    const regs = registers(8n, 0n, data, 3n);
    const match = run([0xf2, 0xae], { regs, bytes: text }, 3);
    expect([match.rip, match.reg(RCX), match.reg(RDI), match.cpu.flags & ZF]).toEqual([PLACE.code + 2, 5n, data + 3n, ZF]);
    const difference = run([0xf3, 0xae], { regs, bytes: text }, 1);
    expect([difference.rip, difference.cpu.flags & ZF]).toEqual([PLACE.code + 2, 0]);
  });

  it('CMPS compares [RSI] with [RDI]', () => {
    const bytes = { [PLACE.data]: [1, 2, 3], [PLACE.data + 0x100]: [1, 2, 9] };
    const outcome = run([0xf3, 0xa6], { regs: registers(10n), bytes }, 3);
    expect([outcome.rip, outcome.reg(RCX), outcome.cpu.flags & (ZF | 1)]).toEqual([PLACE.code + 2, 7n, 1]);
  });

  it('keeps what was done when an iteration faults', () => {
    const regs = registers(4n, data, BigInt(PLACE.absent - 2));
    const setting = { regs, bytes: text };
    const faulted = run([0xf3, 0xa4], setting, 10);
    expect(faulted).toMatchObject({ kind: 'fault', steps: 3, fault: { vector: 14, error: 6 } });
    expect([faulted.reg(RCX), faulted.reg(RSI), faulted.rip, faulted.byte(PLACE.absent - 1)]).toEqual([2n, data + 2n, PLACE.code, 2]);
  });
});

describe('LODS and STOS', () => {
  it('move between memory and rAX', () => {
    expect(tryOne(sample([0x66, 0xad], { regs: registers(0n, data, 0n, 0xffff_ffffn), bytes: text })).cpu.regs[RAX].lo >>> 0).toBe(
      0xffff_0201,
    );
    expect(run([0xab], { regs: registers(0n, 0n, data, 0x0a0b_0c0dn) }, 1).byte(PLACE.data + 3)).toBe(0x0a);
  });
});
