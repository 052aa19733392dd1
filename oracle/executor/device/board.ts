/**
 * The devices of the bare machine and the wires between them: ports, device pages in memory, interrupt lines, time. Devices hold no
 * clocks of their own; whoever sets the time has them come up to it.
 */

import { ioapicPin } from '#spec/bare/at_entry.ts';
import type { DeviceObservation } from '#spec/bare/devices.ts';
import type { BareConfig, BareEvent } from '#spec/bare/machine.ts';
import { ISA_IRQ } from '#spec/bare/ports.ts';
import { Ioapic } from './ioapic.ts';
import { Lapic } from './lapic.ts';
import { PicPair } from './pic_pair.ts';
import { Pit } from './pit.ts';
import { Rtc } from './rtc.ts';
import { Serial } from './serial.ts';
import { SystemControl } from './system_control.ts';

export class Board {
  readonly pic: PicPair;
  readonly pit: Pit;
  readonly rtc: Rtc;
  readonly serial: Serial;
  readonly lapic: Lapic;
  readonly ioapic: Ioapic;
  readonly control: SystemControl;
  now = 0;
  nmiPending = false;
  /** Devices that are not modelled are absent, instead of stopping the run. */
  readonly lenient: boolean;
  /** Told of what leaves the machine. */
  private readonly tell: (event: BareEvent) => void;

  constructor(config: BareConfig, tell: (event: BareEvent) => void) {
    this.tell = tell;
    this.lapic = new Lapic(
      () => {
        this.nmiPending = true;
      },
      (vector) => this.ioapic.endOfInterrupt(vector),
    );
    this.ioapic = new Ioapic((mode, vector, level, to, logical) => this.lapic.receive(mode, vector, level, to, logical));
    this.pic = new PicPair((output) => this.lapic.setLint0(output));
    this.pit = new Pit((level) => this.setIrq(ISA_IRQ.PIT, level));
    this.rtc = new Rtc(config.wallclock_sec, config.frames, (level) => this.setIrq(ISA_IRQ.RTC, level));
    this.serial = new Serial(
      (level) => this.setIrq(ISA_IRQ.SERIAL, level),
      (byte) => this.tell({ kind: 'serial', bytes: String.fromCharCode(byte) }),
    );
    this.lenient = config.lenient === true;
    this.control = new SystemControl(() => this.tell({ kind: 'shutdown', why: 'reset' }), this.lenient);
  }

  private setIrq(irq: number, level: boolean): void {
    this.pic.set(irq, level);
    this.ioapic.set(ioapicPin(irq), level);
  }

  /** Debugcon took a byte. */
  debug(byte: number): void {
    this.tell({ kind: 'debugcon', bytes: String.fromCharCode(byte) });
  }
  /** isa-debug-exit was written. */
  exit(value: number): void {
    this.tell({ kind: 'exit', value });
  }

  /** Time goes on to `now`. */
  advance(now: number): void {
    const before = this.now;
    this.now = now;
    this.pit.advance(before, now);
    if (now === before) return;
    this.rtc.advance(before, now);
    this.serial.advance();
    this.lapic.advance(before, now);
  }

  /** Earliest time at which a device will raise an interrupt by itself. */
  deadline(): number | null {
    const { now } = this;
    const times = [this.pit.deadline(now), this.rtc.deadline(now), this.lapic.deadline(now)];
    const due = times.filter((time) => time !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** The processor's INTR line. */
  get interruptRequested(): boolean {
    return this.lapic.requested !== null || (this.lapic.passesPic && this.pic.output);
  }

  /** The processor takes an interrupt: its vector. The local APIC's own come before those of the PIC. */
  acknowledgeInterrupt(): number {
    const vector = this.lapic.requested;
    if (vector === null) return this.pic.acknowledge();
    this.lapic.acknowledge(vector);
    return vector;
  }

  observe(): DeviceObservation {
    return {
      pic: this.pic.observe(),
      ...this.pit.observe(),
      serial: this.serial.observe(),
      rtc: this.rtc.observe(this.now),
      lapic: this.lapic.observe(),
      ioapic: this.ioapic.observe(),
      a20: true,
    };
  }
}
