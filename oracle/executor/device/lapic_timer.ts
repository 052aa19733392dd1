/** The timer of the local APIC: counts down from an initial count, once or again and again. */
import { AT_ENTRY, LAPIC_HZ } from '#spec/bare/at_entry.ts';
import { nsOfTicks, ticksOfNs } from './ticks.ts';

export class LapicTimer {
  initial = AT_ENTRY.lapic.initial_count;
  /** The divide configuration register: bits 0, 1 and 3. */
  divide = AT_ENTRY.lapic.divide;
  private startTime: number | null = AT_ENTRY.lapic.started;

  /** When the present count began; null while it stands. */
  get started(): number | null {
    return this.startTime;
  }

  /** 2, 4 … 128 for 0 to 6, 1 for 7. */
  private get divider(): number {
    const code = (this.divide & 3) | ((this.divide & 8) >> 1);
    return code === 7 ? 1 : 2 << code;
  }

  private ticks(now: number, started: number): number {
    return Math.floor(ticksOfNs(now - started, LAPIC_HZ) / this.divider);
  }

  start(initial: number, now: number): void {
    this.initial = initial;
    this.startTime = initial === 0 ? null : now;
  }

  /** When the count next reaches zero after `now`, or null. */
  next(now: number, periodic: boolean): number | null {
    const { started, initial } = this;
    if (started === null) return null;
    const d = this.ticks(now, started);
    if (!periodic && d >= initial) return null;
    const rounds = periodic ? Math.floor(d / initial) + 1 : 1;
    return started + nsOfTicks(rounds * initial * this.divider, LAPIC_HZ);
  }

  /** The count has reached zero. */
  passed(periodic: boolean): void {
    if (!periodic) this.startTime = null;
  }

  /** The current count register. */
  current(now: number, periodic: boolean): number {
    const { started, initial } = this;
    if (started === null) return 0;
    const d = this.ticks(now, started);
    return periodic ? initial - (d % initial) : Math.max(0, initial - d);
  }
}
