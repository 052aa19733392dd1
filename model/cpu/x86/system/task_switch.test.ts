/** Task switches outside long mode. */

import { describe, expect, test } from 'vitest';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Machine } from '../../../bare/machine.ts';
import { AT, bareSample, gate, SEL, type Setting, segment, take } from '../../../bare/sample.ts';
import { read } from '../../../memory/access.ts';
import { CS, RAX, RSP } from '../state.ts';

const NEW = 0x3400;
const jmpFar = (selector: number): number[] => [0xea, 0, 0, 0, 0, selector, 0];
const callFar = (selector: number): number[] => [0x9a, 0, 0, 0, 0, selector, 0];

const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24];
const task = (change: Readonly<Record<number, number>> = {}): readonly number[] => {
  const fields: Record<number, number> = {
    28: AT.tables,
    32: 0x9000,
    36: 2,
    40: 0x1111,
    56: 0xd000,
    72: SEL.data,
    76: SEL.code32,
    80: SEL.data,
    84: SEL.data,
    88: 0,
    92: 0,
    96: 0,
    100: 0,
    ...change,
  };
  return Array.from({ length: 26 }, (_, n) => dword(fields[4 * n] ?? 0)).flat();
};

const setting = (more: Setting = {}, change: Readonly<Record<number, number>> = {}, access = 0x89): Setting => ({
  ...more,
  words: { [AT.gdt + SEL.free]: segment(NEW, 0x67, access, 0), [AT.gdt + SEL.tss]: segment(AT.tss, 0x67, 0x8b, 0), ...more.words },
  bytes: { [NEW]: task(change), ...more.bytes },
});
const typeOf = ({ memory }: Machine, selector: number): number => read(memory, 1, selector + 5, 1).lo & 15;
const dwordAt = ({ memory }: Machine, at: number): number => read(memory, at >> 12, at & 0xfff, 4).lo >>> 0;

describe('JMP to a task', () => {
  const { machine } = take(bareSample(jmpFar(SEL.free), setting({ regs: { 0: 0xabcdn } })));
  test('loads what its task state says', () => {
    const { cpu } = machine;
    expect([cpu.rip.lo, cpu.regs[RAX].lo, cpu.regs[RSP].lo, cpu.segments.selectors[CS]]).toEqual([0x9000, 0x1111, 0xd000, SEL.code32]);
    expect(cpu.system.tr).toMatchObject({ selector: SEL.free, base: { lo: NEW }, rights: 0x8b });
    expect(cpu.system.cr0 & 8).toBe(8);
  });
  test('saves what the old one goes on with, and frees it', () => {
    expect([dwordAt(machine, AT.tss + 32), dwordAt(machine, AT.tss + 40)]).toEqual([AT.code + 7, 0xabcd]);
    expect([typeOf(machine, SEL.tss), typeOf(machine, SEL.free)]).toEqual([9, 11]);
  });
});

describe('CALL of a task', () => {
  test('nests it, and IRET goes back', () => {
    const called = take(bareSample(callFar(SEL.free), setting({ bytes: { 36864: [0xcf] }, words: { [AT.tss + 28]: 0n } }))).machine;
    expect(called.cpu.flags & RFLAGS.NT).toBe(RFLAGS.NT);
    expect([typeOf(called, SEL.tss), typeOf(called, SEL.free)]).toEqual([11, 11]);
    expect(dwordAt(called, NEW) & 0xffff).toBe(SEL.tss);
    const back = take(called).machine;
    expect([back.cpu.rip.lo, back.cpu.flags & RFLAGS.NT, back.cpu.system.tr.selector]).toEqual([AT.code + 7, 0, SEL.tss]);
    expect([typeOf(back, SEL.tss), typeOf(back, SEL.free)]).toEqual([11, 9]);
    expect(dwordAt(back, NEW + 32)).toBe(0x9001);
  });
  test('through a task gate does the same', () => {
    const gated = setting({ words: { [AT.gdt + 0x60]: gate(SEL.free, 0, 0x85) } });
    expect(take(bareSample(callFar(0x60), gated)).machine.cpu.system.tr.selector).toBe(SEL.free);
  });
});

describe('a task switch refuses', () => {
  const clausesOf = (s: Setting) => take(bareSample(jmpFar(SEL.free), s)).clauses;
  test('a busy task', () => expect(clausesOf(setting({}, {}, 0x8b))).toContain('x86/far-type'));
  test('a task state that is too small', () => {
    expect(clausesOf(setting({ words: { [AT.gdt + SEL.free]: segment(NEW, 0x66, 0x89, 0) } }))).toContain('x86/tss-limit');
  });
  test('segments that do not fit, in the new task', () => {
    const outcome = take(bareSample(jmpFar(SEL.free), setting({}, { 84: SEL.code32 | 0x100 })));
    expect(outcome.clauses).toContain('x86/task-segments');
    expect(outcome.machine.cpu.system.tr.selector).toBe(SEL.free);
  });
});

test('an exception through a task gate pushes its error code there', () => {
  const idt = { words: { [AT.idt + 8 * 13]: gate(SEL.free, 0, 0x85) } };
  const { machine, events } = take(bareSample([0x8e, 0xd8], setting({ regs: { 0: 0x7cn }, ...idt })));
  expect(events).toEqual([{ kind: 'exception', vector: 13, error: 0x7c, address: null, software: false }]);
  expect(machine.cpu.regs[RSP].lo).toBe(0xd000 - 4);
  expect(dwordAt(machine, 0xd000 - 4)).toBe(0x7c);
});

test('the T bit makes #DB after the switch', () => {
  const idt = { words: { [AT.idt + 8]: gate(SEL.code32, AT.handler, 0x8e) } };
  const { machine, events } = take(bareSample(jmpFar(SEL.free), setting(idt, { 100: 1 })));
  expect(events).toMatchObject([{ vector: 1 }]);
  expect(machine.cpu.system.dr[4].lo & 0x8000).toBe(0x8000);
});
