/** What stands at the ports. Wider accesses to byte-wide ports are the bytes one after another, low port first. Pure. */
import { DEBUG_EXIT_PORTS, PORT, PORTS_NOT_MODELLED } from '#spec/bare/ports.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { NotModelled } from '#spec/failure.ts';
import { changePic, citing, type DeviceEffect, type Devices, settled, timerSettled } from './devices.ts';
import * as pic from './pic.ts';
import * as pit from './pit.ts';
import * as rtc from './rtc.ts';
import * as serial from './serial.ts';
import { readSystemPort, writeSystemPort } from './system_control.ts';

export type Answer = { readonly devices: Devices; readonly value: number; readonly effects: readonly DeviceEffect[] };
export type Written = { readonly devices: Devices; readonly effects: readonly DeviceEffect[] };

const SERIAL_PORTS = 8;
/** Register of the serial port that tells why it interrupts. */
const INTERRUPT_CAUSE = 2;
const isSerial = (port: number): boolean => port >= PORT.SERIAL && port < PORT.SERIAL + SERIAL_PORTS;
const isCounter = (port: number): boolean => port >= PORT.PIT_COUNTER0 && port < PORT.PIT_CONTROL;

/** Devices that QEMU's `pc` has and this machine lacks. */
const refuseMissing = ({ lenient }: Devices, port: number): void => {
  const missing = PORTS_NOT_MODELLED.find(([first, last]) => port >= first && port <= last);
  if (missing && !lenient) throw new NotModelled(missing[2]);
};

type ByteRead = { readonly devices: Devices; readonly value: number };

const readPicPort = (d: Devices, which: 'master' | 'slave', data: boolean): ByteRead => {
  let value = 0;
  const polling = d.pic[which === 'master' ? 0 : 1].poll;
  const devices = changePic(polling ? citing(d, 'device/pic-poll') : d, which, (p) => {
    const read = pic.readPic(p, data, which === 'master');
    value = read.value;
    return read.pic;
  });
  return { devices, value };
};

const readCounter = (d: Devices, n: number): ByteRead => {
  const { counter, value } = pit.readCounter(d.pit[n], d.now);
  return { devices: { ...d, pit: d.pit.map((c, i) => (i === n ? counter : c)) as unknown as typeof d.pit }, value };
};

const readByte = (d: Devices, port: number): ByteRead => {
  if (isCounter(port)) return readCounter(d, port - PORT.PIT_COUNTER0);
  if (isSerial(port)) {
    const { serial: next, value } = serial.readSerial(d.serial, port - PORT.SERIAL, d.now);
    const noted = port === PORT.SERIAL + INTERRUPT_CAUSE ? citing(d, 'device/serial-interrupt') : d;
    return { devices: settled({ ...noted, serial: next }), value };
  }
  switch (port) {
    case PORT.PIC1_COMMAND:
    case PORT.PIC1_DATA:
      return readPicPort(d, 'master', port === PORT.PIC1_DATA);
    case PORT.PIC2_COMMAND:
    case PORT.PIC2_DATA:
      return readPicPort(d, 'slave', port === PORT.PIC2_DATA);
    case PORT.ELCR1:
      return { devices: d, value: d.pic[0].elcr };
    case PORT.ELCR2:
      return { devices: d, value: d.pic[1].elcr };
    case PORT.PIT_CONTROL:
      return { devices: d, value: 0 };
    case PORT.RTC_DATA: {
      const { rtc: next, value } = rtc.readRtc(d.rtc, d.now);
      return { devices: settled({ ...(next === d.rtc ? d : citing(d, 'device/rtc-flags')), rtc: next }), value };
    }
    case PORT.DEBUGCON:
      return { devices: d, value: PORT.DEBUGCON };
    case PORT.DEBUG_EXIT:
    case PORT.DEBUG_EXIT + 1:
    case PORT.DEBUG_EXIT + 2:
    case PORT.DEBUG_EXIT + 3:
      return { devices: d, value: 0 };
    default:
      return readSystemPort(d, port);
  }
};

/** `size` bytes from a port. */
export const readPort = (d: Devices, port: number, size: 1 | 2 | 4): Answer => {
  let devices = citing(d, 'device/port-read');
  let value = 0;
  for (let n = 0; n < size; n++) {
    refuseMissing(d, port + n);
    const read = readByte(devices, port + n);
    devices = read.devices;
    value |= read.value << (8 * n);
  }
  return { devices, value: value >>> 0, effects: [] };
};

const quiet = (devices: Devices): Written => ({ devices, effects: [] });

const writeSerialPort = (d: Devices, register: number, value: number): Written => {
  // The interrupt of an empty transmitter is an edge again for each byte.
  const loaded = settled({ ...d, serial: serial.loaded(d.serial, register) });
  const { serial: next, sent } = serial.writeSerial(loaded.serial, register, value, d.now);
  const noted = register === 0 ? citing(loaded, 'device/serial-send') : loaded;
  return { devices: settled({ ...noted, serial: next }), effects: sent === '' ? [] : [{ kind: 'serial', bytes: sent }] };
};

const writeCounter = (d: Devices, n: number, value: number): Devices => {
  const written = d.pit.map((c, i) => (i === n ? pit.writeCounter(c, value, d.now) : c)) as unknown as typeof d.pit;
  const next = { ...citing(d, 'device/pit-load'), pit: written };
  return n === 0 && written[0].low === null ? timerSettled(next) : next;
};

/** The upper two bits name a counter, or the read-back command; without an access mode it is a latch. */
const controlClause = (value: number): ClauseId =>
  value >> 6 === 3 ? 'device/pit-read_back' : (value & 0x30) === 0 ? 'device/pit-latch' : 'device/pit-load';

const writeByte = (d: Devices, port: number, value: number): Written => {
  if (isCounter(port)) return quiet(writeCounter(d, port - PORT.PIT_COUNTER0, value));
  if (isSerial(port)) return writeSerialPort(d, port - PORT.SERIAL, value);
  switch (port) {
    case PORT.PIC1_COMMAND:
      return quiet(changePic(citing(d, 'device/pic-end_of_interrupt'), 'master', (p) => pic.writeCommand(p, value)));
    case PORT.PIC1_DATA:
      return quiet(changePic(d, 'master', (p) => pic.writeData(p, value)));
    case PORT.PIC2_COMMAND:
      return quiet(changePic(citing(d, 'device/pic-end_of_interrupt'), 'slave', (p) => pic.writeCommand(p, value)));
    case PORT.PIC2_DATA:
      return quiet(changePic(d, 'slave', (p) => pic.writeData(p, value)));
    case PORT.ELCR1:
      return quiet(changePic(d, 'master', (p) => pic.writeElcr(p, value, true)));
    case PORT.ELCR2:
      return quiet(changePic(d, 'slave', (p) => pic.writeElcr(p, value, false)));
    case PORT.PIT_CONTROL:
      return quiet({ ...citing(d, controlClause(value)), pit: pit.writeControl(d.pit, value, d.now) });
    case PORT.RTC_INDEX:
      return quiet({ ...d, rtc: { ...d.rtc, index: value } });
    case PORT.RTC_DATA:
      return quiet(settled({ ...citing(d, 'device/rtc-set'), rtc: rtc.writeRtc(d.rtc, value, d.now) }));
    case PORT.DEBUGCON:
      return { devices: d, effects: [{ kind: 'debugcon', bytes: String.fromCharCode(value) }] };
    default:
      return writeSystemPort(d, port, value);
  }
};

const isDebugExit = (port: number): boolean => port >= PORT.DEBUG_EXIT && port < PORT.DEBUG_EXIT + DEBUG_EXIT_PORTS;

/** `size` bytes to a port. One write of any width to the exit port ends the run. */
export const writePort = (d: Devices, port: number, size: 1 | 2 | 4, value: number): Written => {
  const whole = size === 4 ? value >>> 0 : value & ((1 << (8 * size)) - 1);
  if (isDebugExit(port)) return { devices: citing(d, 'device/debug_exit'), effects: [{ kind: 'exit', value: whole }] };
  let devices = citing(d, 'device/port-write');
  const effects: DeviceEffect[] = [];
  for (let n = 0; n < size; n++) {
    refuseMissing(d, port + n);
    const written = writeByte(devices, port + n, (whole >>> (8 * n)) & 0xff);
    devices = written.devices;
    effects.push(...written.effects);
  }
  return { devices, effects };
};
