/** UTC dates, for the clock. The Gregorian calendar in days since 1 January 1970. */
export type Moment = {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  /** 1 Sunday to 7 Saturday. */
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
};

export const DAY_SECONDS = 86400;

/** Days from 1970 to a date; months and days beyond their range count on. Years begin in March here, so that leap days come last. */
const daysOf = (year: number, month: number, day: number): number => {
  const months = year * 12 + month - 3;
  const y = Math.floor(months / 12);
  const m = months - y * 12;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((153 * m + 2) / 5) + day - 1 - 719468;
};

/** Seconds since 1970. */
export const secondsOf = (moment: Omit<Moment, 'weekday'>): number =>
  daysOf(moment.year, moment.month, moment.day) * DAY_SECONDS + moment.hour * 3600 + moment.minute * 60 + moment.second;

export const momentOf = (seconds: number): Moment => {
  const days = Math.floor(seconds / DAY_SECONDS);
  const inDay = seconds - days * DAY_SECONDS;
  const [year, month, day] = dateOf(days);
  return {
    second: inDay % 60,
    minute: Math.floor(inDay / 60) % 60,
    hour: Math.floor(inDay / 3600),
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
    day,
    month,
    year,
  };
};

const dateOf = (days: number): readonly [year: number, month: number, day: number] => {
  let year = 1970 + Math.floor(days / 366);
  while (daysOf(year + 1, 1, 1) <= days) year++;
  let month = 1;
  while (month < 12 && daysOf(year, month + 1, 1) <= days) month++;
  return [year, month, days - daysOf(year, month, 1) + 1];
};
