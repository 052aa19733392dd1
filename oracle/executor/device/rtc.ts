/** The MC146818 clock and its CMOS memory at ports 0x70 and 0x71; ISA interrupt 8. */
import { AT_ENTRY, RTC_HZ } from '#spec/bare/at_entry.ts';
import type { RtcObservation } from '#spec/bare/devices.ts';
import { NotModelled } from '#spec/failure.ts';
import { DAY_SECONDS, momentOf, secondsOf } from './calendar.ts';
import { nsOfTicks, ticksOfNs } from './ticks.ts';

const SECOND = 1_000_000_000;
/** An update shows this long before it happens: 8 ticks of the crystal. */
const UPDATE_NS = Math.floor((8 * SECOND) / RTC_HZ);

const R = { SEC: 0, SEC_ALARM: 1, MIN: 2, MIN_ALARM: 3, HOUR: 4, HOUR_ALARM: 5, WEEKDAY: 6, DAY: 7, MONTH: 8, YEAR: 9 } as const;
const REG_A = 0x0a;
const REG_B = 0x0b;
const REG_C = 0x0c;
const REG_D = 0x0d;
const CENTURY = 0x32;
/** IBM's PS/2 keeps the century elsewhere. */
const CENTURY_PS2 = 0x37;
const CMOS_BYTES = 128;

const UIP = 0x80;
const SET = 0x80;
const BINARY = 4;
const HOURS24 = 2;
const PM = 0x80;
/** Interrupt bits, the same in registers B and C. */
const PERIODIC = 0x40;
const ALARM = 0x20;
const UPDATE = 0x10;
const REQUEST = 0x80;

const isTime = (index: number): boolean => index === CENTURY || (index <= R.YEAR && !isAlarm(index));
const isAlarm = (index: number): boolean => index === R.SEC_ALARM || index === R.MIN_ALARM || index === R.HOUR_ALARM;

export class Rtc {
  private index = AT_ENTRY.rtc.index;
  private a = AT_ENTRY.rtc.a;
  private b = AT_ENTRY.rtc.b;
  private c = AT_ENTRY.rtc.c;
  private readonly cmos = Uint8Array.from({ length: CMOS_BYTES }, (_, at) =>
    Number.parseInt(AT_ENTRY.rtc.cmos.slice(2 * at, 2 * at + 2), 16),
  );
  /** The clock shows `base` seconds since 1970 and `phase` ns at the time `since`. */
  private base: number;
  private phase = 0;
  private since = 0;
  /** Tick of the crystal from which periodic interrupts count. */
  private periodStart = 0;
  private readonly irq: (level: boolean) => void;

  /** @param wallclock seconds since 1970 at time 0. @param frames RAM in frames, for what firmware notes. @param irq sets the level of interrupt 8. */
  constructor(wallclock: number, frames: number, irq: (level: boolean) => void) {
    this.base = wallclock;
    this.irq = irq;
    this.noteMemory(frames);
    this.refresh(0);
  }

  /** Sizes of memory as firmware leaves them in CMOS: KiB below 1 MiB, KiB above it, 64 KiB units above 16 MiB. */
  private noteMemory(frames: number): void {
    const word = (at: number, value: number): void => {
      this.cmos[at] = value & 0xff;
      this.cmos[at + 1] = value >> 8;
    };
    const kib = frames * 4;
    const above1M = Math.min(Math.max(0, kib - 1024), 0xffff);
    word(0x15, 640);
    word(0x17, above1M);
    word(0x30, above1M);
    word(0x34, Math.min(Math.max(0, Math.floor((kib - 16384) / 64)), 0xffff));
  }

  private get running(): boolean {
    return (this.b & SET) === 0 && (this.a & 0x70) <= 0x20;
  }

  /** Nanoseconds since `base`. */
  private elapsed(now: number): number {
    return now - this.since + this.phase;
  }

  private encode(value: number): number {
    return (this.b & BINARY) !== 0 ? value : (Math.floor(value / 10) << 4) | (value % 10);
  }
  private decode(value: number): number {
    return (this.b & BINARY) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  private encodeHour(hour: number): number {
    if ((this.b & HOURS24) !== 0) return this.encode(hour);
    return this.encode(hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
  }
  private decodeHour(value: number): number {
    if ((this.b & HOURS24) !== 0) return this.decode(value);
    return (this.decode(value & ~PM) % 12) + ((value & PM) !== 0 ? 12 : 0);
  }

  /** Bring the time of day in CMOS up to `now`. */
  private refresh(now: number): void {
    if (!this.running) return;
    const moment = momentOf(this.base + Math.floor(this.elapsed(now) / SECOND));
    const { cmos } = this;
    cmos[R.SEC] = this.encode(moment.second);
    cmos[R.MIN] = this.encode(moment.minute);
    cmos[R.HOUR] = this.encodeHour(moment.hour);
    cmos[R.WEEKDAY] = this.encode(moment.weekday);
    cmos[R.DAY] = this.encode(moment.day);
    cmos[R.MONTH] = this.encode(moment.month);
    cmos[R.YEAR] = this.encode(moment.year % 100);
    cmos[CENTURY] = this.encode(Math.floor(moment.year / 100));
    cmos[CENTURY_PS2] = cmos[CENTURY];
  }

  /** Let the clock go on from the time of day in CMOS. */
  private setClock(now: number): void {
    const { cmos } = this;
    const asked = cmos.slice();
    this.base = secondsOf({
      second: this.decode(cmos[R.SEC]),
      minute: this.decode(cmos[R.MIN]),
      hour: this.decodeHour(cmos[R.HOUR]),
      day: this.decode(cmos[R.DAY]),
      month: this.decode(cmos[R.MONTH]),
      year: this.decode(cmos[CENTURY]) * 100 + this.decode(cmos[R.YEAR]),
    });
    this.since = now;
    this.refresh(now);
    // What chips make of a date that is none differs.
    const century = this.decode(asked[CENTURY]);
    const odd = (index: number): boolean => index !== R.WEEKDAY && asked[index] !== cmos[index];
    if (cmos.some((_, index) => isTime(index) && odd(index)) || century < 19 || century > 99) throw new NotModelled('hardware/rtc_date');
  }

  read(port: number, now: number): number {
    if (port === 0) return 0xff;
    const index = this.index & 0x7f;
    if (index === REG_A) return this.a | (this.updating(now) ? UIP : 0);
    if (index === REG_B) return this.b;
    if (index === REG_C) return this.takeCauses();
    if (index === REG_D) return 0x80;
    this.refresh(now);
    return this.cmos[index];
  }

  private updating(now: number): boolean {
    return this.running && this.elapsed(now) % SECOND >= SECOND - UPDATE_NS;
  }

  private takeCauses(): number {
    const causes = this.c;
    this.c = 0;
    this.irq(false);
    return causes;
  }

  write(port: number, value: number, now: number): void {
    if (port === 0) {
      this.index = value;
      return;
    }
    const index = this.index & 0x7f;
    if (index === REG_A) this.writeA(value, now);
    else if (index === REG_B) this.writeB(value, now);
    else if (index === CENTURY_PS2) this.writeTime(CENTURY, value, now);
    else if (isTime(index)) this.writeTime(index, value, now);
    else if (index !== REG_C && index !== REG_D) this.cmos[index] = value;
  }

  private writeTime(index: number, value: number, now: number): void {
    this.refresh(now);
    this.cmos[index] = value;
    if (index === CENTURY) this.cmos[CENTURY_PS2] = value;
    if (this.running) this.setClock(now);
  }

  /** Divider and rate. While the divider is held in reset the clock stands; the first second after that is half as long. */
  private writeA(value: number, now: number): void {
    this.refresh(now);
    const stood = !this.running;
    const rate = (this.a ^ value) & 0xf;
    this.a = value & ~UIP;
    if (stood && this.running) {
      this.phase = SECOND / 2;
      this.setClock(now);
    }
    if (rate !== 0) this.periodStart = ticksOfNs(now, RTC_HZ);
  }

  private writeB(value: number, now: number): void {
    this.refresh(now);
    const before = this.b;
    const phase = this.elapsed(now) % SECOND;
    this.b = (value & SET) !== 0 ? value & ~UPDATE : value;
    if ((before & SET) !== 0 && this.running) {
      this.phase = phase;
      this.setClock(now);
    }
    if (((before ^ value) & PERIODIC) !== 0) this.periodStart = ticksOfNs(now, RTC_HZ);
    this.c &= ~REQUEST;
    this.request();
  }

  /** Ask for an interrupt if a cause is enabled. */
  private request(): void {
    if ((this.b & this.c & (PERIODIC | ALARM | UPDATE)) !== 0) this.c |= REQUEST;
    this.irq((this.c & REQUEST) !== 0);
  }

  /** Ticks of the crystal between periodic interrupts; 0 when there are none. */
  private get period(): number {
    const rate = this.a & 0xf;
    if (rate === 0 || (this.b & PERIODIC) === 0) return 0;
    return 1 << (rate <= 2 ? rate + 6 : rate - 1);
  }

  private nextPeriodic(now: number): number | null {
    const { period } = this;
    if (period === 0) return null;
    const ticks = ticksOfNs(now, RTC_HZ) - this.periodStart;
    return nsOfTicks(this.periodStart + (Math.floor(ticks / period) + 1) * period, RTC_HZ);
  }

  /** When the clock next shows a second, or the `n`th from now. */
  private nextSecond(now: number, n = 1): number {
    const phase = this.elapsed(now) % SECOND;
    return now - phase + n * SECOND;
  }

  /** Seconds from now on until one that matches the alarm, at least 1. */
  private untilAlarm(now: number): number | null {
    const second = this.base + Math.floor(this.elapsed(now) / SECOND);
    for (let n = 1; n <= DAY_SECONDS; n++) if (this.matches((second + n) % DAY_SECONDS)) return n;
    return null;
  }

  /** Whether a second of the day matches the alarm; bytes from 0xc0 match any. */
  private matches(second: number): boolean {
    const { cmos } = this;
    const field = (at: number, value: number): boolean => cmos[at] >= 0xc0 || cmos[at] === value;
    return (
      field(R.SEC_ALARM, this.encode(second % 60)) &&
      field(R.MIN_ALARM, this.encode(Math.floor(second / 60) % 60)) &&
      field(R.HOUR_ALARM, this.encodeHour(Math.floor(second / 3600)))
    );
  }

  /** Time passes from `before` to `now`. */
  advance(before: number, now: number): void {
    const periodic = this.nextPeriodic(before);
    if (periodic !== null && periodic <= now) this.c |= PERIODIC;
    if (this.running && this.nextSecond(before) <= now) {
      this.c |= UPDATE;
      const n = this.untilAlarm(before);
      if (n !== null && this.nextSecond(before, n) <= now) this.c |= ALARM;
    }
    this.request();
  }

  /** When the interrupt line next rises. */
  deadline(now: number): number | null {
    if ((this.c & REQUEST) !== 0) return null;
    const times = [this.nextPeriodic(now)];
    if (this.running && (this.b & UPDATE) !== 0) times.push(this.nextSecond(now));
    if (this.running && (this.b & ALARM) !== 0) {
      const n = this.untilAlarm(now);
      if (n !== null) times.push(this.nextSecond(now, n));
    }
    const due = times.filter((time) => time !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  observe(now: number): RtcObservation {
    this.refresh(now);
    const cmos = Array.from(this.cmos, (byte, at) => (at === CENTURY_PS2 || (at >= REG_A && at <= REG_D) ? 0 : byte));
    return { index: this.index, a: this.a, b: this.b, c: this.c, cmos: cmos.map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  }
}
