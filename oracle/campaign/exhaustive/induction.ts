/** From every state that satisfies the invariants, reachable or not, every transition leads to one that does. */
import { type Core, CUT } from './core.ts';
import { lineOf } from './expand.ts';

export type Inductive = {
  /** Combinations that were looked at, and those of them that satisfy the invariants. */
  readonly candidates: number;
  readonly states: number;
  readonly transitions: number;
  readonly cut: number;
  /** The first step out of the invariants. */
  readonly violation: { readonly state: number; readonly action: string; readonly what: string } | null;
};

/** `candidates`: numbers of states, those among them that satisfy the invariants, with room for others. */
export const induct = (core: Core, candidates: Iterable<number>, onState?: () => void): Inductive => {
  const counts = { candidates: 0, states: 0, transitions: 0, cut: 0 };
  for (const state of candidates) {
    counts.candidates++;
    const machine = core.decode(state);
    if (core.broken(machine) !== null) continue;
    counts.states++;
    onState?.();
    const cited = machine.journal.clauses as string[];
    for (const { name, apply, oversteps } of core.actions) {
      cited.length = 0;
      try {
        const after = apply(machine);
        if (after === null) continue;
        counts.transitions++;
        if (after === machine) continue;
        if (core.encode(after) === CUT) {
          counts.cut++;
          continue;
        }
        const what = oversteps?.(machine, after) ?? core.broken(after);
        if (what !== null) return { ...counts, violation: { state, action: name, what } };
      } catch (error) {
        return { ...counts, violation: { state, action: name, what: lineOf(error) } };
      }
    }
  }
  return { ...counts, violation: null };
};
