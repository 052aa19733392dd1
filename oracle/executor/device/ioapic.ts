/** The I/O APIC: 24 inputs, each with a redirection entry that says which vector goes to whom. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { IoapicObservation } from '#spec/bare/devices.ts';
import { IOAPIC_VERSION } from '#spec/bare/ports.ts';
import { NotModelled } from '#spec/failure.ts';

/** Send an interrupt over the bus. */
export type Send = (mode: number, vector: number, level: boolean, to: number, logical: boolean) => void;

const SELECT = 0x00;
const WINDOW = 0x10;
const EOI = 0x40;

const FIXED = 0;
const LOWEST = 1;
const NMI = 4;

/** Bits of an entry's low half. */
const LOGICAL = 0x800;
const REMOTE_IRR = 0x4000;
const LEVEL = 0x8000;
const MASKED = 0x10000;
const READ_ONLY = 0x5000;
const LOW_BITS = 0x1ffff;
const HIGH_BITS = 0xff000000;
const PINS = 24;
const FIRST_ENTRY = 0x10;

export class Ioapic {
  private id = AT_ENTRY.ioapic.id;
  private select = AT_ENTRY.ioapic.select;
  private line = AT_ENTRY.ioapic.line;
  private readonly low: number[] = AT_ENTRY.ioapic.redirection.map((entry) => Number(BigInt(entry) & 0xffffffffn));
  private readonly high: number[] = AT_ENTRY.ioapic.redirection.map((entry) => Number(BigInt(entry) >> 32n));
  private readonly send: Send;

  /** @param send puts an interrupt on the bus. */
  constructor(send: Send) {
    this.send = send;
  }

  /** The level of an input. */
  set(pin: number, level: boolean): void {
    const bit = 1 << pin;
    const rose = level && (this.line & bit) === 0;
    this.line = level ? this.line | bit : this.line & ~bit;
    if ((this.low[pin] & LEVEL) !== 0) this.serveLevel(pin);
    else if (rose && (this.low[pin] & MASKED) === 0) this.deliver(pin);
  }

  /** Send a level-triggered interrupt that is due: its input is high, and the one before has ended. */
  private serveLevel(pin: number): void {
    const entry = this.low[pin];
    if ((this.line & (1 << pin)) === 0 || (entry & (LEVEL | MASKED | REMOTE_IRR)) !== LEVEL) return;
    this.low[pin] |= REMOTE_IRR;
    this.deliver(pin);
  }

  private deliver(pin: number): void {
    const entry = this.low[pin];
    const mode = (entry >> 8) & 7;
    if (![FIXED, LOWEST, NMI].includes(mode)) throw new NotModelled(`hardware/ioapic-mode_${mode}`);
    this.send(mode, entry & 0xff, (entry & LEVEL) !== 0, this.high[pin] >>> 24, (entry & LOGICAL) !== 0);
  }

  /** A level-triggered interrupt of this vector has ended. */
  endOfInterrupt(vector: number): void {
    for (let pin = 0; pin < PINS; pin++) {
      const entry = this.low[pin];
      if ((entry & 0xff) !== vector || (entry & LEVEL) === 0) continue;
      this.low[pin] &= ~REMOTE_IRR;
      this.serveLevel(pin);
    }
  }

  read(offset: number, size: number): number {
    if ((offset & 0xff) === SELECT) return this.select;
    return (offset & 0xff) === WINDOW && size === 4 ? this.readRegister() : 0;
  }

  private readRegister(): number {
    const { select } = this;
    if (select === 0 || select === 2) return (this.id << 24) >>> 0;
    if (select === 1) return IOAPIC_VERSION;
    const pin = (select - FIRST_ENTRY) >> 1;
    if (pin < 0 || pin >= PINS) return 0;
    return ((select & 1) !== 0 ? this.high[pin] : this.low[pin]) >>> 0;
  }

  write(offset: number, size: number, value: number): void {
    if ((offset & 0xff) === SELECT) this.select = value & 0xff;
    else if (size !== 4) return;
    else if ((offset & 0xff) === WINDOW) this.writeRegister(value);
    else if ((offset & 0xff) === EOI) this.endOfInterrupt(value & 0xff);
  }

  private writeRegister(value: number): void {
    if (this.select === 0) this.id = (value >>> 24) & 0xf;
    const pin = (this.select - FIRST_ENTRY) >> 1;
    if (pin < 0 || pin >= PINS) return;
    if ((this.select & 1) !== 0) this.high[pin] = (value & HIGH_BITS) >>> 0;
    else this.writeLow(pin, value);
    this.serveLevel(pin);
  }

  private writeLow(pin: number, value: number): void {
    const kept = this.low[pin] & READ_ONLY & ((value & LEVEL) !== 0 ? -1 : ~REMOTE_IRR);
    this.low[pin] = (value & LOW_BITS & ~READ_ONLY) | kept;
  }

  observe(): IoapicObservation {
    const redirection = this.low.map((low, pin) => `0x${((BigInt(this.high[pin] >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`);
    return { id: this.id, select: this.select, redirection, line: this.line };
  }
}
