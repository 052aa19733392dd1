/** Control registers, the way into long mode, MSRs, XCR0. */

import { describe, expect, test } from 'vitest';
import { CR0, CR4, EFER } from '#spec/isa/x86/control_registers.ts';
import { AT, bareSample, faultOf, type Setting, take } from '../../../bare/sample.ts';
import { toHex } from '../../../word/word.ts';
import { RAX, RDX } from '../state.ts';

const TO_CR = (n: number): number[] => [0x0f, 0x22, 0xc0 | (n << 3)];
const FROM_CR = (n: number): number[] => [0x0f, 0x20, 0xc0 | (n << 3)];
const WRMSR = [0x0f, 0x30];
const RDMSR = [0x0f, 0x32];
const GP0 = { vector: 13, error: 0 };
const value = (n: number, more: Setting = {}): Setting => ({ ...more, regs: { 0: BigInt(n >>> 0), ...more.regs } });

describe('CR0', () => {
  test('keeps ET and drops what does not exist', () => {
    expect(take(bareSample(TO_CR(0), value(0x8001))).machine.cpu.system.cr0).toBe(0x11);
  });
  test.each([
    ['PG without PE', CR0.PG],
    ['NW without CD', CR0.PE | CR0.NW],
  ])('refuses %s', (_, bits) => expect(faultOf(bareSample(TO_CR(0), value(bits)))).toEqual(GP0));
  test('leaves protected mode', () => {
    expect(take(bareSample(TO_CR(0), value(0x10))).machine.cpu.system.mode).toBe('real');
  });
  test('switches long mode on with paging, when EFER.LME and CR4.PAE are set', () => {
    const setting = value(CR0.PG | CR0.PE, { efer: EFER.LME, cr4: CR4.PAE });
    const { system } = take(bareSample(TO_CR(0), setting)).machine.cpu;
    expect([system.efer, system.mode]).toEqual([EFER.LME | EFER.LMA, 'compat32']);
    expect(faultOf(bareSample(TO_CR(0), value(CR0.PG | CR0.PE, { efer: EFER.LME })))).toEqual(GP0);
  });
  test('switches it off from compatibility mode only', () => {
    const setting = value(CR0.PE, { mode: 'compat32' });
    expect(take(bareSample(TO_CR(0), setting)).machine.cpu.system).toMatchObject({ mode: 'prot32', efer: EFER.LME });
    expect(faultOf(bareSample(TO_CR(0), value(CR0.PE, { mode: '64' })))).toEqual(GP0);
  });
  test('is not for ring 3', () => expect(faultOf(bareSample(FROM_CR(0), { ring: 3 }))).toEqual(GP0));
  test('LMSW cannot leave protected mode', () => {
    expect(take(bareSample([0x0f, 0x01, 0xf0], value(0))).machine.cpu.system.cr0).toBe(0x11);
  });
});

describe('CR3 and CR4', () => {
  test('CR3 has no bits above the physical width', () => {
    const at = (bits: bigint): Setting => ({ mode: '64', regs: { 0: bits } });
    expect(faultOf(bareSample(TO_CR(3), at(1n << 52n)))).toEqual(GP0);
    expect(faultOf(bareSample(TO_CR(3), at(1n << 63n)))).toEqual(GP0);
    expect(faultOf(bareSample(TO_CR(3), { ...at((1n << 63n) | BigInt(AT.tables)), cr4: CR4.PCIDE }))).toBeNull();
  });
  test('PAE looks at its four entries', () => {
    const setting = (entry: bigint): Setting => value(AT.tables, { cr4: CR4.PAE, paging: true, words: { [AT.tables]: entry } });
    expect(faultOf(bareSample([0x0f, 0x22, 0xd8], { ...setting(0n), paging: false }))).toBeNull();
    const { clauses } = take(
      bareSample([0x0f, 0x22, 0xc0], { ...value(CR0.PG | CR0.PE, setting(0x27n)), regs: { 0: 0x80000001n }, paging: false }),
    );
    expect(clauses).toContain('x86/cr3-pdpte');
  });
  test.each([
    ['bits that CPUID does not announce', CR4.VME],
    ['PCIDE outside long mode', CR4.PCIDE],
  ])('CR4 refuses %s', (_, bits) => expect(faultOf(bareSample(TO_CR(4), value(bits)))).toEqual(GP0));
  test('CR4 keeps PAE in long mode', () => expect(faultOf(bareSample(TO_CR(4), value(0, { mode: '64' })))).toEqual(GP0));
});

describe('MSRs', () => {
  const written = (msr: number, high: number, low: number, more: Setting = {}): Setting => ({
    ...more,
    regs: { 0: BigInt(low >>> 0), 1: BigInt(msr), 2: BigInt(high >>> 0) },
  });
  test('keep what is written, and start with their reset values', () => {
    const both = bareSample([...WRMSR, 0x31, 0xc0, ...RDMSR], written(0xc0000082, 0xffff8000, 0x12345678));
    const { regs } = take(both, 3).machine.cpu;
    expect([regs[RDX].lo | 0, regs[RAX].lo]).toEqual([0xffff8000 | 0, 0x12345678]);
    const pat = take(bareSample(RDMSR, written(0x277, 0, 0))).machine.cpu.regs;
    expect([toHex(pat[RDX]), toHex(pat[RAX])]).toEqual(['0x70406', '0x70406']);
  });
  test.each([
    ['a number that is none', 0x12345, 0, 0],
    ['an address that is not canonical', 0xc0000082, 0x8000, 0],
    ['a read-only register', 0xfe, 0, 0],
    ['a memory type that is none', 0x277, 0, 2],
    ['reserved bits', 0x2ff, 0, 0x1000],
    ['bits of EFER that are none', 0xc0000080, 0, 2],
  ])('refuse %s', (_, msr, high, low) => expect(faultOf(bareSample(WRMSR, written(msr, high, low)))).toEqual(GP0));
  test('EFER.LME cannot change while paging is on', () => {
    expect(faultOf(bareSample(WRMSR, written(0xc0000080, 0, 0, { mode: '64' })))).toEqual(GP0);
  });
  test('the time-stamp counter goes on from what is written', () => {
    const { regs } = take(bareSample([...WRMSR, 0x0f, 0x31], written(0x10, 5, 100)), 2).machine.cpu;
    expect([regs[RDX].lo, regs[RAX].lo]).toEqual([5, 101]);
  });
});

describe('XCR0', () => {
  const XSETBV = [0x0f, 0x01, 0xd1];
  test('is out of reach without CR4.OSXSAVE', () => expect(faultOf(bareSample(XSETBV, value(3)))).toMatchObject({ vector: 6 }));
  test('takes x87 and SSE', () => {
    expect(take(bareSample(XSETBV, value(3, { cr4: CR4.OSXSAVE }))).machine.cpu.system.xcr0.lo).toBe(3);
    expect(faultOf(bareSample(XSETBV, value(2, { cr4: CR4.OSXSAVE })))).toEqual(GP0);
    expect(faultOf(bareSample(XSETBV, value(0x101, { cr4: CR4.OSXSAVE })))).toEqual(GP0);
  });
});

test('UMIP keeps the tables from ring 3', () => {
  const SMSW = [0x0f, 0x01, 0xe0];
  expect(faultOf(bareSample(SMSW, { ring: 3 }))).toBeNull();
  expect(faultOf(bareSample(SMSW, { ring: 3, cr4: CR4.UMIP }))).toEqual(GP0);
});
