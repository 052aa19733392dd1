/** The 16550A at COM1. Sending takes no time. Pure. */
import type { SerialObservation } from '#spec/bare/devices.ts';

/** `fifo`: FCR bit 0; `trigger`: received bytes that raise the interrupt; `sent`: the transmitter's interrupt waits; `late`: the character timeout. */
export type Serial = SerialObservation & {
  readonly fifo: boolean;
  readonly trigger: number;
  readonly sent: boolean;
  readonly late: boolean;
  /** Bytes that wait on the line for room. */
  readonly outside: readonly number[];
  /** When the last byte arrived, ns. */
  readonly arrived: number;
};

const LSR = { DATA: 0x01, OVERRUN: 0x02, ERRORS: 0x1e, BREAK: 0x10, THRE: 0x20, TEMT: 0x40 } as const;
const MCR_LOOP = 0x10;
const IER = { RECEIVED: 1, SENT: 2, LINE: 4, MODEM: 8 } as const;
const IIR = { NONE: 1, MODEM: 0, SENT: 2, RECEIVED: 4, LINE: 6, TIMEOUT: 12 } as const;
const FIFO_BYTES = 16;
const TRIGGERS = [1, 4, 8, 14] as const;

/** device/serial-interrupt: the first of these causes that is enabled. */
const cause = (s: Serial): number => {
  if (s.ier & IER.LINE && s.lsr & LSR.ERRORS) return IIR.LINE;
  if (s.ier & IER.RECEIVED && s.late) return IIR.TIMEOUT;
  if (s.ier & IER.RECEIVED && s.lsr & LSR.DATA && (!s.fifo || s.received.length >= s.trigger)) return IIR.RECEIVED;
  if (s.ier & IER.SENT && s.sent) return IIR.SENT;
  if (s.ier & IER.MODEM && s.msr & 0xf) return IIR.MODEM;
  return IIR.NONE;
};
const judged = (s: Serial): Serial => ({ ...s, iir: cause(s) | (s.fifo ? 0xc0 : 0) });
export const interrupts = (s: Serial): boolean => (s.iir & 1) === 0;

const roomOf = (s: Serial): number => (s.fifo ? FIFO_BYTES : 1) - s.received.length;

/** A byte that finds no room is lost, or without FIFOs replaces the one that waits; the overrun is told. */
const receiveByte = (s: Serial, byte: number, now: number): Serial => {
  if (roomOf(s) > 0) return { ...s, received: [...s.received, byte], lsr: s.lsr | LSR.DATA, arrived: now };
  const received = s.fifo ? s.received : [byte];
  return { ...s, received, lsr: s.lsr | LSR.DATA | LSR.OVERRUN, arrived: now };
};

/** device/serial-receive: bytes come in from the line as far as there is room. */
const takeIn = (s: Serial, now: number): Serial => {
  const room = s.mcr & MCR_LOOP ? 0 : roomOf(s);
  if (room <= 0 || s.outside.length === 0) return s;
  const entered = s.outside.slice(0, room).reduce((each, byte) => receiveByte(each, byte, now), s);
  return judged({ ...entered, outside: s.outside.slice(room) });
};

export const receive = (s: Serial, bytes: readonly number[], now: number): Serial =>
  takeIn({ ...s, outside: [...s.outside, ...bytes] }, now);

/** device/serial-timeout: bytes that nobody fetched wait below the trigger level. */
export const atTime = (s: Serial, now: number): Serial =>
  s.fifo && !s.late && s.received.length > 0 && s.received.length < s.trigger && now > s.arrived ? judged({ ...s, late: true }) : s;

type Read = { readonly serial: Serial; readonly value: number };

const readData = (s: Serial, now: number): Read => {
  if (s.received.length === 0) return { serial: s, value: 0 };
  const received = s.received.slice(1);
  const lsr = received.length === 0 ? s.lsr & ~(LSR.DATA | LSR.BREAK) : s.lsr;
  return { serial: takeIn(judged({ ...s, received, lsr, late: false }), now), value: s.received[0] };
};

/** In loopback the modem outputs come back as its inputs: RTS as CTS, DTR as DSR, OUT1 as RI, OUT2 as DCD. */
const modemStatus = ({ mcr, msr }: Serial): number => (mcr & MCR_LOOP ? ((mcr & 0xc) << 4) | ((mcr & 2) << 3) | ((mcr & 1) << 5) : msr);

const divisorLatch = (s: Serial): boolean => (s.lcr & 0x80) !== 0;

export const readSerial = (s: Serial, register: number, now: number): Read => {
  switch (register) {
    case 0:
      return divisorLatch(s) ? { serial: s, value: s.divisor & 0xff } : readData(s, now);
    case 1:
      return { serial: s, value: divisorLatch(s) ? s.divisor >> 8 : s.ier };
    case 2:
      return { serial: (s.iir & 0xf) === IIR.SENT ? judged({ ...s, sent: false }) : s, value: s.iir };
    case 3:
      return { serial: s, value: s.lcr };
    case 4:
      return { serial: s, value: s.mcr };
    case 5:
      return { serial: judged({ ...s, lsr: s.lsr & ~(LSR.BREAK | LSR.OVERRUN) }), value: s.lsr };
    case 6:
      return { serial: s.mcr & MCR_LOOP ? s : judged({ ...s, msr: s.msr & 0xf0 }), value: modemStatus(s) };
    default:
      return { serial: s, value: s.scr };
  }
};

/** A byte is written to the transmitter: while it has it, it is not empty, and its interrupt goes. */
export const loaded = (s: Serial, register: number): Serial =>
  register === 0 && !divisorLatch(s) ? judged({ ...s, sent: false, lsr: s.lsr & ~(LSR.THRE | LSR.TEMT) }) : s;

type Written = { readonly serial: Serial; readonly sent: string };
const quiet = (serial: Serial): Written => ({ serial: judged(serial), sent: '' });

/** device/serial-send: the byte is out at once, so the transmitter is empty again. */
const send = (s: Serial, byte: number, now: number): Written => {
  const empty: Serial = { ...s, lsr: s.lsr | LSR.THRE | LSR.TEMT, sent: true };
  if (s.mcr & MCR_LOOP) return quiet(receiveByte(empty, byte, now));
  return { serial: judged(empty), sent: String.fromCharCode(byte) };
};

const enable = (s: Serial, value: number): Serial => {
  const ier = value & 0xf;
  if (((ier ^ s.ier) & IER.SENT) === 0) return { ...s, ier };
  return { ...s, ier, sent: (ier & IER.SENT) !== 0 && (s.lsr & LSR.THRE) !== 0 };
};

/** FCR: switching the FIFOs on or off empties both. */
const fifoControl = (s: Serial, value: number): Serial => {
  const fifo = (value & 1) !== 0;
  const changed = fifo !== s.fifo;
  const emptied: Serial = changed || value & 2 ? { ...s, received: [], late: false, lsr: s.lsr & ~(LSR.DATA | LSR.BREAK) } : s;
  const sent = changed || value & 4 ? true : emptied.sent;
  return { ...emptied, fifo, sent, trigger: TRIGGERS[value >> 6] };
};

export const writeSerial = (s: Serial, register: number, value: number, now: number): Written => {
  switch (register) {
    case 0:
      return divisorLatch(s) ? quiet({ ...s, divisor: (s.divisor & 0xff00) | value }) : send(s, value, now);
    case 1:
      return quiet(divisorLatch(s) ? { ...s, divisor: (s.divisor & 0xff) | (value << 8) } : enable(s, value));
    case 2:
      return quiet(takeIn(fifoControl(s, value), now));
    case 3:
      return quiet({ ...s, lcr: value });
    case 4:
      return quiet(takeIn({ ...s, mcr: value & 0x1f }, now));
    case 7:
      return quiet({ ...s, scr: value });
    default:
      return quiet(s);
  }
};
