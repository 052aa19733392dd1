/** From every state that satisfies the invariants, reachable or not, every transition leads to one that does. */
import type { Core } from './core.ts';
import { CHANGE, CUT, NEVER, Outcomes } from './outcome.ts';
import type { Values } from './slots.ts';

export type Inductive = {
  /** Combinations that were looked at, and those of them that satisfy the invariants. */
  readonly candidates: number;
  readonly states: number;
  readonly transitions: number;
  readonly cut: number;
  /** The first step out of the invariants. */
  readonly violation: { readonly state: string; readonly action: string; readonly what: string } | null;
};

/** What a state is, for people. */
export const stateText = (core: Core, values: Values): string =>
  core.slots.flatMap(({ name }, s) => (values[s] === 0 ? [] : [`${name} ${values[s]}`])).join(', ');

/** `candidates`: states, those among them that satisfy the invariants, with room for others; the same array may come again and again. */
export const induct = (core: Core, candidates: Iterable<Values>, onState?: () => void): Inductive => {
  const counts = { candidates: 0, states: 0, transitions: 0, cut: 0 };
  const outcomes = new Outcomes(core);
  const { packing } = outcomes;
  const [words, reached] = [new Int32Array(packing.words), new Int32Array(core.slots.length)];
  for (const values of candidates) {
    counts.candidates++;
    if (core.broken(values) !== null) continue;
    counts.states++;
    onState?.();
    packing.pack(values, words);
    for (let a = 0; a < core.actions.length; a++) {
      const outcome = outcomes.of(values, a);
      if (outcome.kind === NEVER) continue;
      counts.transitions++;
      if (outcome.kind === CUT) counts.cut++;
      if (outcome.kind !== CHANGE) continue;
      packing.unpack(
        words.map((word, w) => (word & ~outcome.masks[w]!) | outcome.bits[w]!),
        0,
        reached,
      );
      const what = outcome.wrong ?? core.broken(reached);
      if (what !== null) return { ...counts, violation: { state: stateText(core, values), action: core.actions[a]!.name, what } };
    }
  }
  return { ...counts, violation: null };
};
