import { describe, expect, test } from 'vitest';
import type { BareEvent } from '#spec/bare/machine.ts';
import { NotModelled } from '#spec/failure.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { Board } from './board.ts';
import { readMemory, readPort, writeMemory, writePort } from './ports.ts';

const board = (told: BareEvent[] = []): Board => new Board(barePc('', 16), (event) => told.push(event));
const out = (b: Board, port: number, ...values: readonly number[]): void => {
  for (const value of values) writePort(b, port, 1, value);
};

describe('8259A pair', () => {
  const ready = (): Board => {
    const b = board();
    out(b, 0x20, 0x11);
    out(b, 0x21, 0x20, 4, 1, 0);
    out(b, 0xa0, 0x11);
    out(b, 0xa1, 0x28, 2, 1, 0);
    return b;
  };

  test('the lower input comes first, and waits for the end of a higher one', () => {
    const b = ready();
    b.pic.set(4, true);
    b.pic.set(1, true);
    expect(b.acknowledgeInterrupt()).toBe(0x21);
    expect(b.interruptRequested).toBe(false);
    out(b, 0x20, 0x20);
    expect(b.acknowledgeInterrupt()).toBe(0x24);
    out(b, 0x20, 0x0b);
    expect(readPort(b, 0x20, 1)).toBe(0x10);
  });

  test('the slave comes through input 2; both want their end', () => {
    const b = ready();
    b.pic.set(9, true);
    expect(b.acknowledgeInterrupt()).toBe(0x29);
    expect(b.pic.observe().map(({ isr }) => isr)).toEqual([4, 2]);
    out(b, 0xa0, 0x20);
    out(b, 0x20, 0x20);
    expect(b.pic.observe().map(({ isr }) => isr)).toEqual([0, 0]);
  });

  test('level-triggered inputs ask as long as they are high, edges once', () => {
    const b = ready();
    out(b, 0x4d0, 0x28);
    b.pic.set(5, true);
    b.acknowledgeInterrupt();
    out(b, 0x20, 0x20);
    expect(b.interruptRequested).toBe(true);
    b.pic.set(5, false);
    expect(b.interruptRequested).toBe(false);
    expect(b.pic.acknowledge()).toBe(0x27);
  });

  test('poll, rotation and masks', () => {
    const b = ready();
    out(b, 0x20, 0xc2);
    b.pic.set(1, true);
    b.pic.set(3, true);
    out(b, 0x20, 0x0c);
    expect(readPort(b, 0x20, 1)).toBe(0x83);
    out(b, 0x21, 0xff);
    expect(b.interruptRequested).toBe(false);
  });
});

describe('16550A', () => {
  test('sends at once; loopback brings the byte back', () => {
    const told: BareEvent[] = [];
    const b = board(told);
    out(b, 0x3f8, 0x41);
    expect(told).toEqual([{ kind: 'serial', bytes: 'A' }]);
    out(b, 0x3fc, 0x1b);
    out(b, 0x3f8, 0x42);
    expect(readPort(b, 0x3fd, 1)).toBe(0x61);
    expect(readPort(b, 0x3f8, 1)).toBe(0x42);
    expect(readPort(b, 0x3fe, 1)).toBe(0xb0);
    expect(told).toHaveLength(1);
  });

  test('with FIFOs: an interrupt at the trigger level, a timeout below it', () => {
    const b = board();
    out(b, 0x3fa, 0x41);
    out(b, 0x3f9, 1);
    b.serial.receive([1, 2, 3]);
    expect(readPort(b, 0x3fa, 1)).toBe(0xc1);
    b.advance(1000);
    expect(readPort(b, 0x3fa, 1)).toBe(0xcc);
    b.serial.receive([4]);
    expect(readPort(b, 0x3f8, 1)).toBe(1);
    b.serial.receive([5]);
    expect(readPort(b, 0x3fa, 1)).toBe(0xc4);
  });

  test('the interrupt of an empty transmitter is taken by looking at it', () => {
    const b = board();
    out(b, 0x3f9, 2);
    expect(readPort(b, 0x3fa, 1)).toBe(2);
    expect(readPort(b, 0x3fa, 1)).toBe(1);
    out(b, 0x3f8, 0);
    expect(readPort(b, 0x3fa, 1)).toBe(2);
  });

  test('the divisor hides behind DLAB', () => {
    const b = board();
    out(b, 0x3fb, 0x83);
    out(b, 0x3f8, 0x01);
    out(b, 0x3f9, 0x02);
    expect([readPort(b, 0x3f8, 1), readPort(b, 0x3f9, 1)]).toEqual([1, 2]);
    expect(b.serial.observe()).toMatchObject({ divisor: 0x201, ier: 0 });
  });
});

describe('APICs', () => {
  const write = (b: Board, register: number, value: number): void => writeMemory(b, 0xfee00000 + register, 4, value);
  const read = (b: Board, register: number): number => readMemory(b, 0xfee00000 + register, 4);
  const window = (b: Board, index: number, value: number): void => {
    writeMemory(b, 0xfec00000, 4, index);
    writeMemory(b, 0xfec00010, 4, value);
  };
  const entry = (b: Board, index: number): number => {
    writeMemory(b, 0xfec00000, 4, index);
    return readMemory(b, 0xfec00010, 4);
  };

  test('an interrupt to itself waits for the task priority', () => {
    const b = board();
    write(b, 0x80, 0x50);
    write(b, 0x300, 0x40051);
    expect(b.interruptRequested).toBe(false);
    b.lapic.priority = 4;
    expect(b.acknowledgeInterrupt()).toBe(0x51);
    expect(read(b, 0xa0)).toBe(0x50);
    write(b, 0x300, 0x40052);
    expect(b.interruptRequested).toBe(false);
    write(b, 0xb0, 0);
    expect(b.acknowledgeInterrupt()).toBe(0x52);
  });

  test('registers: version, reserved ones, and what is no aligned dword', () => {
    const b = board();
    expect(read(b, 0x30)).toBe(0x50014);
    expect(read(b, 0x40)).toBe(0);
    write(b, 0x280, 0);
    expect(read(b, 0x280)).toBe(0x80);
    expect(readMemory(b, 0xfee00032, 2)).toBe(0);
    expect(() => write(b, 0x300, 0x40500)).toThrow(NotModelled);
  });

  test('a level-triggered input is sent once until its end, and again while it is high', () => {
    const b = board();
    window(b, 0x10 + 2 * 10, 0x8060);
    b.ioapic.set(10, true);
    expect(entry(b, 0x10 + 2 * 10)).toBe(0xc060);
    expect(b.acknowledgeInterrupt()).toBe(0x60);
    b.ioapic.set(10, true);
    expect(b.interruptRequested).toBe(false);
    write(b, 0xb0, 0);
    expect(b.acknowledgeInterrupt()).toBe(0x60);
    b.ioapic.set(10, false);
    write(b, 0xb0, 0);
    expect(b.interruptRequested).toBe(false);
    expect(entry(b, 0x10 + 2 * 10)).toBe(0x8060);
  });

  test('an edge while masked is lost', () => {
    const b = board();
    b.ioapic.set(11, true);
    window(b, 0x10 + 2 * 11, 0x61);
    expect(b.interruptRequested).toBe(false);
    b.ioapic.set(11, false);
    b.ioapic.set(11, true);
    expect(b.acknowledgeInterrupt()).toBe(0x61);
  });
});

describe('ports', () => {
  test('where nothing answers, reads give ones; what is missing says its name', () => {
    const b = board();
    expect(readPort(b, 0x80, 1)).toBe(0xff);
    expect(readPort(b, 0x2000, 4)).toBe(0xffffffff);
    expect(readPort(b, 0xe9, 1)).toBe(0xe9);
    expect(readMemory(b, 0xf0000000, 4)).toBe(0xffffffff);
    expect(() => readPort(b, 0xcfc, 4)).toThrow('hardware/pci');
    expect(() => writePort(b, 0x92, 1, 0)).toThrow('hardware/a20_off');
    expect(() => writePort(b, 0x64, 1, 0xaa)).toThrow('hardware/keyboard-aa');
  });
});
