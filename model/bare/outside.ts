/** What instructions want from outside the processor, done by the devices. */
import type { Wanted } from '../cpu/x86/outside.ts';
import { taskPriority } from '../device/devices.ts';
import { isDeviceMemory, readMmio, writeMmio } from '../device/mmio.ts';
import { readPort, writePort } from '../device/port.ts';
import { ALL_ONES, fromHex, toNumber, type Word, word, ZERO } from '../word/word.ts';
import { cite, emit, type Machine } from './machine.ts';

/** The machine after doing what is wanted, and the answer. */
export type Done = { readonly machine: Machine; readonly answer: Word | null };

export const carryOut = (m: Machine, wanted: Wanted): Done => {
  switch (wanted.kind) {
    case 'in': {
      const { devices, value, effects } = readPort(m.devices, wanted.port, wanted.size as 1 | 2 | 4);
      return { machine: effects.reduce(emit, withDevices(m, devices)), answer: word(0, value) };
    }
    case 'out': {
      const { devices, effects } = writePort(m.devices, wanted.port, wanted.size as 1 | 2 | 4, wanted.value.lo >>> 0);
      return { machine: effects.reduce(emit, withDevices(m, devices)), answer: ZERO };
    }
    case 'load':
      return loaded(m, toNumber(wanted.at), wanted.size);
    case 'store':
      return { machine: stored(m, toNumber(wanted.at), wanted.size, wanted.value), answer: ZERO };
    case 'random':
      return drawn(m);
  }
};

/** CR8 follows the local APIC's task priority. */
export const withDevices = (m: Machine, devices: Machine['devices']): Machine => {
  const cr8 = taskPriority(devices);
  const { system } = m.cpu;
  if (cr8 === system.cr8) return { ...m, devices };
  return cite({ ...m, devices, cpu: { ...m.cpu, system: { ...system, cr8 } } }, ['bare/cr8-tpr']);
};

/** Where nothing answers, reads give all ones. An access of 8 bytes is two of 4. */
const loaded = (m: Machine, at: number, size: number): Done => {
  if (!isDeviceMemory(m.devices, at)) return { machine: cite(m, ['bare/nobody']), answer: ALL_ONES };
  const first = readMmio(m.devices, at, Math.min(size, 4) as 1 | 2 | 4);
  if (size <= 4) return { machine: withDevices(m, first.devices), answer: word(0, first.value) };
  const second = readMmio(first.devices, at + 4, 4);
  return { machine: withDevices(m, second.devices), answer: word(second.value, first.value) };
};

const stored = (m: Machine, at: number, size: number, value: Word): Machine => {
  if (!isDeviceMemory(m.devices, at)) return cite(m, ['bare/nobody']);
  const first = writeMmio(m.devices, at, Math.min(size, 4) as 1 | 2 | 4, value.lo >>> 0);
  return withDevices(m, size <= 4 ? first : writeMmio(first, at + 4, 4, value.hi >>> 0));
};

/** The configuration's values one after another, the last one again and again. */
const drawn = (m: Machine): Done => {
  const { random } = m.config;
  const noted = cite(m, ['bare/random']);
  if (random.length === 0) return { machine: noted, answer: null };
  return { machine: { ...noted, drawn: m.drawn + 1 }, answer: fromHex(random[Math.min(m.drawn, random.length - 1)]) };
};
