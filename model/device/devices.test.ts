import { expect, test } from 'vitest';
import { PORT } from '#spec/bare/ports.ts';
import { devicesAtEntry } from './at_entry.ts';
import { acknowledgeInterrupt, atTime, type Devices, deadline, interruptRequested, receive } from './devices.ts';
import { readMmio, writeMmio } from './mmio.ts';
import { observeDevices } from './observe.ts';
import { readPort, writePort } from './port.ts';

const entry = devicesAtEntry({ frames: 4096, cpuid: [], tsc_khz: 1000, random: [], wallclock_sec: 951_782_299, cmdline: '' });

const out = (d: Devices, ...writes: readonly (readonly [number, number])[]): Devices =>
  writes.reduce((each, [port, value]) => writePort(each, port, 1, value).devices, d);
const inb = (d: Devices, port: number): number => readPort(d, port, 1).value;

/** Both 8259As at 0x20 and 0x28, all inputs masked but `unmasked` of the sixteen. */
const pics = (d: Devices, unmasked: number): Devices =>
  out(
    d,
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 4],
    [0x21, 1],
    [0xa0, 0x11],
    [0xa1, 0x28],
    [0xa1, 2],
    [0xa1, 1],
    [0x21, ~unmasked & 0xff],
    [0xa1, (~unmasked >> 8) & 0xff],
  );

const takeVector = (d: Devices): readonly [Devices, number] => {
  const { devices, vector } = acknowledgeInterrupt(d);
  return [devices, vector];
};

test('the timer interrupts once however many periods have passed, and again after the end of the interrupt', () => {
  const set = out(pics(entry, 1), [0x43, 0x34], [0x40, 0xe8], [0x40, 0x03]);
  expect(interruptRequested(set)).toBe(false);
  expect(deadline(set)).toBe(Math.ceil((1000 * 1e9) / 1193182));
  const later = atTime(set, 5_000_000);
  expect(interruptRequested(later)).toBe(true);
  const [taken, vector] = takeVector(later);
  expect(vector).toBe(0x20);
  expect(interruptRequested(taken)).toBe(false);
  expect(interruptRequested(out(taken, [0x20, 0x20]))).toBe(false);
  expect(interruptRequested(atTime(out(taken, [0x20, 0x20]), 6_000_000))).toBe(true);
});

test('a masked input keeps its request until it is unmasked', () => {
  const set = atTime(out(pics(entry, 0), [0x43, 0x34], [0x40, 0xe8], [0x40, 0x03]), 1_000_000);
  expect(interruptRequested(set)).toBe(false);
  expect(inb(out(set, [0x20, 0x0a]), 0x20)).toBe(1);
  expect(interruptRequested(out(set, [0x21, 0xfe]))).toBe(true);
});

test('the clock interrupts through the slave; its flags hold the line until they are read', () => {
  const set = out(pics(entry, 0x104), [0x70, 0x0b], [0x71, 0x12]);
  const later = atTime(set, 1_500_000_000);
  const [taken, vector] = takeVector(later);
  expect(vector).toBe(0x28);
  const read = readPort(out(taken, [0x70, 0x0c]), 0x71, 1);
  expect(read.value).toBe(0x90);
  expect(inb(read.devices, 0x71)).toBe(0);
});

test('the clock shows the last second of February 1996 in BCD, and then the first of March', () => {
  const leap = devicesAtEntry({ frames: 4096, cpuid: [], tsc_khz: 1000, random: [], wallclock_sec: 825_638_399, cmdline: '' });
  const shown = (d: Devices): number[] => [0x32, 9, 8, 7, 4, 2, 0].map((index) => inb(out(d, [0x70, index]), 0x71));
  expect(shown(leap)).toEqual([0x19, 0x96, 0x02, 0x29, 0x23, 0x59, 0x59]);
  expect(shown(atTime(leap, 1_000_000_000))).toEqual([0x19, 0x96, 0x03, 0x01, 0x00, 0x00, 0x00]);
});

test('a clock that was stopped goes on from what was written into it', () => {
  const stopped = out(entry, [0x70, 0x0b], [0x71, 0x82], [0x70, 4], [0x71, 0x12], [0x70, 2], [0x71, 0x34], [0x70, 0], [0x71, 0x59]);
  const going = out(atTime(stopped, 3_000_000_000), [0x70, 0x0b], [0x71, 0x02]);
  const later = atTime(going, 4_000_000_000);
  expect([4, 2].map((index) => inb(out(later, [0x70, index]), 0x71))).toEqual([0x12, 0x35]);
});

test('counter 2 counts what its gate lets it, and a latched count stays', () => {
  const set = out(entry, [0x61, 1], [0x43, 0xb0], [0x42, 0x00], [0x42, 0x10]);
  const latched = out(atTime(set, 1_000_000), [0x43, 0x80]);
  const expected = 0x1000 - Math.floor((1_000_000 * 1193182) / 1e9);
  const low = readPort(atTime(latched, 9_000_000), 0x42, 1);
  const high = readPort(low.devices, 0x42, 1);
  expect(low.value | (high.value << 8)).toBe(expected);
});

test('a byte that arrives interrupts, and the interrupt ends when it is read', () => {
  const set = out(pics(entry, 0x10), [PORT.SERIAL + 1, 1]);
  const arrived = receive(set, [0x41]);
  expect(takeVector(arrived)[1]).toBe(0x24);
  expect(inb(arrived, PORT.SERIAL + 2) & 0xf).toBe(4);
  const read = readPort(arrived, PORT.SERIAL, 1);
  expect(read.value).toBe(0x41);
  expect(inb(read.devices, PORT.SERIAL + 2) & 0xf).toBe(1);
});

test('loopback receives what it sends; without it the byte leaves', () => {
  expect(writePort(entry, PORT.SERIAL, 1, 0x42).effects).toEqual([{ kind: 'serial', bytes: 'B' }]);
  const looped = out(entry, [PORT.SERIAL + 4, 0x10], [PORT.SERIAL, 0x42]);
  expect(inb(looped, PORT.SERIAL)).toBe(0x42);
});

const [LAPIC, IOAPIC] = [0xfee00000, 0xfec00000];
const put = (d: Devices, address: number, value: number): Devices => writeMmio(d, address, 4, value);

test('the local APIC timer interrupts above the task priority only', () => {
  const set = put(put(put(entry, LAPIC + 0x320, 0x41), LAPIC + 0x3e0, 0xb), LAPIC + 0x380, 1000);
  expect(readMmio(atTime(set, 400), LAPIC + 0x390, 4).value).toBe(600);
  const later = atTime(set, 1000);
  expect(takeVector(later)[1]).toBe(0x41);
  expect(interruptRequested(put(pics(later, 0), LAPIC + 0x80, 0x40))).toBe(false);
});

test('the I/O APIC sends an edge to the local APIC, and loses it while masked', () => {
  const masked = atTime(out(put(put(entry, IOAPIC, 0x14), IOAPIC + 0x10, 0x10051), [0x43, 0x34], [0x40, 0], [0x40, 1]), 400_000);
  expect(observeDevices(masked).lapic.irr).toBe('0'.repeat(64));
  const open = atTime(put(put(masked, IOAPIC, 0x14), IOAPIC + 0x10, 0x51), 800_000);
  expect(takeVector(pics(open, 0))[1]).toBe(0x51);
});

test('a level-triggered input sends again after the end of the interrupt while its line is high', () => {
  const level = put(put(put(entry, IOAPIC, 0x10 + 2 * 4), IOAPIC + 0x10, 0x8061), IOAPIC, 0x10 + 2 * 4 + 1);
  const arrived = receive(out(pics(level, 0), [PORT.SERIAL + 1, 1]), [1]);
  const [taken, vector] = takeVector(arrived);
  expect(vector).toBe(0x61);
  expect(interruptRequested(taken)).toBe(false);
  expect(interruptRequested(put(taken, LAPIC + 0xb0, 0))).toBe(true);
});

test('vectors below 16 are errors that the next write to ESR shows', () => {
  const sent = put(entry, LAPIC + 0x300, 0x40005);
  expect(readMmio(sent, LAPIC + 0x280, 4).value).toBe(0);
  expect(readMmio(put(sent, LAPIC + 0x280, 0), LAPIC + 0x280, 4).value).toBe(0x20);
});

test('nobody answers with all ones, and what is missing says so', () => {
  expect(readPort(entry, 0x300, 4).value).toBe(0xffffffff);
  expect(() => readPort(entry, 0xcfc, 4)).toThrow('not modelled: hardware/pci');
  expect(writePort(entry, 0x64, 1, 0xfe).effects).toEqual([{ kind: 'shutdown', why: 'reset' }]);
  expect(writePort(entry, 0xf4, 4, 0x12345).effects).toEqual([{ kind: 'exit', value: 0x12345 }]);
});
