/**
 * Timing that survives a noisy machine: rounds between two of a calibration loop, medians reported. A CPU second is one of the thread that does the work:
 * V8 compiles and collects garbage on others too, at times that have nothing to do with what is measured, and a short loop beside them would seem to
 * take several times as long as it does.
 */
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
  const iterations = 20_000_000;
  for (let i = 0; i < iterations; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  if (x === 0) throw new Error('xorshift reached zero');
  return iterations;
};

const timed = (work: Work): number => {
  const start = process.threadCpuUsage();
  const amount = work();
  const used = process.threadCpuUsage(start);
  return amount / Math.max(1e-9, (used.user + used.system) / 1e6);
};

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Rounds of a bench, each between two calibration rounds. `onRound` is called after each, those to warm up included. */
export const measure = (
  { name, unit, goal, later, warmUp = 1, round }: Bench,
  rounds: number,
  onRound?: () => void,
  effort = 1,
): Figure => {
  const rates: number[] = [];
  const ratios: number[] = [];
  timed(calibration);
  for (let i = 0; i < warmUp; i++) {
    timed(round(effort));
    onRound?.();
  }
  for (let i = 0; i < rounds; i++) {
    const work = round(effort);
    const before = timed(calibration);
    const rate = timed(work);
    const after = timed(calibration);
    rates.push(rate);
    ratios.push((2 * rate) / (before + after));
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
