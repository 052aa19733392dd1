/** System instructions that do little: caches, counters, MONITOR, SWAPGS's kin; and NMIs. */

import { describe, expect, test } from 'vitest';
import { CR4 } from '#spec/isa/x86/control_registers.ts';
import type { Machine } from '../../../bare/machine.ts';
import { AT, bareSample, faultOf, gate, SEL, type Setting, take } from '../../../bare/sample.ts';
import { RAX, RDX } from '../state.ts';

const GP0 = { vector: 13, error: 0 };
const UD = { vector: 6, error: null };

describe('counters', () => {
  const RDTSC = [0x0f, 0x31];
  const RDPMC = [0x0f, 0x33];
  test('of time can be kept from ring 3', () => {
    expect(faultOf(bareSample(RDTSC, { ring: 3 }))).toBeNull();
    expect(faultOf(bareSample(RDTSC, { ring: 3, cr4: CR4.TSD }))).toEqual(GP0);
  });
  test('of performance stand at zero', () => {
    const { regs } = take(bareSample(RDPMC, { regs: { 0: 5n, 1: 3n, 2: 5n } })).machine.cpu;
    expect([regs[RAX].lo, regs[RDX].lo]).toEqual([0, 0]);
    expect(faultOf(bareSample(RDPMC, { regs: { 1: 4n } }))).toEqual(GP0);
  });
});

describe('INVPCID', () => {
  const INVPCID = [0x66, 0x0f, 0x38, 0x82, 0x04, 0x25, 0x00, 0xb0, 0, 0];
  const tried = (type: bigint, low: bigint, high: bigint, cr4 = 0) =>
    faultOf(bareSample(INVPCID, { mode: '64', cr4, regs: { 0: type }, words: { [AT.data]: low, [AT.data + 8]: high } }));
  test('takes four types', () => {
    expect(tried(3n, 0n, 0n)).toBeNull();
    expect(tried(4n, 0n, 0n)).toEqual(GP0);
  });
  test('takes twelve bits of PCID, and only zero without CR4.PCIDE', () => {
    expect(tried(1n, 0x1000n, 0n, CR4.PCIDE)).toEqual(GP0);
    expect(tried(1n, 0xfffn, 0n, CR4.PCIDE)).toBeNull();
    expect(tried(1n, 1n, 0n)).toEqual(GP0);
  });
  test('takes canonical addresses', () => expect(tried(0n, 0n, 0x800000000000n)).toEqual(GP0));
});

describe('MONITOR', () => {
  const MONITOR = [0x0f, 0x01, 0xc8];
  test('does nothing in ring 0, and is undefined elsewhere', () => {
    expect(faultOf(bareSample(MONITOR))).toBeNull();
    expect(faultOf(bareSample(MONITOR, { ring: 3 }))).toEqual(UD);
  });
  test('reads where it points', () => {
    expect(faultOf(bareSample(MONITOR, { paging: true, regs: { 0: 0x500000n } }))).toMatchObject({ vector: 14 });
  });
  test('knows no extensions', () => expect(faultOf(bareSample(MONITOR, { regs: { 1: 1n } }))).toEqual(GP0));
});

test('CR8 has four bits', () => {
  expect(faultOf(bareSample([0x44, 0x0f, 0x22, 0xc0], { mode: '64', regs: { 0: 0x10n } }))).toEqual(GP0);
});

test('LGDT takes canonical bases', () => {
  const words = { [AT.data]: 0n, [AT.data + 8]: 0x80n << 8n };
  expect(faultOf(bareSample([0x0f, 0x01, 0x14, 0x25, 0x00, 0xb0, 0, 0], { mode: '64', words }))).toEqual(GP0);
});

test('SYSRET and XSETBV are undefined before they are forbidden', () => {
  expect(faultOf(bareSample([0x0f, 0x07], { ring: 3 }))).toEqual(UD);
  expect(faultOf(bareSample([0x0f, 0x01, 0xd1], { ring: 3 }))).toEqual(UD);
});

describe('a non-maskable interrupt', () => {
  const NOP = 0x90;
  const IRET = 0xcf;
  const handled: Setting = { words: { [AT.idt + 16]: gate(SEL.code32, AT.handler, 0x8e) }, bytes: { [AT.handler]: [NOP, IRET] } };
  const pending = (m: Machine): Machine => ({ ...m, devices: { ...m.devices, nmi: true } });
  test('is delivered with IF clear, and holds off the next until IRET', () => {
    const first = take(pending(bareSample([NOP, NOP], handled)));
    expect(first.events).toEqual([{ kind: 'interrupt', vector: 2 }]);
    expect(first.machine.cpu.system.nmiBlocked).toBe(true);
    const second = take(pending(first.machine));
    expect([second.events, second.retired]).toEqual([[], 1]);
    expect(take(second.machine).events).toEqual([{ kind: 'interrupt', vector: 2 }]);
  });
  test('waits behind a load of SS, not behind STI', () => {
    const loaded = take(bareSample([0x8e, 0xd0, NOP, NOP], { ...handled, regs: { 0: BigInt(SEL.data) } })).machine;
    expect(take(pending(loaded)).events).toEqual([]);
    const set = take(bareSample([0xfb, NOP], handled)).machine;
    expect(take(pending(set)).events).toEqual([{ kind: 'interrupt', vector: 2 }]);
  });
});
