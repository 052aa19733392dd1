/** The 8254's three counters. What a counter shows follows from when it was loaded; nothing is counted. Pure. */
import { PIT_HZ } from '#spec/bare/at_entry.ts';
import type { PitCounterObservation } from '#spec/bare/devices.ts';
import { nsOf, ticksIn } from './ticks.ts';

/** `low`: first byte of a two-byte load that waits for its second; `second`: the next read is of the high byte. */
export type Counter = PitCounterObservation & { readonly low: number | null; readonly second: boolean };
export type Pit = readonly [Counter, Counter, Counter];

/** Modes 6 and 7 are 2 and 3. */
const modeOf = ({ mode }: Counter): number => (mode >= 6 ? mode - 4 : mode);

const elapsed = (c: Counter, now: number): number => ticksIn(now - c.loaded, PIT_HZ);

/** device/pit-output: the level of OUT. */
export const output = (c: Counter, now: number): boolean => {
  const d = elapsed(c, now);
  switch (modeOf(c)) {
    case 0:
      return d >= c.count;
    case 1:
      return d < c.count;
    case 2:
      return d % c.count === 0 && d !== 0;
    case 3:
      return d % c.count < (c.count + 1) >> 1;
    default:
      return d === c.count;
  }
};

/** Tick after `d` at which OUT next rises; null when it will not. */
const nextRise = (c: Counter, d: number): number | null => {
  switch (modeOf(c)) {
    case 2:
    case 3:
      return (Math.floor(d / c.count) + 1) * c.count;
    case 1:
      return null;
    default:
      return d < c.count ? c.count : null;
  }
};

/** The first time after `now` at which OUT rises; null when it will not by itself. */
export const nextRiseTime = (c: Counter, now: number): number | null => {
  const tick = nextRise(c, elapsed(c, now));
  return tick === null ? null : c.loaded + nsOf(tick, PIT_HZ);
};

/** The count as a read shows it. */
const current = (c: Counter, now: number): number => {
  const d = elapsed(c, now);
  const modulus = c.bcd ? 10000 : 0x10000;
  if (modeOf(c) === 2) return c.count - (d % c.count);
  if (modeOf(c) === 3) return c.count - ((2 * d) % c.count);
  return (((c.count - d) % modulus) + modulus) % modulus;
};

const toBcd = (value: number): number => [0, 1, 2, 3].reduce((bcd, n) => bcd | ((Math.floor(value / 10 ** n) % 10) << (4 * n)), 0);
const fromBcd = (bcd: number): number => [0, 1, 2, 3].reduce((value, n) => value + ((bcd >> (4 * n)) & 0xf) * 10 ** n, 0);
const shown = (c: Counter, now: number): number => (c.bcd ? toBcd(current(c, now)) : current(c, now) & 0xffff);

/** device/pit-load: a new initial count starts the counter; 0 stands for the largest. */
const load = (c: Counter, value: number, now: number): Counter => ({
  ...c,
  count: c.bcd ? fromBcd(value) || 10000 : value || 0x10000,
  loaded: now,
  low: null,
});

/** Before any control word the access is 0, and means the low byte. */
const [LOW, HIGH, BOTH] = [1, 2, 3];

export const writeCounter = (c: Counter, value: number, now: number): Counter => {
  if (c.access <= LOW) return load(c, value, now);
  if (c.access === HIGH) return load(c, value << 8, now);
  return c.low === null ? { ...c, low: value } : load(c, c.low | (value << 8), now);
};

/** device/pit-latch: a latched count stays until it was read whole. */
const latched = (c: Counter, now: number): Counter => (c.latch === null ? { ...c, latch: shown(c, now) } : c);

const statusOf = (c: Counter, now: number): number => ((output(c, now) ? 1 : 0) << 7) | (c.access << 4) | (c.mode << 1) | (c.bcd ? 1 : 0);

const readLatch = (c: Counter, latch: number): { counter: Counter; value: number } => {
  if (c.access === HIGH) return { counter: { ...c, latch: null }, value: latch >> 8 };
  if (c.access <= LOW) return { counter: { ...c, latch: null }, value: latch & 0xff };
  if (c.second) return { counter: { ...c, latch: null, second: false }, value: latch >> 8 };
  return { counter: { ...c, second: true }, value: latch & 0xff };
};

export const readCounter = (c: Counter, now: number): { counter: Counter; value: number } => {
  if (c.status_latch !== null) return { counter: { ...c, status_latch: null }, value: c.status_latch };
  if (c.latch !== null) return readLatch(c, c.latch);
  const value = shown(c, now);
  if (c.access === BOTH) return { counter: { ...c, second: !c.second }, value: c.second ? value >> 8 : value & 0xff };
  return { counter: c, value: c.access === HIGH ? value >> 8 : value & 0xff };
};

/** device/pit-read_back: the counters that bits 1 to 3 name latch their count (bit 5 clear) and status (bit 4 clear). */
const readBack = (pit: Pit, value: number, now: number): Pit => {
  const each = (c: Counter, n: number): Counter => {
    if ((value & (2 << n)) === 0) return c;
    const counted = value & 0x20 ? c : latched(c, now);
    return value & 0x10 || counted.status_latch !== null ? counted : { ...counted, status_latch: statusOf(counted, now) };
  };
  return [each(pit[0], 0), each(pit[1], 1), each(pit[2], 2)];
};

export const writeControl = (pit: Pit, value: number, now: number): Pit => {
  const n = value >> 6;
  if (n === 3) return readBack(pit, value, now);
  const access = (value >> 4) & 3;
  const change = (c: Counter): Counter =>
    access === 0 ? latched(c, now) : { ...c, access, mode: (value >> 1) & 7, bcd: (value & 1) !== 0, low: null, second: false };
  return pit.map((c, i) => (i === n ? change(c) : c)) as unknown as Pit;
};

/** device/pit-gate: a rising gate restarts the modes that it triggers. */
export const setGate = (c: Counter, gate: boolean, now: number): Counter => {
  const restarts = gate && !c.gate && [1, 2, 3, 5].includes(modeOf(c));
  return { ...c, gate, loaded: restarts ? now : c.loaded };
};
