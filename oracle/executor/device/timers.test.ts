import { describe, expect, test } from 'vitest';
import { barePc } from '#spec/machines/bare_pc.ts';
import { Board } from './board.ts';
import { momentOf, secondsOf } from './calendar.ts';
import { readMemory, readPort, writeMemory, writePort } from './ports.ts';
import { nsOfTicks, ticksOfNs } from './ticks.ts';

const board = (): Board => new Board(barePc('', 16), () => {});
const out = (b: Board, port: number, ...values: readonly number[]): void => {
  for (const value of values) writePort(b, port, 1, value);
};

describe('ticks', () => {
  test('the first ns of a tick is the first that has it', () => {
    for (const ticks of [1, 2, 1193182, 123456789]) {
      const ns = nsOfTicks(ticks, 1193182);
      expect(ticksOfNs(ns, 1193182)).toBe(ticks);
      expect(ticksOfNs(ns - 1, 1193182)).toBe(ticks - 1);
    }
  });
});

describe('8254', () => {
  test('counts down, is latched, and read back with its status', () => {
    const b = board();
    out(b, 0x43, 0xb0);
    out(b, 0x42, 0x34, 0x12);
    b.advance(nsOfTicks(0x34, 1193182));
    out(b, 0x43, 0x80);
    b.advance(nsOfTicks(0x134, 1193182));
    expect([readPort(b, 0x42, 1), readPort(b, 0x42, 1)]).toEqual([0x00, 0x12]);
    expect([readPort(b, 0x42, 1), readPort(b, 0x42, 1)]).toEqual([0x00, 0x11]);
    out(b, 0x43, 0xc8);
    expect(readPort(b, 0x42, 1)).toBe(0x30);
    expect([readPort(b, 0x42, 1), readPort(b, 0x42, 1)]).toEqual([0x00, 0x11]);
  });

  test('BCD counts in decimal', () => {
    const b = board();
    out(b, 0x43, 0xb1);
    out(b, 0x42, 0x00, 0x01);
    b.advance(nsOfTicks(1, 1193182));
    expect([readPort(b, 0x42, 1), readPort(b, 0x42, 1)]).toEqual([0x99, 0x00]);
  });

  test('the gate of counter 2 starts it anew, and its output is seen at port 0x61', () => {
    const b = board();
    out(b, 0x43, 0xb6);
    out(b, 0x42, 100, 0);
    b.advance(nsOfTicks(60, 1193182));
    expect(readPort(b, 0x61, 1)).toBe(0x10);
    out(b, 0x61, 1);
    expect(readPort(b, 0x61, 1)).toBe(0x21);
    expect(b.observe().pit[2]).toMatchObject({ mode: 3, count: 100, gate: true, loaded: b.now });
  });

  test('counter 0 asks for interrupt 0 at each end of its count', () => {
    const b = board();
    out(b, 0x43, 0x34);
    out(b, 0x40, 100, 0);
    expect(b.deadline()).toBe(nsOfTicks(100, 1193182));
    expect(b.interruptRequested).toBe(false);
    b.advance(nsOfTicks(250, 1193182));
    expect(b.observe().pic[0].irr & 1).toBe(1);
  });
});

describe('clock', () => {
  const read = (b: Board, index: number): number => {
    writePort(b, 0x70, 1, index);
    return readPort(b, 0x71, 1);
  };
  const write = (b: Board, index: number, value: number): void => {
    writePort(b, 0x70, 1, index);
    writePort(b, 0x71, 1, value);
  };

  test('dates and seconds are each other', () => {
    for (const seconds of [0, 951782400, 1577836799, 4102444800, 1709164800]) {
      const moment = momentOf(seconds);
      expect(secondsOf(moment)).toBe(seconds);
      const date = new Date(seconds * 1000);
      expect([moment.year, moment.month, moment.day, moment.weekday]).toEqual([
        date.getUTCFullYear(),
        date.getUTCMonth() + 1,
        date.getUTCDate(),
        date.getUTCDay() + 1,
      ]);
    }
  });

  test('tells the time in BCD, goes on, and can be set', () => {
    const b = board();
    expect([0, 2, 4, 7, 8, 9, 0x32].map((index) => read(b, index))).toEqual([0, 0, 0, 1, 1, 0x20, 0x20]);
    b.advance(90_000_000_000);
    expect([0, 2].map((index) => read(b, index))).toEqual([0x30, 0x01]);
    write(b, 4, 0x23);
    write(b, 2, 0x59);
    b.advance(120_000_000_000);
    expect([0, 2, 4, 7].map((index) => read(b, index))).toEqual([0, 0, 0, 2]);
  });

  test('alarm, update and periodic interrupts, told and taken by register C', () => {
    const b = board();
    write(b, 1, 0x05);
    write(b, 3, 0xff);
    write(b, 5, 0xff);
    write(b, 0x0b, 0x22);
    expect(b.rtc.deadline(b.now)).toBe(5_000_000_000);
    b.advance(5_000_000_000);
    expect(read(b, 0x0c)).toBe(0xb0);
    expect(read(b, 0x0c)).toBe(0);
    write(b, 0x0b, 0x42);
    b.advance(5_001_000_000);
    expect(read(b, 0x0c)).toBe(0xc0);
    expect(b.observe().pic[1].irr & 1).toBe(1);
  });
});

describe('timer of the local APIC', () => {
  const write = (b: Board, register: number, value: number): void => writeMemory(b, 0xfee00000 + register, 4, value);
  const read = (b: Board, register: number): number => readMemory(b, 0xfee00000 + register, 4);

  test('one shot, divided by 16', () => {
    const b = board();
    write(b, 0x3e0, 3);
    write(b, 0x320, 0x30);
    write(b, 0x380, 100);
    b.advance(800);
    expect(read(b, 0x390)).toBe(50);
    expect(b.deadline()).toBe(1600);
    b.advance(1600);
    expect(read(b, 0x390)).toBe(0);
    expect(b.lapic.requested).toBe(0x30);
    expect(read(b, 0x210)).toBe(1 << 16);
  });
});
