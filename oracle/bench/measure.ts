/** Timing that survives a noisy machine: rounds interleaved with a calibration loop, medians reported. */
import type { Bench } from './bench.ts';

export type Figure = Pick<Bench, 'name' | 'unit' | 'goal'> & {
  readonly later: boolean;
  /** Median of the rounds, per CPU second. */
  readonly perSecond: number;
  readonly min: number;
  readonly max: number;
  /** Against the calibration loop run beside it: work per calibration iteration. Steadier than absolute numbers. */
  readonly ratio: number;
};

/** One round: does some work and says how much. */
export type Work = () => number;

/** A fixed xorshift loop: the peer that every figure is also given against, in iterations a second. */
export const calibration: Work = () => {
  let x = 0x9e3779b9 | 0;
  const iterations = 5_000_000;
  for (let i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  if (x === 0) throw new Error('xorshift reached zero');
  return iterations;
};

const timed = (work: Work): number => {
  const start = process.cpuUsage();
  const amount = work();
  const used = process.cpuUsage(start);
  return amount / Math.max(1e-9, (used.user + used.system) / 1e6);
};

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Rounds of a bench, each beside a calibration round, in CPU seconds. `onRound` is called after each, the first one to warm up included. */
export const measure = ({ name, unit, goal, later, round }: Bench, rounds: number, onRound?: () => void, effort = 1): Figure => {
  const rates: number[] = [];
  const ratios: number[] = [];
  timed(calibration);
  timed(round(effort));
  onRound?.();
  for (let i = 0; i < rounds; i++) {
    const work = round(effort);
    const peer = timed(calibration);
    const rate = timed(work);
    rates.push(rate);
    ratios.push(rate / peer);
    onRound?.();
  }
  return {
    name,
    unit,
    goal,
    later: later ?? false,
    perSecond: median(rates),
    min: Math.min(...rates),
    max: Math.max(...rates),
    ratio: median(ratios),
  };
};
