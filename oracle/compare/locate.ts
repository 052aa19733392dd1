/** Narrow a divergence to the first step after which the engines differ. */
import type { Engine } from '#spec/engine.ts';
import type { Input } from '#spec/input.ts';
import {
  applyInput,
  bootPair,
  compareEndings,
  compareMachines,
  type Divergence,
  type Ending,
  type Pair,
  type Subject,
} from './lockstep.ts';

type Found = Pick<Divergence, 'aspect' | 'difference'>;
type Trial = { readonly found: Found | null; readonly ending: Ending };

/** Replay the agreed inputs on fresh machines, then one more. */
const attempt = (pair: Pair, subject: Subject, inputs: readonly Input[], last: Input): Trial => {
  const booted = bootPair(pair, subject);
  if (!Array.isArray(booted)) throw new Error('a subject that booted no longer boots');
  const [reference, other] = booted as readonly [Engine, Engine];
  for (const input of inputs) {
    applyInput(reference, input);
    applyInput(other, input);
  }
  const ending = applyInput(reference, last);
  const found = compareEndings(ending, applyInput(other, last)) ?? compareMachines(reference, other);
  reference.dispose?.();
  other.dispose?.();
  return { found, ending };
};

/**
 * Bisect the last `execute` input to one step: the result's `inputs` run to the last agreed instruction and `last` executes
 * the instruction that parts the engines. When the difference heals itself before the end of a slice, bisection may settle on
 * a later step; the result is always a step that truly differs.
 */
export const locate = (pair: Pair, subject: Subject, divergence: Divergence): Divergence => {
  const { last, inputs } = divergence;
  // An invariant is not a difference, which could be looked for.
  if (divergence.aspect === 'boot' || divergence.aspect === 'invariant' || last.kind !== 'execute' || last.steps === 1) return divergence;
  const at = (steps: number): Trial => attempt(pair, subject, inputs, { ...last, steps });
  let agreed = 0;
  let differs = last.steps;
  let trial: Trial | null = null;
  while (differs - agreed > 1) {
    const middle = (agreed + differs) >>> 1;
    const t = at(middle);
    if (t.found) {
      differs = middle;
      trial = t;
    } else agreed = middle;
  }
  trial ??= at(differs);
  if (!trial.found) return divergence;
  const before: readonly Input[] = agreed > 0 ? [...inputs, { ...last, steps: agreed }] : inputs;
  const single: Input = { ...last, steps: 1 };
  const confirm = attempt(pair, subject, before, single);
  const found = confirm.found ?? trial.found;
  const ending = confirm.found ? confirm.ending : trial.ending;
  return {
    inputs: before,
    last: confirm.found ? single : { ...last, steps: differs },
    ...found,
    clauses: ending.kind === 'report' ? (ending.report.clauses ?? []) : [],
  };
};
