/** The 8254 at ports 0x40 to 0x43, and port 0x61, which opens the gate of its counter 2. Counter 0 drives ISA interrupt 0. */
import { AT_ENTRY } from '#spec/bare/at_entry.ts';
import type { PitCounterObservation } from '#spec/bare/devices.ts';
import { PitCounter } from './pit_counter.ts';

const CONTROL = 3;
const READ_BACK = 3;
const REFRESH = 0x10;

export class Pit {
  private readonly counters: readonly PitCounter[] = AT_ENTRY.pit.map((entry) => new PitCounter(entry));
  private readonly irq: (level: boolean) => void;
  /** Bits 0, 1 and 4 of port 0x61; bit 4 changes with each read. */
  private speaker = AT_ENTRY.speaker;

  /** @param irq sets the level of interrupt 0. */
  constructor(irq: (level: boolean) => void) {
    this.irq = irq;
  }

  /** Time passes from `before` to `now`. */
  advance(before: number, now: number): void {
    const rise = this.deadline(before);
    if (rise !== null && rise <= now) {
      this.irq(false);
      this.irq(true);
    }
    this.irq(this.counters[0].output(now));
  }

  /** When interrupt 0 next rises. */
  deadline(now: number): number | null {
    return this.counters[0].nextRise(now);
  }

  read(port: number, now: number): number {
    return port === CONTROL ? 0 : this.counters[port].read(now);
  }

  write(port: number, value: number, now: number): void {
    if (port !== CONTROL) {
      if (this.counters[port].write(value, now)) this.restarted(port, now);
    } else if (value >> 6 !== READ_BACK) this.counters[value >> 6].control(value & 0x3f, now);
    else this.readBack(value, now);
  }

  private readBack(value: number, now: number): void {
    this.counters.forEach((counter, n) => {
      if ((value & (2 << n)) === 0) return;
      if ((value & 0x20) === 0) counter.latchCount(now);
      if ((value & 0x10) === 0) counter.latchStatus(now);
    });
  }

  private restarted(counter: number, now: number): void {
    if (counter === 0) this.irq(this.counters[0].output(now));
  }

  /** Port 0x61. */
  readSpeaker(now: number): number {
    this.speaker ^= REFRESH;
    return this.speaker | (this.counters[2].output(now) ? 0x20 : 0);
  }
  writeSpeaker(value: number, now: number): void {
    this.speaker = (this.speaker & REFRESH) | (value & 3);
    this.counters[2].setGate((value & 1) !== 0, now);
  }

  observe(): { pit: readonly [PitCounterObservation, PitCounterObservation, PitCounterObservation]; speaker: number } {
    const [zero, one, two] = this.counters;
    return { pit: [zero.observe(), one.observe(), two.observe()], speaker: this.speaker };
  }
}
