/** A pair of worlds: what its domains do in each, and what is different between them. */

import { type Act, placebo } from './act.ts';
import { endGrant } from './acts_channels.ts';
import { populate } from './acts_memory.ts';
import { Scene } from './scene.ts';
import { anAct } from './weights.ts';

/**
 * `secrets`: pages that their domains keep to themselves, and registers loaded from them. `numbers`: also the number of a domain that has nothing to do with
 * the others. `acts`: also what such a domain does, but for what takes memory or time.
 */
export const VARIATIONS = ['secrets', 'secrets', 'numbers', 'acts'] as const;
export type Variation = (typeof VARIATIONS)[number];

/** The same act in both worlds. */
export type Both = readonly [first: Act, second: Act];
export type Pair = {
  readonly seed: number;
  /** Seeds who runs when. */
  readonly schedule: number;
  readonly variation: Variation;
  /** The one that looks on, by place: 1 or 2. */
  readonly observer: number;
  /** Numbers of the domains in each world, by place. */
  readonly domids: readonly [readonly number[], readonly number[]];
  /** What each domain does, by place. */
  readonly acts: readonly (readonly Both[])[];
};

const NUMBERS: Readonly<Record<number, readonly [readonly number[], readonly number[]]>> = {
  1: [
    [0, 1, 2],
    [0, 1, 9],
  ],
  2: [
    [0, 3, 9],
    [0, 5, 9],
  ],
};
const USUAL = [0, 1, 2];
const ACTS = 12;
const PLACES = 3;

/** What nobody can hide: that the processor is given up, and what the table of frames says. */
const isDeclared = ({ call, name }: Act): boolean => call === 'sched_op' || name === 'machphys_update';

const drawActs = (scene: Scene): readonly Act[] => {
  const count = ACTS / 2 + scene.draw.below(ACTS);
  const acts = Array.from({ length: count }, () => anAct(scene));
  // In the end the one that looks on takes what memory is free.
  return scene.isObserver ? [...acts, populate(scene)] : [...acts, endGrant(scene)];
};

const paired = (first: readonly Act[], second: readonly Act[], variation: Variation, scene: Scene): readonly Both[] =>
  first.map((act, i): Both => {
    const isLeftOut = variation === 'acts' && scene.isStranger && !isDeclared(act) && scene.draw.below(2) === 0;
    return [act, isLeftOut ? placebo(second[i]!) : second[i]!];
  });

export const drawPair = (seed: number): Pair => {
  const variation = VARIATIONS[seed % VARIATIONS.length]!;
  const observer = 1 + ((seed >> 2) & 1);
  const domids = variation === 'numbers' ? NUMBERS[observer]! : ([USUAL, USUAL] as const);
  const stranger = variation === 'secrets' ? null : PLACES - observer;
  const acts = Array.from({ length: PLACES }, (_, self) => {
    const [first, second] = domids.map((numbers) => new Scene(seed, self, observer, numbers, stranger)) as [Scene, Scene];
    const acts = drawActs(first);
    return paired(acts, domids[0] === domids[1] ? acts : drawActs(second), variation, first);
  });
  return { seed, schedule: seed, variation, observer, domids, acts };
};

/** Acts of all domains. */
export const actsOf = ({ acts }: Pair): number => acts.reduce((sum, both) => sum + both.length, 0);
