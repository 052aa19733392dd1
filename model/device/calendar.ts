/** Seconds since 1970 and the calendar that a clock chip shows, proleptic Gregorian, UTC. */
export type Calendar = {
  readonly second: number;
  readonly minute: number;
  readonly hour: number;
  /** 1 Sunday to 7 Saturday. */
  readonly weekday: number;
  readonly day: number;
  readonly month: number;
  readonly year: number;
};

const DAY = 86400;
/** Days in the 400 years after which the calendar repeats, and from 0000-03-01 to 1970-01-01. */
const ERA_DAYS = 146097;
const EPOCH = 719468;

/** Days since 1970-01-01 of a date; years begin in March here, so that the leap day comes last. */
const daysOf = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return era * ERA_DAYS + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - EPOCH;
};

export const secondsOf = (c: Calendar): number => daysOf(c.year, c.month, c.day) * DAY + c.hour * 3600 + c.minute * 60 + c.second;

export const calendarOf = (seconds: number): Calendar => {
  const days = Math.floor(seconds / DAY);
  const rest = seconds - days * DAY;
  const shifted = days + EPOCH;
  const era = Math.floor(shifted / ERA_DAYS);
  const dayOfEra = shifted - era * ERA_DAYS;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const march = Math.floor((5 * dayOfYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  return {
    second: rest % 60,
    minute: Math.floor(rest / 60) % 60,
    hour: Math.floor(rest / 3600),
    weekday: ((((days + 4) % 7) + 7) % 7) + 1,
    day: dayOfYear - Math.floor((153 * march + 2) / 5) + 1,
    month,
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
  };
};
