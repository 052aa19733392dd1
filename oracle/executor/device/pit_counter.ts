/** One counter of the 8254. It holds no running count: everything follows from when counting began and what time it is. */
import { PIT_HZ } from '#spec/bare/at_entry.ts';
import type { PitCounterObservation } from '#spec/bare/devices.ts';
import { nsOfTicks, ticksOfNs } from './ticks.ts';

/** Before any access was chosen. */
const NONE = 0;
const LOW = 1;
const HIGH = 2;
const WORD = 3;

const fromBcd = (value: number): number => (value >> 12) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15);

const toBcd = (value: number): number =>
  ((Math.floor(value / 1000) % 10) << 12) | ((Math.floor(value / 100) % 10) << 8) | ((Math.floor(value / 10) % 10) << 4) | (value % 10);

export class PitCounter {
  private mode: number;
  private bcd: boolean;
  private access: number;
  private count: number;
  private loaded: number;
  private gateLevel: boolean;
  private latch: number | null = null;
  /** Which bytes of the latched count were not read yet (as an access). */
  private latchLeft = 0;
  private statusLatch: number | null = null;
  /** The low byte was read, or written and waits for the high one. */
  private readHigh = false;
  private lowWritten: number | null = null;

  constructor(entry: PitCounterObservation) {
    this.mode = entry.mode;
    this.bcd = entry.bcd;
    this.access = entry.access;
    this.count = entry.count;
    this.loaded = entry.loaded;
    this.gateLevel = entry.gate;
  }

  get gate(): boolean {
    return this.gateLevel;
  }

  /** Modes 6 and 7 are 2 and 3. */
  private get form(): number {
    return this.mode >= 6 ? this.mode - 4 : this.mode;
  }

  private ticks(now: number): number {
    return ticksOfNs(now - this.loaded, PIT_HZ);
  }

  /** The OUT pin. */
  output(now: number): boolean {
    const { count } = this;
    const d = this.ticks(now);
    switch (this.form) {
      case 0:
        return d >= count;
      case 1:
        return d < count;
      case 2:
        return d > 0 && d % count === 0;
      case 3:
        return d % count < (count + 1) >> 1;
      default:
        return d === count;
    }
  }

  /** When OUT next rises by itself after `now`, in ns; null when it will not. */
  nextRise(now: number): number | null {
    const { count, form } = this;
    const d = this.ticks(now);
    if (form === 1) return null;
    if (form === 2 || form === 3) return this.loaded + nsOfTicks((Math.floor(d / count) + 1) * count, PIT_HZ);
    return d < count ? this.loaded + nsOfTicks(count, PIT_HZ) : null;
  }

  private current(now: number): number {
    const { count, form } = this;
    const d = this.ticks(now);
    const range = this.bcd ? 10000 : 0x10000;
    let value = count - (form === 3 ? (2 * d) % count : d % count);
    if (form !== 2 && form !== 3) value = (((count - d) % range) + range) % range;
    return this.bcd ? toBcd(value % range) : value & 0xffff;
  }

  /** Whether counting begins anew. */
  setGate(level: boolean, now: number): boolean {
    const rose = level && !this.gateLevel;
    this.gateLevel = level;
    if (!rose || this.form === 0 || this.form === 4) return false;
    this.loaded = now;
    return true;
  }

  /** A control word for this counter, without its selection bits. */
  control(value: number, now: number): void {
    const access = (value >> 4) & 3;
    if (access === 0) {
      this.latchCount(now);
      return;
    }
    this.access = access;
    this.mode = (value >> 1) & 7;
    this.bcd = (value & 1) !== 0;
    this.readHigh = false;
    this.lowWritten = null;
  }

  latchCount(now: number): void {
    if (this.latch !== null) return;
    this.latch = this.current(now);
    this.latchLeft = this.access === NONE ? LOW : this.access;
  }

  latchStatus(now: number): void {
    this.statusLatch ??= (this.output(now) ? 0x80 : 0) | (this.access << 4) | (this.mode << 1) | (this.bcd ? 1 : 0);
  }

  /** Whether a count was loaded. */
  write(value: number, now: number): boolean {
    if (this.access === WORD && this.lowWritten === null) {
      this.lowWritten = value;
      return false;
    }
    const written = this.access === LOW || this.access === NONE ? value : (value << 8) | (this.lowWritten ?? 0);
    this.lowWritten = null;
    const count = this.bcd ? fromBcd(written) : written;
    this.count = count === 0 ? (this.bcd ? 10000 : 0x10000) : count;
    this.loaded = now;
    return true;
  }

  read(now: number): number {
    if (this.statusLatch !== null) {
      const status = this.statusLatch;
      this.statusLatch = null;
      return status;
    }
    if (this.latch !== null) return this.readLatch(this.latch);
    const value = this.current(now);
    if (this.access === LOW || this.access === NONE) return value & 0xff;
    if (this.access === HIGH) return value >> 8;
    this.readHigh = !this.readHigh;
    return this.readHigh ? value & 0xff : value >> 8;
  }

  private readLatch(latch: number): number {
    const low = (this.latchLeft & LOW) !== 0;
    this.latchLeft &= low ? HIGH : 0;
    if (this.latchLeft === 0) this.latch = null;
    return low ? latch & 0xff : latch >> 8;
  }

  observe(): PitCounterObservation {
    const { mode, bcd, access, count, loaded, latch } = this;
    return { mode, bcd, access, count, loaded, gate: this.gateLevel, latch, status_latch: this.statusLatch };
  }
}
