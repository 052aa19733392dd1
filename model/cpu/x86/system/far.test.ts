/** Far transfers between segments, rings and modes. */
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../../bare/machine.ts';
import { AT, bareSample, faultOf, gate, SEL, segment, take } from '../../../bare/sample.ts';
import { read } from '../../../memory/access.ts';
import { CS, RSP, SS } from '../state.ts';

const dword = (n: number): number[] => [n & 0xff, (n >>> 8) & 0xff, (n >>> 16) & 0xff, n >>> 24];
const jmpFar = (selector: number, offset: number): number[] => [0xea, ...dword(offset), selector & 0xff, selector >> 8];
const callFar = (selector: number, offset: number): number[] => [0x9a, ...dword(offset), selector & 0xff, selector >> 8];
const dwordAt = ({ memory }: Machine, at: number): number => read(memory, at >> 12, at & 0xfff, 4).lo >>> 0;
const where = ({ cpu }: Machine) => ({ cs: cpu.segments.selectors[CS], ip: cpu.rip.lo, cpl: cpu.system.cpl, mode: cpu.system.mode });
const RETF = [0xcb];

describe('JMP far', () => {
  test('reaches code of the same ring, 16-bit code too', () => {
    expect(where(take(bareSample(jmpFar(SEL.code16, 0x9000))).machine)).toEqual({ cs: SEL.code16, ip: 0x9000, cpl: 0, mode: 'prot16' });
  });
  test('enters 64-bit code from compatibility mode', () => {
    const there = where(take(bareSample(jmpFar(SEL.code64, 0x9000), { mode: 'compat32' })).machine);
    expect(there).toEqual({ cs: SEL.code64, ip: 0x9000, cpl: 0, mode: '64' });
  });
  test('keeps CPL in conforming code', () => {
    const setting = { ring: 3 as const, words: { [AT.gdt + SEL.free]: segment(0, 0xfffff, 0x9f, 0xc) } };
    expect(where(take(bareSample(jmpFar(SEL.free, 0x9000), setting)).machine)).toMatchObject({ cs: SEL.free | 3, cpl: 3 });
  });
  test.each([
    ['null', 0, 0],
    ['data', SEL.data, SEL.data],
    ['code of another ring', SEL.user32, SEL.user32 & ~3],
  ])('refuses %s', (_, selector, error) => {
    expect(faultOf(bareSample(jmpFar(selector, 0x9000)))).toEqual({ vector: 13, error });
  });
  test('refuses code with both L and D in long mode, even when it is not present', () => {
    const setting = { mode: 'compat32' as const, words: { [AT.gdt + SEL.free]: segment(0, 0xfffff, 0x1b, 0xe) } };
    expect(faultOf(bareSample(jmpFar(SEL.free, 0), setting))).toEqual({ vector: 13, error: SEL.free });
  });
  test('stays inside the segment', () => {
    const setting = { words: { [AT.gdt + SEL.free]: segment(0, 0xff, 0x9b, 4) } };
    expect(faultOf(bareSample(jmpFar(SEL.free, 0x100), setting))).toEqual({ vector: 13, error: 0 });
  });
});

describe('CALL far', () => {
  test('pushes CS and the address, and RET far goes back', () => {
    const called = take(bareSample(callFar(SEL.code32, 0x9000), { bytes: { 36864: RETF } })).machine;
    expect(dwordAt(called, AT.stack - 4)).toBe(SEL.code32);
    expect(dwordAt(called, AT.stack - 8)).toBe(AT.code + 7);
    const back = take(called).machine;
    expect(where(back)).toEqual({ cs: SEL.code32, ip: AT.code + 7, cpl: 0, mode: 'prot32' });
    expect(back.cpu.regs[RSP].lo).toBe(AT.stack);
  });
  test('through a gate takes the inner stack with parameters; RET far with their size goes back to the outer one', () => {
    const setting = {
      ring: 3 as const,
      words: { [AT.gdt + SEL.free]: gate(SEL.code32, 0x9000, 0xec, 2), [AT.stack]: 0x2222222211111111n },
      bytes: { 36864: [0xca, 8, 0] },
    };
    const inner = take(bareSample(callFar(SEL.free, 0), setting)).machine;
    expect(where(inner)).toEqual({ cs: SEL.code32, ip: 0x9000, cpl: 0, mode: 'prot32' });
    expect(inner.cpu.segments.selectors[SS]).toBe(SEL.data);
    const pushed = [0, 4, 8, 12, 16, 20].map((n) => dwordAt(inner, AT.inner - 24 + n));
    expect(pushed).toEqual([AT.code + 7, SEL.user32, 0x11111111, 0x22222222, AT.stack, SEL.userData]);
    const back = take(inner).machine;
    expect(where(back)).toEqual({ cs: SEL.user32, ip: AT.code + 7, cpl: 3, mode: 'prot32' });
    expect(back.cpu.regs[RSP].lo).toBe(AT.stack + 8);
    expect(back.cpu.segments.selectors[SS]).toBe(SEL.userData);
  });
  test('through a 64-bit gate takes RSP alone, and SS becomes null', () => {
    const setting = {
      mode: '64' as const,
      ring: 3 as const,
      bytes: { [AT.data]: [0, 0, 0, 0, SEL.free, 0] },
      words: { [AT.gdt + SEL.free]: gate(SEL.code64, 0x9000, 0xec), [AT.gdt + SEL.free + 8]: 0n },
    };
    const { machine } = take(bareSample([0xff, 0x1c, 0x25, ...dword(AT.data)], setting));
    expect(where(machine)).toEqual({ cs: SEL.code64, ip: 0x9000, cpl: 0, mode: '64' });
    expect(machine.cpu.segments.selectors[SS]).toBe(0);
    expect(machine.cpu.regs[RSP].lo).toBe(AT.inner - 32);
    expect(dwordAt(machine, AT.inner - 8)).toBe(SEL.userData);
  });
  test('refuses gates of inner rings, gates to nowhere and gates that are not present', () => {
    const through = (access: number, selector: number) =>
      faultOf(bareSample(callFar(SEL.free, 0), { ring: 3, words: { [AT.gdt + SEL.free]: gate(selector, 0x9000, access) } }));
    expect(through(0x8c, SEL.code32)).toEqual({ vector: 13, error: SEL.free });
    expect(through(0xec, 0)).toEqual({ vector: 13, error: 0 });
    expect(through(0xec, SEL.data)).toEqual({ vector: 13, error: SEL.data });
    expect(through(0x6c, SEL.code32)).toEqual({ vector: 11, error: SEL.free });
  });
  test('to an inner ring asks for a fit stack', () => {
    const setting = {
      ring: 3 as const,
      words: { [AT.gdt + SEL.free]: gate(SEL.code32, 0x9000, 0xec), [AT.tss + 8]: BigInt(SEL.userData) },
    };
    // #TS finds no better stack for its handler, nor does the double fault.
    const { clauses, machine } = take(bareSample(callFar(SEL.free, 0), setting));
    expect(clauses).toContain('x86/stack-inner');
    expect(machine.ended).toEqual({ shutdown: 'triple-fault' });
  });
});

describe('RET far', () => {
  test('never goes inwards', () => {
    const setting = { ring: 3 as const, words: { [AT.stack]: (BigInt(SEL.code32) << 32n) | 0x9000n } };
    expect(faultOf(bareSample(RETF, setting))).toEqual({ vector: 13, error: SEL.code32 });
  });
  test('makes data segments of inner rings null', () => {
    const frame = { [AT.stack]: (BigInt(SEL.user32) << 32n) | 0x9000n, [AT.stack + 8]: (BigInt(SEL.userData) << 32n) | 0xd000n };
    const { machine } = take(bareSample(RETF, { words: frame }));
    expect(where(machine)).toEqual({ cs: SEL.user32, ip: 0x9000, cpl: 3, mode: 'prot32' });
    expect(machine.cpu.segments.selectors).toEqual([0, SEL.user32, SEL.userData, 0, 0, 0]);
    expect(machine.cpu.regs[RSP].lo).toBe(0xd000);
  });
});
