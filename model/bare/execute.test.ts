/** Running the bare machine: devices, interrupts, time, ends. */
import { describe, expect, test } from 'vitest';
import { RAX } from '../cpu/x86/state.ts';
import { bareOn } from './engine.ts';
import { AT, bareSample, gate, SEL, type Setting, take } from './sample.ts';
import { step } from './step.ts';

const STI = 0xfb;
const HLT = 0xf4;
const NOP = 0x90;

describe('ports', () => {
  test('bytes of one port are told together', () => {
    const { events, retired } = take(bareSample([0xb0, 0x41, 0xe6, 0xe9, 0xe6, 0xe9]), 3);
    expect([events, retired]).toEqual([[{ kind: 'debugcon', bytes: 'AA' }], 3]);
  });
  test('isa-debug-exit ends the machine for good', () => {
    const { machine, events, retired } = take(bareSample([0xe6, 0xf4, NOP], { regs: { 0: 5n } }), 10);
    expect([events, retired, machine.ended]).toEqual([[{ kind: 'exit', value: 5 }], 1, { exit: 5 }]);
    expect(take(machine).retired).toBe(0);
  });
  test('where nobody is, reads give ones', () => {
    expect(take(bareSample([0xe5, 0xe0])).machine.cpu.regs[RAX].lo).toBe(-1);
    expect(take(bareSample([0xa1, 0, 0, 0x0a, 0])).machine.cpu.regs[RAX].lo).toBe(-1);
  });
});

test('code where nobody is reads as ones, which is no instruction', () => {
  const { clauses } = take(bareSample([0xe9, 0xfb, 0x7f, 0x09, 0x00]), 2);
  expect(clauses).toContain('x86/undefined-opcode');
});

test('devices lie in memory: the local APIC tells its version', () => {
  expect(take(bareSample([0xa1, 0x30, 0x00, 0xe0, 0xfe])).machine.cpu.regs[RAX].lo & 0xff).toBe(0x14);
});

test('CR8 is the local APIC’s task priority', () => {
  const m = take(bareSample([0xb8, 0x50, 0, 0, 0, 0xa3, 0x80, 0x00, 0xe0, 0xfe]), 2).machine;
  expect(m.cpu.system.cr8).toBe(5);
  const wide = take(bareSample([0x44, 0x0f, 0x22, 0xc0], { mode: '64', regs: { 0: 7n } })).machine;
  expect(wide.devices.lapic.tpr).toBe(0x70);
});

describe('interrupts', () => {
  /** The first timer counts down and asks at 8; all of the 8259A's inputs are open. */
  const PROGRAM = [0xb0, 0xfe, 0xe6, 0x21, 0xb0, 0x34, 0xe6, 0x43, 0xb0, 0xff, 0xe6, 0x40, 0xe6, 0x40];
  const handled: Setting = { words: { [AT.idt + 8 * 8]: gate(SEL.code32, AT.handler, 0x8e) }, bytes: { [AT.handler]: [NOP, NOP, NOP] } };
  test('wake a halted processor once time has come', () => {
    const engine = bareOn(bareSample([...PROGRAM, STI, HLT, NOP], handled));
    expect(engine.apply({ kind: 'execute', steps: 100 }).events).toEqual([{ kind: 'halted' }]);
    expect(engine.apply({ kind: 'execute', steps: 100 })).toMatchObject({ events: [], retired: 0 });
    const { deadline, halted } = engine.status();
    expect(halted).toBe(true);
    engine.apply({ kind: 'time', now: deadline! });
    expect(engine.apply({ kind: 'execute', steps: 1 })).toMatchObject({ events: [{ kind: 'interrupt', vector: 8 }], retired: 1 });
  });
  test('wait for IF, and for the instruction behind STI', () => {
    const programmed = take(bareSample([...PROGRAM, NOP, STI, NOP, NOP], handled), 8).machine;
    const late = step(programmed, { kind: 'time', now: 1_000_000_000 }).machine;
    expect(take(late, 2)).toMatchObject({ events: [], retired: 2 });
    expect(take(late, 3).events).toEqual([{ kind: 'interrupt', vector: 8 }]);
  });
});

describe('time', () => {
  test('moves the time-stamp counter', () => {
    const { machine } = step(bareSample([0x0f, 0x31]), { kind: 'time', now: 5000 });
    expect(take(machine).machine.cpu.regs[RAX].lo).toBe(5000);
  });
  test('never goes back', () => {
    const { machine } = step(bareSample([NOP]), { kind: 'time', now: 10 });
    expect(() => step(machine, { kind: 'time', now: 9 })).toThrow('time');
  });
});

test('what is not modelled tells what came before', () => {
  const engine = bareOn(bareSample([0xb0, 0x41, 0xe6, 0xe9, 0xe5, 0xf8], {}));
  expect(engine.apply({ kind: 'execute', steps: 2 }).events).toEqual([{ kind: 'debugcon', bytes: 'A' }]);
  const pci = bareOn(bareSample([0xb0, 0x41, 0xe6, 0xe9, 0x66, 0xba, 0xf8, 0x0c, 0xed]));
  expect(() => pci.apply({ kind: 'execute', steps: 10 })).toThrow(
    expect.objectContaining({
      what: 'hardware/pci',
      bareBefore: expect.objectContaining({ retired: 3, events: [{ kind: 'debugcon', bytes: 'A' }] }),
    }),
  );
});

test('an old machine gives the answers that it always gave', () => {
  const first = bareSample([0xb0, 0x41, 0xe6, 0xe9]);
  const once = take(first, 2);
  expect(take(first, 2)).toEqual(once);
});

test('observation shows the processor as the contract says', () => {
  const { cpu, retired } = bareOn(bareSample([NOP], { mode: '64' })).observe();
  expect(retired).toBe(0);
  expect(cpu).toMatchObject({ rip: '0x8000', cr0: '0x80000011', cr4: '0x20', cpl: 0, activity: 'running', shadow: 'none' });
  expect(cpu.segments[1]).toEqual({ selector: SEL.code64, base: '0x0', limit: 0xffffffff, rights: 0xa09b, usable: true });
  expect(new Map(cpu.msrs).get(0xc0000080)).toBe('0x500');
  expect(cpu.xmm).toHaveLength(16);
});
