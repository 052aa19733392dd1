/** The smallest program that still shows a difference between a peer and a machine of ours. */
import type { Program } from '#spec/program.ts';
import { simplifications } from '../../generators/shrink.ts';
import type { Role } from './subject.ts';
import { type Bench, type Trial, tryAlone } from './trial.ts';

/** Candidates that are tried at once: inside fresh domains they share a boot of the peer. */
const AT_ONCE = { dom0: 6, domu: 24 } as const;
/** Candidates in all, and seconds. */
const TRIALS = 400;
const SECONDS = 30;

export type Shrunk = { readonly program: Program; readonly trial: Trial; readonly trials: number };

/** null when the program alone shows no difference: what ran before it on the same machine matters. */
export const shrinkOnPeer = async (bench: Bench, role: Role, original: Program, seconds = SECONDS): Promise<Shrunk | null> => {
  const until = performance.now() + seconds * 1000;
  const [first] = await tryAlone(bench, role, [original]);
  if (!first?.difference) return null;
  let smallest: Shrunk = { program: original, trial: first, trials: 1 };
  const tried = new Set<string>([JSON.stringify(original)]);
  for (let found = true; found; ) {
    found = false;
    const candidates = fresh(simplifications(smallest.program), tried);
    while (!found && smallest.trials < TRIALS && performance.now() < until) {
      const some = next(candidates, AT_ONCE[role]);
      if (some.length === 0) break;
      const results = await tryAlone(bench, role, some);
      smallest = { ...smallest, trials: smallest.trials + some.length };
      const at = results.findIndex((trial) => trial !== null && trial.difference !== null);
      if (at < 0) continue;
      smallest = { ...smallest, program: some[at]!, trial: results[at]! };
      found = true;
    }
  }
  return smallest;
};

/** Those that were not tried before. */
function* fresh(candidates: Iterable<Program>, tried: Set<string>): Generator<Program> {
  for (const candidate of candidates) {
    const key = JSON.stringify(candidate);
    if (tried.has(key)) continue;
    tried.add(key);
    yield candidate;
  }
}

const next = (candidates: Iterator<Program>, most: number): Program[] => {
  const some: Program[] = [];
  for (let one = candidates.next(); !one.done; one = candidates.next()) {
    some.push(one.value);
    if (some.length === most) break;
  }
  return some;
};
