/** The MC146818 clock with its CMOS memory. The time of day follows from `now`; registers hold what the guest changed. Pure. */
import { AT_ENTRY, RTC_HZ } from '#spec/bare/at_entry.ts';
import { NotModelled } from '#spec/failure.ts';
import { type Calendar, calendarOf, secondsOf } from './calendar.ts';
import { nsOf, ticksIn } from './ticks.ts';

export type Rtc = {
  readonly index: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  /** 128 bytes; those of the time are valid while the clock stands (B.SET). */
  readonly cmos: readonly number[];
  /** Seconds since 1970 that the clock was set to at time `since`, `phase` ns into the second. */
  readonly base: number;
  readonly since: number;
  readonly phase: number;
  /** Tick of the crystal from which periodic interrupts count: when they were last enabled, or their rate was changed. */
  readonly periods: number;
};

const [SECOND_NS, DAY] = [1_000_000_000, 86400];
const R = { SECONDS: 0, MINUTES: 2, HOURS: 4, WEEKDAY: 6, DAY: 7, MONTH: 8, YEAR: 9, A: 10, B: 11, C: 12, D: 13, CENTURY: 0x32 } as const;
const ALARM = { SECONDS: 1, MINUTES: 3, HOURS: 5 } as const;
const TIME: readonly number[] = [R.SECONDS, R.MINUTES, R.HOURS, R.WEEKDAY, R.DAY, R.MONTH, R.YEAR, R.CENTURY];
const B = { HOURS_24: 2, BINARY: 4, UPDATE: 0x10, ALARM: 0x20, PERIODIC: 0x40, SET: 0x80 } as const;
const C = { UPDATE: 0x10, ALARM: 0x20, PERIODIC: 0x40, IRQ: 0x80 } as const;
const PM = 0x80;
/** An alarm byte with both upper bits set matches always. */
const ANY = 0xc0;
/** The update bit of register A is set for the last 244 µs of each second. */
const UPDATE_NS = 244_000;

/** ns since the clock's `base`. */
const elapsed = (rtc: Rtc, now: number): number => now - rtc.since + rtc.phase;
const secondsAt = (rtc: Rtc, now: number): number => rtc.base + Math.floor(elapsed(rtc, now) / SECOND_NS);
const phaseAt = (rtc: Rtc, now: number): number => elapsed(rtc, now) % SECOND_NS;
/** The divider chain is held in reset by the upper bits of register A. */
const DIVIDER = { BITS: 0x70, RUNNING: 0x20 } as const;
/** The time stands while it is set, and while the divider is held. */
const stands = (rtc: Rtc): boolean => (rtc.b & B.SET) !== 0 || (rtc.a & DIVIDER.BITS) > DIVIDER.RUNNING;

const encode = (b: number, value: number): number => (b & B.BINARY ? value : (Math.floor(value / 10) << 4) | (value % 10));
const decode = (b: number, value: number): number => (b & B.BINARY ? value : (value >> 4) * 10 + (value & 0xf));

const encodeHour = (b: number, hour: number): number => {
  if (b & B.HOURS_24) return encode(b, hour);
  return encode(b, hour % 12 === 0 ? 12 : hour % 12) | (hour >= 12 ? PM : 0);
};
const decodeHour = (b: number, value: number): number => {
  if (b & B.HOURS_24) return decode(b, value);
  return (decode(b, value & ~PM) % 12) + (value & PM ? 12 : 0);
};

/** The time registers' bytes at a time. */
const timeBytes = (b: number, t: Calendar): ReadonlyMap<number, number> =>
  new Map([
    [R.SECONDS, encode(b, t.second)],
    [R.MINUTES, encode(b, t.minute)],
    [R.HOURS, encodeHour(b, t.hour)],
    [R.WEEKDAY, encode(b, t.weekday)],
    [R.DAY, encode(b, t.day)],
    [R.MONTH, encode(b, t.month)],
    [R.YEAR, encode(b, t.year % 100)],
    [R.CENTURY, encode(b, Math.floor(t.year / 100))],
  ]);

/** CMOS with the time written into it. */
const withTime = (rtc: Rtc, now: number): readonly number[] => {
  const bytes = timeBytes(rtc.b, calendarOf(secondsAt(rtc, now)));
  return rtc.cmos.map((byte, n) => bytes.get(n) ?? byte);
};

const [FIRST_YEAR, LAST_YEAR] = [1900, 9999];

/** The clock goes on from what its registers say. Chips differ in what they make of a date that is none: not modelled. */
const fromRegisters = (rtc: Rtc, now: number): Rtc => {
  const { b, cmos } = rtc;
  const date = {
    second: decode(b, cmos[R.SECONDS]),
    minute: decode(b, cmos[R.MINUTES]),
    hour: decodeHour(b, cmos[R.HOURS]),
    weekday: 1,
    day: decode(b, cmos[R.DAY]),
    month: decode(b, cmos[R.MONTH]),
    year: decode(b, cmos[R.CENTURY]) * 100 + decode(b, cmos[R.YEAR]),
  };
  const seconds = secondsOf(date);
  const back = timeBytes(b, calendarOf(seconds));
  const differs = TIME.some((index) => index !== R.WEEKDAY && back.get(index) !== cmos[index]);
  if (differs || date.year < FIRST_YEAR || date.year > LAST_YEAR) throw new NotModelled('hardware/rtc_date');
  return { ...rtc, base: seconds, since: now };
};

const updating = (rtc: Rtc, now: number): boolean => !stands(rtc) && SECOND_NS - phaseAt(rtc, now) <= UPDATE_NS;

/** The interrupt request flag follows from the other flags and what B enables. */
const judged = (rtc: Rtc): Rtc => {
  const causes = rtc.c & (C.UPDATE | C.ALARM | C.PERIODIC);
  return { ...rtc, c: causes | (causes & rtc.b ? C.IRQ : 0) };
};
export const interrupts = (rtc: Rtc): boolean => (rtc.c & C.IRQ) !== 0;

/** CMOS as it can be read at a time. */
export const shownCmos = (rtc: Rtc, now: number): readonly number[] => (stands(rtc) ? rtc.cmos : withTime(rtc, now));

/** PS/2 machines had the century at 0x37: the same byte. */
const PS2_CENTURY = 0x37;
const registerOf = ({ index }: Rtc): number => ((index & 0x7f) === PS2_CENTURY ? R.CENTURY : index & 0x7f);

/** Port 0x71. device/rtc-flags: reading C clears it, and with it the interrupt. */
export const readRtc = (rtc: Rtc, now: number): { readonly rtc: Rtc; readonly value: number } => {
  switch (registerOf(rtc)) {
    case R.A:
      return { rtc, value: (rtc.a & 0x7f) | (updating(rtc, now) ? 0x80 : 0) };
    case R.B:
      return { rtc, value: rtc.b };
    case R.C:
      return { rtc: { ...rtc, c: 0 }, value: rtc.c };
    case R.D:
      return { rtc, value: 0x80 };
    default:
      return { rtc, value: shownCmos(rtc, now)[registerOf(rtc)] };
  }
};

const withByte = (cmos: readonly number[], index: number, value: number): readonly number[] =>
  cmos.map((byte, n) => (n === index ? value : byte));

/** Setting B.SET stops the clock with the time in its registers; clearing it lets it go on from there. */
const writeB = (rtc: Rtc, value: number, now: number): Rtc => {
  const b = value & B.SET ? value & ~B.UPDATE : value;
  const periods = (rtc.b ^ value) & B.PERIODIC ? ticksIn(now, RTC_HZ) : rtc.periods;
  const next: Rtc = { ...rtc, b, periods, cmos: shownCmos(rtc, now) };
  const starting = (rtc.b & B.SET) !== 0 && !stands(next);
  return judged(starting ? fromRegisters({ ...next, phase: phaseAt(rtc, now) }, now) : next);
};

/** The divider chain, let go, is half a second from the next update. */
const writeA = (rtc: Rtc, a: number, now: number): Rtc => {
  const periods = (rtc.a ^ a) & 0xf ? ticksIn(now, RTC_HZ) : rtc.periods;
  const next: Rtc = { ...rtc, a, periods, cmos: shownCmos(rtc, now) };
  return stands(rtc) && !stands(next) ? fromRegisters({ ...next, phase: SECOND_NS / 2 }, now) : next;
};

export const writeRtc = (rtc: Rtc, value: number, now: number): Rtc => {
  const index = registerOf(rtc);
  switch (index) {
    case R.A:
      return writeA(rtc, value & 0x7f, now);
    case R.B:
      return writeB(rtc, value, now);
    case R.C:
    case R.D:
      return rtc;
    default:
      if (!TIME.includes(index) || stands(rtc)) return { ...rtc, cmos: withByte(rtc.cmos, index, value) };
      return fromRegisters({ ...rtc, cmos: withByte(withTime(rtc, now), index, value) }, now);
  }
};

/** Ticks between periodic interrupts by the rate in register A; the rates 1 and 2 are those of 8 and 9. 0: none. */
const periodOf = ({ a, b }: Rtc): number => {
  const rate = a & 0xf;
  if (rate === 0 || (b & B.PERIODIC) === 0) return 0;
  return 1 << ((rate <= 2 ? rate + 7 : rate) - 1);
};

/** The first time after `now` at which a period ends. */
const nextPeriod = (rtc: Rtc, now: number): number | null => {
  const period = periodOf(rtc);
  if (period === 0) return null;
  const done = Math.floor((ticksIn(now, RTC_HZ) - rtc.periods) / period);
  return nsOf(rtc.periods + (done + 1) * period, RTC_HZ);
};

const alarmMatches = (rtc: Rtc, t: Calendar): boolean => {
  const fits = (at: number, shown: number): boolean => (rtc.cmos[at] & ANY) === ANY || rtc.cmos[at] === shown;
  return (
    fits(ALARM.SECONDS, encode(rtc.b, t.second)) &&
    fits(ALARM.MINUTES, encode(rtc.b, t.minute)) &&
    fits(ALARM.HOURS, encodeHour(rtc.b, t.hour))
  );
};

/** The first second after `from` (to `to`, at most a day later) at which the alarm matches. */
const nextAlarm = (rtc: Rtc, from: number, to: number): number | null => {
  for (let second = from + 1; second <= Math.min(to, from + DAY); second++) if (alarmMatches(rtc, calendarOf(second))) return second;
  return null;
};

/** device/rtc-interrupts: what came due after `was`, up to `now`. */
export const atTime = (rtc: Rtc, was: number, now: number): Rtc => {
  const next = nextPeriod(rtc, was);
  const periodic = next !== null && next <= now;
  const [from, to] = [secondsAt(rtc, was), secondsAt(rtc, now)];
  const updated = !stands(rtc) && to > from;
  const alarm = updated && nextAlarm(rtc, from, to) !== null;
  const c = rtc.c | (periodic ? C.PERIODIC : 0) | (updated ? C.UPDATE : 0) | (alarm ? C.ALARM : 0);
  return c === rtc.c ? rtc : judged({ ...rtc, c });
};

/** The first time after `now` at which an enabled interrupt comes due; null while one waits to be told already. */
export const nextInterrupt = (rtc: Rtc, now: number): number | null => {
  if (interrupts(rtc)) return null;
  const due: number[] = [];
  const period = nextPeriod(rtc, now);
  if (period !== null) due.push(period);
  const second = secondsAt(rtc, now);
  const timeOf = (s: number): number => now - phaseAt(rtc, now) + (s - second) * SECOND_NS;
  if (!stands(rtc) && rtc.b & B.UPDATE) due.push(timeOf(second + 1));
  const alarm = !stands(rtc) && rtc.b & B.ALARM ? nextAlarm(rtc, second, second + DAY) : null;
  if (alarm !== null) due.push(timeOf(alarm));
  return due.length === 0 ? null : Math.min(...due);
};

/** CMOS as the firmware leaves it, with the sizes of base memory, memory above 1 MiB and above 16 MiB. */
export const cmosAtEntry = (bytes: number): readonly number[] => {
  const cmos = Array.from({ length: 128 }, (_, n) => Number.parseInt(AT_ENTRY.rtc.cmos.slice(2 * n, 2 * n + 2), 16));
  const put = (at: number, value: number): void => {
    cmos[at] = value & 0xff;
    cmos[at + 1] = value >> 8;
  };
  const above = (from: number, unit: number): number => Math.min(0xffff, Math.max(0, Math.floor((bytes - from) / unit)));
  put(0x15, 640);
  put(0x17, above(0x100000, 1024));
  put(0x30, above(0x100000, 1024));
  put(0x34, above(0x1000000, 0x10000));
  return cmos;
};
