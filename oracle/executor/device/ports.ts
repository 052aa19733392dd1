/** Port and memory addresses of the devices: who answers where. */
import {
  DEBUG_EXIT_PORTS,
  DEVICE_PAGE_BYTES,
  IOAPIC_ADDRESS,
  LAPIC_ADDRESS,
  MEMORY_NOT_MODELLED,
  PORT,
  PORTS_NOT_MODELLED,
} from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Board } from './board.ts';

/** Reading a byte where nothing answers. */
const NOTHING = 0xff;
const NOTHING32 = 0xffffffff;

type Missing = readonly (readonly [number, number, string])[];

const checkModelled = ({ lenient }: Board, table: Missing, at: number): void => {
  if (lenient) return;
  const found = table.find(([first, last]) => at >= first && at <= last);
  if (found !== undefined) throw new NotModelled(found[2]);
};

const isPic = (port: number): boolean =>
  [PORT.PIC1_COMMAND, PORT.PIC1_DATA, PORT.PIC2_COMMAND, PORT.PIC2_DATA, PORT.ELCR1, PORT.ELCR2].some((known) => known === port);
const isPit = (port: number): boolean => port >= PORT.PIT_COUNTER0 && port <= PORT.PIT_CONTROL;
const isSerial = (port: number): boolean => port >= PORT.SERIAL && port < PORT.SERIAL + 8;
const isDebugExit = (port: number): boolean => port >= PORT.DEBUG_EXIT && port < PORT.DEBUG_EXIT + DEBUG_EXIT_PORTS;

const readByte = (board: Board, port: number): number => {
  const { now } = board;
  if (isPic(port)) return board.pic.read(port);
  if (isPit(port)) return board.pit.read(port & 3, now);
  if (isSerial(port)) return board.serial.read(port & 7);
  switch (port) {
    case PORT.SPEAKER:
      return board.pit.readSpeaker(now);
    case PORT.RTC_INDEX:
    case PORT.RTC_DATA:
      return board.rtc.read(port & 1, now);
    case PORT.KEYBOARD_DATA:
      if (!board.lenient) throw new NotModelled('hardware/keyboard-data');
      return NOTHING;
    case PORT.KEYBOARD_COMMAND:
      return board.control.readKeyboardStatus();
    case PORT.SYSTEM_CONTROL_A:
      return board.control.readControlA();
    case PORT.RESET_CONTROL:
      return board.control.readResetControl();
    case PORT.DEBUGCON:
      return PORT.DEBUGCON;
  }
  if (isDebugExit(port)) return 0;
  checkModelled(board, PORTS_NOT_MODELLED, port);
  return NOTHING;
};

const writeByte = (board: Board, port: number, value: number): void => {
  const { now } = board;
  if (isPic(port)) board.pic.write(port, value);
  else if (isPit(port)) board.pit.write(port & 3, value, now);
  else if (isSerial(port)) board.serial.write(port & 7, value);
  else if (port === PORT.SPEAKER) board.pit.writeSpeaker(value, now);
  else if (port === PORT.RTC_INDEX || port === PORT.RTC_DATA) board.rtc.write(port & 1, value, now);
  else if (port === PORT.KEYBOARD_DATA) board.control.data(value);
  else if (port === PORT.KEYBOARD_COMMAND) board.control.command(value);
  else if (port === PORT.SYSTEM_CONTROL_A) board.control.writeControlA(value);
  else if (port === PORT.RESET_CONTROL) board.control.writeResetControl(value);
  else if (port === PORT.DEBUGCON) board.debug(value);
  else checkModelled(board, PORTS_NOT_MODELLED, port);
};

/** IN of 1, 2 or 4 bytes: the bytes one after another, the low port first; nothing stands behind port 0xffff. */
export const readPort = (board: Board, port: number, size: number): number => {
  let value = 0;
  for (let i = 0; i < size; i++) value += readByte(board, port + i) * 2 ** (8 * i);
  return value;
};

/** OUT. */
export const writePort = (board: Board, port: number, size: number, value: number): void => {
  if (isDebugExit(port)) board.exit((size === 4 ? value : value & (2 ** (8 * size) - 1)) >>> 0);
  else for (let i = 0; i < size; i++) writeByte(board, port + i, (value >>> (8 * i)) & 0xff);
};

const page = (address: number): number => address - (address % DEVICE_PAGE_BYTES);

/** A read of 1, 2 or 4 bytes at a physical address outside RAM. */
export const readMemory = (board: Board, address: number, size: number): number => {
  if (page(address) === LAPIC_ADDRESS) return board.lapic.read(address % DEVICE_PAGE_BYTES, size, board.now);
  if (page(address) === IOAPIC_ADDRESS) return board.ioapic.read(address % DEVICE_PAGE_BYTES, size);
  checkModelled(board, MEMORY_NOT_MODELLED, address);
  return NOTHING32 >>> (32 - 8 * size);
};

export const writeMemory = (board: Board, address: number, size: number, value: number): void => {
  if (page(address) === LAPIC_ADDRESS) board.lapic.write(address % DEVICE_PAGE_BYTES, size, value, board.now);
  else if (page(address) === IOAPIC_ADDRESS) board.ioapic.write(address % DEVICE_PAGE_BYTES, size, value);
  else checkModelled(board, MEMORY_NOT_MODELLED, address);
};
