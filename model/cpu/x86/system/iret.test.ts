/** IRET of all kinds. */

import { describe, expect, test } from 'vitest';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { AT, bareSample, faultOf, SEL, take } from '../../../bare/sample.ts';
import { CS, RSP, SS } from '../state.ts';

const IRET = [0xcf];
const IRETQ = [0x48, 0xcf];

/** Dwords from the top of the stack on. */
const frame = (...dwords: readonly number[]) => {
  const bytes = dwords.flatMap((n) => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24]);
  return { bytes: { [AT.stack]: bytes } };
};
const { IF, VM, NT } = RFLAGS;

describe('IRET in protected mode', () => {
  test('stays in the ring with three words', () => {
    const { cpu } = take(bareSample(IRET, frame(0x9000, SEL.code32, IF | 0x3002))).machine;
    expect([cpu.rip.lo, cpu.segments.selectors[CS], cpu.flags, cpu.regs[RSP].lo]).toEqual([0x9000, SEL.code32, IF | 0x3002, AT.stack + 12]);
  });
  test('goes outwards with five', () => {
    const { cpu } = take(bareSample(IRET, frame(0x9000, SEL.user32, 2, 0xd000, SEL.userData))).machine;
    expect([cpu.system.cpl, cpu.segments.selectors[SS], cpu.regs[RSP].lo]).toEqual([3, SEL.userData, 0xd000]);
  });
  test('ring 3 changes neither IF nor IOPL, and cannot set VM', () => {
    const { cpu } = take(bareSample(IRET, { ...frame(0x9000, SEL.user32, IF | VM | 0x3002), ring: 3 })).machine;
    expect(cpu.flags).toBe(2);
  });
  test('goes to virtual-8086 mode from ring 0', () => {
    const { cpu } = take(bareSample(IRET, frame(0x10, 0x1234, VM | 0x3002, 0x100, 0x2000, 1, 2, 3, 4))).machine;
    expect(cpu.system).toMatchObject({ mode: 'v86', cpl: 3 });
    expect(cpu.segments.selectors).toEqual([1, 0x1234, 0x2000, 2, 3, 4]);
    expect(cpu.segments.hidden[CS]).toMatchObject({ base: { lo: 0x12340 }, limit: 0xffff, rights: 0xf3 });
  });
  test('with NT goes back to a task, which must be busy', () => {
    expect(faultOf(bareSample(IRET, { flags: NT, words: { [AT.tss]: BigInt(SEL.tss) } }))).toEqual({ vector: 10, error: SEL.tss });
  });
  test('lets NMIs in again', () => {
    const m = bareSample(IRET, frame(0x9000, SEL.code32, 2));
    const blocked = { ...m, cpu: { ...m.cpu, system: { ...m.cpu.system, nmiBlocked: true } } };
    expect(take(blocked).machine.cpu.system.nmiBlocked).toBe(false);
  });
});

describe('IRET in 64-bit mode', () => {
  test('always pops the stack, and to ring 0 takes a null SS', () => {
    const words = {
      [AT.stack]: 0x9000n,
      [AT.stack + 8]: BigInt(SEL.code64),
      [AT.stack + 16]: 2n,
      [AT.stack + 24]: 0xd008n,
      [AT.stack + 32]: 0n,
    };
    const { cpu } = take(bareSample(IRETQ, { mode: '64', words })).machine;
    expect([cpu.rip.lo, cpu.regs[RSP].lo, cpu.segments.selectors[SS]]).toEqual([0x9000, 0xd008, 0]);
  });
  test('goes to compatibility mode', () => {
    const words = {
      [AT.stack]: 0x9000n,
      [AT.stack + 8]: BigInt(SEL.user32),
      [AT.stack + 16]: 2n,
      [AT.stack + 24]: 0xd000n,
      [AT.stack + 32]: BigInt(SEL.userData),
    };
    const { system } = take(bareSample(IRETQ, { mode: '64', words })).machine.cpu;
    expect(system).toMatchObject({ mode: 'compat32', cpl: 3 });
  });
  test('knows no nested tasks', () => {
    expect(faultOf(bareSample(IRETQ, { mode: '64', flags: NT }))).toEqual({ vector: 13, error: 0 });
  });
});

describe('IRET by paragraphs', () => {
  test('in real mode pops three words', () => {
    const bytes = { [AT.stack]: [0x10, 0, 0x34, 0x12, 2, 2] };
    const { cpu } = take(bareSample(IRET, { mode: 'real', bytes })).machine;
    expect([cpu.rip.lo, cpu.segments.selectors[CS], cpu.flags]).toEqual([0x10, 0x1234, IF | 2]);
  });
  test('in virtual-8086 mode needs IOPL 3', () => {
    expect(faultOf(bareSample(IRET, { mode: 'v86' }))).toEqual({ vector: 13, error: 0 });
  });
});
