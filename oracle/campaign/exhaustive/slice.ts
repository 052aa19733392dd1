/** A slice of the exploration that takes seconds: the smallest machine of each kind, from its beginning and from every state in the invariants. */
import { type ConfigName, candidatesOf, coreOf, inductiveCoreOf } from './configs.ts';
import { REACHABLE, SATISFYING } from './counts.ts';
import { induct } from './induction.ts';
import { search } from './search.ts';

export const SLICE = ['grants', 'page_types', 'channels', 'grants_device'] as const satisfies readonly ConfigName[];

export type Explored = {
  /** Small machines explored whole, and distinct states of them. */
  readonly machines: number;
  readonly states: number;
  /** States that satisfy the invariants, from which every transition was tried. */
  readonly satisfying: number;
  readonly transitions: number;
  /** One line for each thing that does not hold. */
  readonly wrong: readonly string[];
  /** Machines that the time was not enough for. */
  readonly left: readonly ConfigName[];
};

/** What differs from what was found before. */
const changes = (
  name: string,
  found: Readonly<Record<string, number>>,
  pinned: Readonly<Record<string, number>> | undefined,
): readonly string[] =>
  Object.entries(pinned ?? {}).flatMap(([what, count]) =>
    found[what] === count ? [] : [`small machine ${name}: ${found[what]} ${what}, and ${count} before`],
  );

const explore = async (name: ConfigName) => {
  const pinned = REACHABLE[name];
  const core = coreOf(name);
  const { states, transitions, levels, violation, sometimes, clauses } = await search(core, { states: 2 * (pinned?.states ?? 100_000) });
  const never = [
    ...Object.keys(core.sometimes).filter((what) => !sometimes.has(what)),
    ...core.clauses.filter((clause) => !clauses.has(clause)),
  ].map((what) => `small machine ${name}: never: ${what}`);
  const wrong = violation
    ? [`small machine ${name}: ${violation.what} (xenspec check --exhaustive --config ${name})`]
    : [...never, ...changes(name, { states, transitions, longest: levels.length - 1 }, pinned)];
  return { states, transitions, wrong };
};

const prove = (name: ConfigName) => {
  const { states, transitions, violation } = induct(inductiveCoreOf(name), candidatesOf(name));
  const wrong = violation
    ? [
        `small machine ${name}, in state ${violation.state}, ${violation.action}: ${violation.what} (xenspec check --inductive --config ${name})`,
      ]
    : changes(name, { states, transitions }, SATISFYING[name]);
  return { states, transitions, wrong };
};

/** Begins no further machine after so many milliseconds. */
export const exploreSlice = async (budgetMs: number, onMachine?: () => void): Promise<Explored> => {
  const until = performance.now() + budgetMs;
  const explored = { machines: 0, states: 0, satisfying: 0, transitions: 0 };
  const wrong: string[] = [];
  const left: ConfigName[] = [];
  for (const name of SLICE) {
    if (performance.now() > until) {
      left.push(name);
      continue;
    }
    const [whole, proof] = [await explore(name), prove(name)];
    explored.machines++;
    explored.states += whole.states;
    explored.satisfying += proof.states;
    explored.transitions += whole.transitions + proof.transitions;
    wrong.push(...whole.wrong, ...proof.wrong);
    onMachine?.();
  }
  return { ...explored, wrong, left };
};
