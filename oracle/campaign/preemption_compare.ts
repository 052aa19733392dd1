/** Whether two runs of one program ended alike, though one of them took some steps more. */
import type { Engine } from '#spec/engine.ts';
import type { Difference } from '../compare/difference.ts';
import { firstDifference } from '../compare/difference.ts';
import { LOOK_NS } from '../image/compile/peers.ts';
import { BOOT_NS } from './environment.ts';

export type Ended = {
  readonly finish: string;
  /** By domain. */
  readonly consoles: Readonly<Record<number, string>>;
  readonly engine: Engine;
  /** Questions of each input. */
  readonly questions: readonly number[];
  readonly steps: number;
};

/**
 * Each step takes a nanosecond of the clock that guests read, so times differ by the steps that a stop costs. They are told from everything else
 * by their size: a run is over in minutes, and neither frame numbers nor page table entries of so small a machine come near. A domain that waits for
 * the other before the clock was ever set notes a time, too: so many nanoseconds from its beginning, and as many as a look at the other takes.
 */
const isTime = (n: number, steps: number): boolean => (n >= BOOT_NS && n < 1000 * BOOT_NS) || (n >= LOOK_NS && n < LOOK_NS + steps);

/** How far times may be apart, and how many steps the longer run took. */
type Slack = { readonly most: number; readonly steps: number };
const alike = (a: number, b: number, { most, steps }: Slack): boolean => isTime(a, steps) && isTime(b, steps) && Math.abs(a - b) <= most;

/** The second with the first's times, where they differ by no more than the stops cost. */
const withTimesOf = (first: unknown, second: unknown, slack: Slack): unknown => {
  if (typeof first === 'number' && typeof second === 'number') return alike(first, second, slack) ? first : second;
  if (Array.isArray(first) && Array.isArray(second)) return second.map((value, i) => withTimesOf(first[i], value, slack));
  if (typeof first !== 'object' || typeof second !== 'object' || first === null || second === null) return second;
  const known = first as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(second).map(([key, value]) => [key, withTimesOf(known[key], value, slack)]));
};

const PAGE = 4096;
const word = (view: DataView, at: number): number => view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;

const memoryApart = (first: Engine, second: Engine, slack: Slack): Difference | null => {
  for (const mfn of new Set([...first.populated(), ...second.populated()])) {
    const [a, b] = [first, second].map((engine) => {
      const page = engine.page(mfn);
      return new DataView(page.buffer, page.byteOffset, PAGE);
    }) as [DataView, DataView];
    for (let at = 0; at < PAGE; at += 8) {
      const [expected, seen] = [word(a, at), word(b, at)];
      if (expected !== seen && !alike(expected, seen, slack))
        return { path: `memory[mfn 0x${mfn.toString(16)} + 0x${at.toString(16)}]`, expected, seen };
    }
  }
  return null;
};

/** First difference of two ends; null when they are alike. */
export const runsApart = (first: Ended, second: Ended): Difference | null => {
  const slack = { most: Math.abs(first.steps - second.steps), steps: Math.max(first.steps, second.steps) };
  const { now: _now, retired: _retired, memory, ...machine } = first.engine.observe();
  const { now: _later, retired: _more, memory: other, ...disturbed } = second.engine.observe();
  return (
    firstDifference(
      { finish: first.finish, consoles: first.consoles, machine },
      { finish: second.finish, consoles: second.consoles, machine: withTimesOf(machine, disturbed, slack) },
    ) ?? (memory === other ? null : memoryApart(first.engine, second.engine, slack))
  );
};
