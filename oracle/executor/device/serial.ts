/** The 16550A at port 0x3f8, ISA interrupt 4. Bytes are sent at once; bytes that arrive and find no room wait outside. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { SerialObservation } from '#spec/bare/devices.ts';

const FIFO_BYTES = 16;

const IER = { DATA: 1, THR: 2, LINE: 4, MODEM: 8 } as const;
const IIR = { NONE: 1, MODEM: 0, THR: 2, DATA: 4, LINE: 6, TIMEOUT: 0xc } as const;
const FCR = { ENABLE: 1, RESET_RECEIVE: 2 } as const;
const LSR = { DATA: 1, OVERRUN: 2, BREAK: 0x10, ANY_ERROR: 0x1e } as const;
const LOOPBACK = 0x10;
const DLAB = 0x80;
const TRIGGER = [1, 4, 8, 14] as const;

export class Serial {
  private ier = AT_ENTRY.serial.ier;
  private iir = AT_ENTRY.serial.iir;
  private lcr = AT_ENTRY.serial.lcr;
  private mcr = AT_ENTRY.serial.mcr;
  private lsr = AT_ENTRY.serial.lsr;
  private msr = AT_ENTRY.serial.msr;
  private scr = AT_ENTRY.serial.scr;
  private divisor = AT_ENTRY.serial.divisor;
  private fcr = 0;
  private fifo: number[] = [];
  /** Without the FIFO: the last byte received. */
  private holding = 0;
  private outside: number[] = [];
  private thrPending = false;
  /** Bytes below the trigger level have waited for a while. */
  private timedOut = false;
  private readonly irq: (level: boolean) => void;
  private readonly sent: (byte: number) => void;

  /** @param irq sets the level of interrupt 4. @param sent takes what is transmitted. */
  constructor(irq: (level: boolean) => void, sent: (byte: number) => void) {
    this.irq = irq;
    this.sent = sent;
  }

  private get hasFifo(): boolean {
    return (this.fcr & FCR.ENABLE) !== 0;
  }

  /** Bytes arrive on the line. */
  receive(bytes: readonly number[]): void {
    this.outside.push(...bytes);
    this.takeIn();
  }

  /** Let waiting bytes in as far as there is room. */
  private takeIn(): void {
    const room = (): boolean => (this.mcr & LOOPBACK) === 0 && (this.hasFifo ? this.fifo.length < FIFO_BYTES : (this.lsr & LSR.DATA) === 0);
    while (this.outside.length > 0 && room()) this.put(this.outside.shift() as number);
    this.update();
  }

  private put(byte: number): void {
    if (!this.hasFifo) {
      if ((this.lsr & LSR.DATA) !== 0) this.lsr |= LSR.OVERRUN;
      this.holding = byte;
    } else if (this.fifo.length < FIFO_BYTES) this.fifo.push(byte);
    else this.lsr |= LSR.OVERRUN;
    this.lsr |= LSR.DATA;
  }

  private get belowTrigger(): boolean {
    return this.hasFifo && this.fifo.length > 0 && this.fifo.length < TRIGGER[this.fcr >> 6];
  }

  /** Time passed: long enough for the character timeout. */
  advance(): void {
    if (this.belowTrigger) this.timedOut = true;
    this.update();
  }

  private cause(): number {
    const { ier, lsr } = this;
    if ((ier & IER.LINE) !== 0 && (lsr & LSR.ANY_ERROR) !== 0) return IIR.LINE;
    if ((ier & IER.DATA) !== 0 && this.timedOut) return IIR.TIMEOUT;
    const enough = !this.hasFifo || this.fifo.length >= TRIGGER[this.fcr >> 6];
    if ((ier & IER.DATA) !== 0 && (lsr & LSR.DATA) !== 0 && enough) return IIR.DATA;
    if ((ier & IER.THR) !== 0 && this.thrPending) return IIR.THR;
    if ((ier & IER.MODEM) !== 0 && (this.msr & 0xf) !== 0) return IIR.MODEM;
    return IIR.NONE;
  }

  private update(): void {
    const cause = this.cause();
    this.iir = cause | (this.hasFifo ? 0xc0 : 0);
    this.irq(cause !== IIR.NONE);
  }

  write(register: number, value: number): void {
    const latch = (this.lcr & DLAB) !== 0;
    if (register === 0) {
      if (latch) this.divisor = (this.divisor & 0xff00) | value;
      else this.transmit(value);
    } else if (register === 1) {
      if (latch) this.divisor = (this.divisor & 0xff) | (value << 8);
      else this.enable(value & 0xf);
    } else if (register === 2) this.control(value);
    else if (register === 3) this.lcr = value;
    else if (register === 4) this.setModem(value & 0x1f);
    else if (register === 7) this.scr = value;
  }

  /** What waited while outputs led to inputs comes in when they do no longer. */
  private setModem(value: number): void {
    this.mcr = value;
    this.takeIn();
  }

  private transmit(byte: number): void {
    // The register is full for a moment, which takes the request of an empty one away.
    this.thrPending = false;
    this.update();
    if ((this.mcr & LOOPBACK) !== 0) this.put(byte);
    else this.sent(byte);
    this.thrPending = true;
    this.update();
  }

  private enable(value: number): void {
    const changed = this.ier ^ value;
    this.ier = value;
    if ((changed & IER.THR) !== 0) this.thrPending = (value & IER.THR) !== 0;
    this.update();
  }

  private control(value: number): void {
    if (value === this.fcr) return;
    const switched = ((value ^ this.fcr) & FCR.ENABLE) !== 0;
    if (switched || (value & FCR.RESET_RECEIVE) !== 0) {
      this.fifo = [];
      this.lsr &= ~(LSR.DATA | LSR.BREAK);
      this.timedOut = false;
    }
    if (switched || (value & 4) !== 0) this.thrPending = true;
    this.fcr = value & 0xc9;
    this.takeIn();
  }

  read(register: number): number {
    const latch = (this.lcr & DLAB) !== 0;
    switch (register) {
      case 0:
        return latch ? this.divisor & 0xff : this.takeOut();
      case 1:
        return latch ? this.divisor >> 8 : this.ier;
      case 2:
        return this.identify();
      case 3:
        return this.lcr;
      case 4:
        return this.mcr;
      case 5:
        return this.lineStatus();
      case 6:
        return this.modemStatus();
      default:
        return this.scr;
    }
  }

  private takeOut(): number {
    let byte = this.holding;
    this.holding = 0;
    if (this.hasFifo) {
      byte = this.fifo.shift() ?? 0;
      this.timedOut = false;
    }
    if (this.fifo.length === 0) this.lsr &= ~(LSR.DATA | LSR.BREAK);
    this.update();
    if ((this.mcr & LOOPBACK) === 0) this.takeIn();
    return byte;
  }

  private identify(): number {
    const told = this.iir;
    if ((told & 0xf) === IIR.THR) {
      this.thrPending = false;
      this.update();
    }
    return told;
  }

  private lineStatus(): number {
    const told = this.lsr;
    this.lsr &= ~(LSR.BREAK | LSR.OVERRUN);
    this.update();
    return told;
  }

  /** In loopback the outputs are the inputs: OUT2, OUT1, RTS, DTR become DCD, RI, CTS, DSR. */
  private modemStatus(): number {
    const { mcr } = this;
    if ((mcr & LOOPBACK) !== 0) return ((mcr & 0xc) << 4) | ((mcr & 2) << 3) | ((mcr & 1) << 5);
    const told = this.msr;
    this.msr &= 0xf0;
    this.update();
    return told;
  }

  observe(): SerialObservation {
    const { ier, iir, lcr, mcr, lsr, msr, scr, divisor } = this;
    const held = this.hasFifo ? this.fifo : (lsr & LSR.DATA) !== 0 ? [this.holding] : [];
    return { ier, iir, lcr, mcr, lsr, msr, scr, divisor, received: [...held, ...this.outside] };
  }
}
