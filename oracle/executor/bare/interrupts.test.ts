import { describe, expect, test } from 'vitest';
import type { BareMachine } from '#spec/bare/machine.ts';
import { type Blob, CODE, exit, flatTable, gate, IDT, machineOf, PROLOGUE, run, SEL, say, u16, u32 } from './fixture.ts';

const HANDLER = 0x101000 - 0x200;
const AFTER = CODE + PROLOGUE.length;
const out = (port: number, value: number): number[] => [0xb0, value, 0xba, ...u32(port), 0xee];
const handle = (vector: number, bytes: readonly number[]): readonly Blob[] => [
  { at: IDT + 8 * vector, bytes: gate(SEL.code32, HANDLER, 0x8e) },
  { at: HANDLER, bytes },
];
/** The PIC with vectors from 0x20 and only interrupt 0 let in; the PIT's counter 0 at 1193 ticks. */
const timer = [
  ...[out(0x20, 0x11), out(0x21, 0x20), out(0x21, 4), out(0x21, 1), out(0x21, 0xfe)].flat(),
  ...[out(0x43, 0x34), out(0x40, 1193 & 0xff), out(0x40, 1193 >> 8)].flat(),
];
const toDeadline = (machine: BareMachine): number => {
  const { deadline } = machine.status();
  machine.apply({ kind: 'time', now: deadline ?? 0 });
  return deadline ?? 0;
};

describe('interrupts', () => {
  test('the PIT wakes a processor that waits, time after time', () => {
    const handler = [...say('t'), ...out(0x20, 0x20), 0xcf];
    const machine = machineOf([...PROLOGUE, ...timer, 0xfb, 0xf4, 0xeb, 0xfd], [flatTable(), ...handle(0x20, handler)]);
    expect(run(machine)).toEqual([{ kind: 'halted' }]);
    const first = toDeadline(machine);
    expect(first).toBe(999848);
    expect(run(machine)).toEqual([{ kind: 'interrupt', vector: 0x20 }, { kind: 'debugcon', bytes: 't' }, { kind: 'halted' }]);
    expect(toDeadline(machine)).toBe(Math.ceil((2 * 1193 * 1e9) / 1193182));
    expect(run(machine)[0]).toEqual({ kind: 'interrupt', vector: 0x20 });
  });

  test('STI holds interrupts off for one instruction', () => {
    const machine = machineOf([...PROLOGUE, ...timer, 0xf4, 0xfb, 0x40, 0x40, ...exit(2)], [flatTable(), ...handle(0x20, [0xe7, 0xf4])]);
    run(machine);
    expect(machine.status().halted).toBe(true);
    toDeadline(machine);
    expect(run(machine)).toEqual([]);
    const on = machineOf([...PROLOGUE, ...timer, 0x31, 0xc0, 0x90, 0xfb, 0x40, 0x40], [flatTable(), ...handle(0x20, [0xe7, 0xf4])]);
    on.apply({ kind: 'execute', steps: 9 + 3 * 8 });
    on.apply({ kind: 'time', now: 2_000_000 });
    expect(run(on, 100).at(-1)).toEqual({ kind: 'exit', value: 1 });
  });

  test('the local APIC timer, and its end of interrupt', () => {
    const mov = (register: number, value: number): number[] => [0xc7, 0x05, ...u32(0xfee00000 + register), ...u32(value)];
    const apic = [...mov(0x3e0, 0xb), ...mov(0x320, 0x20041), ...mov(0x380, 1000)];
    const handler = [...say('a'), ...mov(0xb0, 0), 0xcf];
    const machine = machineOf([...PROLOGUE, ...apic, 0xfb, 0xf4, 0xeb, 0xfd], [flatTable(), ...handle(0x41, handler)]);
    run(machine);
    expect(toDeadline(machine)).toBe(1000);
    expect(run(machine)).toEqual([{ kind: 'interrupt', vector: 0x41 }, { kind: 'debugcon', bytes: 'a' }, { kind: 'halted' }]);
    expect(toDeadline(machine)).toBe(2000);
    expect(run(machine)[0]).toEqual({ kind: 'interrupt', vector: 0x41 });
  });

  test('an NMI to itself is not held off by IF, but by another NMI', () => {
    const send = [0xc7, 0x05, ...u32(0xfee00300), ...u32(0x44400)];
    const handler = [...say('n'), ...send, 0x90, ...say('m'), 0xcf];
    const machine = machineOf([...PROLOGUE, ...send, ...exit(1)], [flatTable(), ...handle(2, handler)]);
    const events = run(machine, 60);
    expect(events.slice(0, 3)).toEqual([
      { kind: 'interrupt', vector: 2 },
      { kind: 'debugcon', bytes: 'nm' },
      { kind: 'interrupt', vector: 2 },
    ]);
  });

  test('a byte at the serial port comes through the I/O APIC', () => {
    const window = (index: number, value: number): number[] => [
      ...[0xc7, 0x05, ...u32(0xfec00000), ...u32(index)],
      ...[0xc7, 0x05, ...u32(0xfec00010), ...u32(value)],
    ];
    const setup = [...window(0x10 + 8, 0x50), ...out(0x3f9, 1), 0xfb, 0xf4];
    const handler = [0xba, ...u32(0x3f8), 0xec, 0xe6, 0xf4];
    const machine = machineOf([...PROLOGUE, ...setup], [flatTable(), ...handle(0x50, handler)]);
    run(machine);
    machine.apply({ kind: 'serial', bytes: 'x' });
    expect(run(machine)).toEqual([
      { kind: 'interrupt', vector: 0x50 },
      { kind: 'exit', value: 0x78 },
    ]);
  });
});

describe('debugging', () => {
  const show = handle(1, [0x58, 0xe7, 0xf4]);
  /** MOV EAX, n; MOV DRx, EAX. */
  const dr = (number: number, value: number): number[] => [0xb8, ...u32(value), 0x0f, 0x23, 0xc0 | (number << 3)];

  test('TF: a trap behind the next instruction, but not behind a load of SS', () => {
    const trace = [0x68, ...u32(0x102), 0x9d];
    const plain = machineOf([...PROLOGUE, ...trace, 0x90, 0x90], [flatTable(), ...show]);
    expect(run(plain)).toEqual([
      { kind: 'exception', vector: 1, error: null, address: null, software: false },
      { kind: 'exit', value: AFTER + 7 },
    ]);
    expect(plain.observe().cpu.dr[4]).toBe('0xffff4ff0');
    const held = machineOf([...PROLOGUE, ...trace, 0x8e, 0xd0, 0x90, 0x90], [flatTable(), ...show]);
    expect(run(held).at(-1)).toEqual({ kind: 'exit', value: AFTER + 9 });
  });

  test('a breakpoint at an instruction comes before it, one on data behind it', () => {
    const at = AFTER + 16 + 2;
    const before = machineOf([...PROLOGUE, ...dr(0, at), ...dr(7, 0x401), 0x90, 0x90, 0x90], [flatTable(), ...show]);
    expect(run(before).at(-1)).toEqual({ kind: 'exit', value: at });
    expect(before.observe().cpu.dr[4]).toBe('0xffff0ff1');
    const write = [0x89, 0x05, ...u32(0x200004)];
    const data = machineOf([...PROLOGUE, ...dr(1, 0x200004), ...dr(7, 0xd00404), ...write, 0x90], [flatTable(), ...show]);
    expect(run(data).at(-1)).toEqual({ kind: 'exit', value: AFTER + 16 + 6 });
    expect(data.observe().cpu.dr[4]).toBe('0xffff0ff2');
  });

  test('general detection stops the use of debug registers', () => {
    const machine = machineOf([...PROLOGUE, ...dr(7, 0x2400), 0x0f, 0x21, 0xc0], [flatTable(), ...show]);
    expect(run(machine).at(-1)).toEqual({ kind: 'exit', value: AFTER + 8 });
    expect(machine.observe().cpu.dr.slice(4)).toEqual(['0xffff2ff0', '0x400']);
  });

  test('registers that do not fit are refused', () => {
    const gp = handle(13, [0x58, 0xe7, 0xf4]);
    const wrong = (code: readonly number[]): unknown => run(machineOf([...PROLOGUE, ...code], [flatTable(), ...gp]))[0];
    const cr = (number: number, value: number): number[] => [0xb8, ...u32(value), 0x0f, 0x22, 0xc0 | (number << 3)];
    const general = { kind: 'exception', vector: 13, error: 0, address: null, software: false };
    expect(wrong(cr(0, 0x80000000))).toEqual(general);
    expect(wrong(cr(0, 0x20000011))).toEqual(general);
    expect(wrong(cr(4, 0x80000000))).toEqual(general);
    expect(wrong([0xb9, ...u32(0x12345), 0x0f, 0x32])).toEqual(general);
    expect(wrong([0xb8, ...u32(SEL.tss | 3), 0x0f, 0x00, 0xd8, 0xb8, ...u16(SEL.tss), 0, 0, 0x0f, 0x00, 0xd8])).toEqual({
      ...general,
      error: SEL.tss,
    });
  });
});
