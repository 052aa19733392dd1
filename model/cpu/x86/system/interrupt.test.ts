/** Delivery of interrupts and exceptions. */

import { describe, expect, test } from 'vitest';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Machine } from '../../../bare/machine.ts';
import { AT, bareSample, gate, SEL, type Setting, take } from '../../../bare/sample.ts';
import { read } from '../../../memory/access.ts';
import { CS, DS, RSP, SS } from '../state.ts';

const { IF, TF, RF, VM } = RFLAGS;
const UD2 = [0x0f, 0x0b];
const INT = (vector: number): number[] => [0xcd, vector];
const dwordsAt = ({ memory }: Machine, at: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, n) => read(memory, at >> 12, (at & 0xfff) + 4 * n, 4).lo >>> 0);
const idt = (gates: Readonly<Record<number, bigint>>): Readonly<Record<number, bigint>> =>
  Object.fromEntries(Object.entries(gates).map(([vector, value]) => [AT.idt + 8 * Number(vector), value]));
const INTERRUPT = 0x8e;
const TRAP = 0x8f;
const to = (access: number, selector: number = SEL.code32): bigint => gate(selector, AT.handler, access);

describe('a gate', () => {
  test('of the same ring gets flags with RF, CS and the address of the fault', () => {
    const { machine, events } = take(bareSample(UD2, { flags: IF, words: idt({ 6: to(INTERRUPT) }) }));
    expect(events).toEqual([{ kind: 'exception', vector: 6, error: null, address: null, software: false }]);
    expect(dwordsAt(machine, AT.stack - 12, 3)).toEqual([AT.code, SEL.code32, IF | RF | 2]);
    expect([machine.cpu.rip.lo, machine.cpu.flags]).toEqual([AT.handler, 2]);
  });
  test('of a trap leaves IF set; RIP of a software interrupt is behind it', () => {
    const { machine, events } = take(bareSample(INT(0x40), { flags: IF, words: idt({ 64: to(TRAP) }) }));
    expect(events).toMatchObject([{ vector: 0x40, software: true }]);
    expect(dwordsAt(machine, AT.stack - 12, 3)).toEqual([AT.code + 2, SEL.code32, IF | 2]);
    expect(machine.cpu.flags).toBe(IF | 2);
  });
  test('with 16 bits pushes words', () => {
    const { machine } = take(bareSample(UD2, { words: idt({ 6: to(0x86) }) }));
    expect(machine.cpu.regs[RSP].lo).toBe(AT.stack - 6);
  });
  test('of an inner ring takes its stack', () => {
    const { machine } = take(bareSample(UD2, { ring: 3, words: idt({ 6: to(INTERRUPT) }) }));
    expect(dwordsAt(machine, AT.inner - 20, 5)).toEqual([AT.code, SEL.user32, RF | 2, AT.stack, SEL.userData]);
    expect(machine.cpu.system.cpl).toBe(0);
  });
  test('takes virtual-8086 mode to ring 0, its data segments on the stack', () => {
    const { machine } = take(bareSample(UD2, { mode: 'v86', words: idt({ 6: to(INTERRUPT) }) }));
    expect(dwordsAt(machine, AT.inner - 36, 9)).toEqual([AT.code, 0, RF | VM | 2, AT.stack, 0, 0, 0, 0, 0]);
    expect(machine.cpu.system).toMatchObject({ mode: 'prot32', cpl: 0 });
    expect(machine.cpu.segments.hidden[DS].usable).toBe(false);
    expect(machine.cpu.segments.selectors[SS]).toBe(SEL.data);
  });
  test('in long mode aligns the stack and pushes SS and RSP always', () => {
    const words = { [AT.idt + 16 * 6]: to(INTERRUPT, SEL.code64), [AT.idt + 16 * 6 + 8]: 0n };
    const { machine } = take(bareSample(UD2, { mode: '64', regs: { 4: 0xe008n }, words }));
    expect(machine.cpu.regs[RSP].lo).toBe(0xe000 - 40);
    expect(dwordsAt(machine, 0xe000 - 16, 1)).toEqual([0xe008]);
  });
  test('in long mode may name a stack of its own', () => {
    const words = {
      [AT.idt + 16 * 6]: gate(SEL.code64, AT.handler, INTERRUPT, 1),
      [AT.idt + 16 * 6 + 8]: 0n,
      [AT.tss + 32]: 0xc000n << 32n,
      [AT.tss + 40]: 0n,
    };
    const { machine, clauses } = take(bareSample(UD2, { mode: '64', words }));
    expect(machine.cpu.regs[RSP].lo).toBe(0xc000 - 40);
    expect(clauses).toContain('x86/interrupt-ist');
  });
  test('in real mode is a far pointer', () => {
    const { machine } = take(bareSample(UD2, { mode: 'real', flags: IF, bytes: { [6 * 4]: [0x00, 0xa0, 0x00, 0x00] } }));
    expect([machine.cpu.rip.lo, machine.cpu.segments.selectors[CS], machine.cpu.flags]).toEqual([AT.handler, 0, 2]);
    expect(machine.cpu.regs[RSP].lo).toBe(AT.stack - 6);
  });
});

describe('what goes wrong', () => {
  const first = (code: readonly number[], setting: Setting) => take(bareSample(code, setting)).events[0];
  test('no gate: the vector is in the error code, with bit 0 unless software asked', () => {
    expect(first(UD2, { words: idt({ 13: to(INTERRUPT) }) })).toMatchObject({ vector: 13, error: 6 * 8 + 3 });
    expect(first(INT(0x40), { words: idt({ 13: to(INTERRUPT) }) })).toMatchObject({ vector: 13, error: 0x40 * 8 + 2 });
  });
  test('a gate that is not for ring 3', () => {
    const words = idt({ 64: to(INTERRUPT), 13: to(INTERRUPT) });
    expect(first(INT(0x40), { ring: 3, words })).toMatchObject({ vector: 13, error: 0x40 * 8 + 2, software: false });
  });
  test('a gate that is not present', () => {
    expect(first(UD2, { words: idt({ 6: to(0x0e), 11: to(INTERRUPT) }) })).toMatchObject({ vector: 11, error: 6 * 8 + 3 });
  });
  test('two contributory exceptions make a double fault, and a third one ends the machine', () => {
    const load = [0x8e, 0xd8];
    expect(first(load, { regs: { 0: 0x7cn }, words: idt({ 8: to(INTERRUPT) }) })).toMatchObject({ vector: 8, error: 0 });
    const { machine, events } = take(bareSample(load, { regs: { 0: 0x7cn } }));
    expect(events).toEqual([{ kind: 'shutdown', why: 'triple-fault' }]);
    expect(machine.ended).toEqual({ shutdown: 'triple-fault' });
  });
  test('a benign exception before leaves the second alone', () => {
    expect(first([0xcc], { words: idt({ 13: to(INTERRUPT) }) })).toMatchObject({ vector: 13, error: 3 * 8 + 2 });
  });
  test('a page fault whose handler faults is a double fault, and CR2 stays', () => {
    const { machine, events } = take(bareSample([0xa1, 0, 0, 0x40, 0], { paging: true, words: idt({ 8: to(INTERRUPT) }) }));
    expect(events).toMatchObject([{ vector: 8 }]);
    expect(machine.cpu.system.cr2.lo).toBe(0x400000);
  });
});

test('TF is clear in the handler', () => {
  const { machine } = take(bareSample([0x90], { flags: TF, words: idt({ 1: to(TRAP) }) }));
  expect(machine.cpu.flags & TF).toBe(0);
});
