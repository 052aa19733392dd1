/** Many programs, spread over worker threads. */
import { SEQUENCE_STEPS, type SequenceDifference, type SequenceRun } from './sequence_check.ts';
import { inWorkers } from './workers.ts';

export type SequencesCheck = {
  /** All programs with these seeds were run. */
  readonly seeds: { readonly first: number; readonly last: number };
  readonly programs: number;
  readonly steps: number;
  readonly interruptions: number;
  readonly differences: readonly SequenceDifference[];
  readonly seconds: number;
};

type Task = { readonly seed: number; readonly steps: number };

/** Programs from seed `first` on, until they have made so many steps together. */
export const checkSequences = async (first: number, steps: number, onSteps?: (n: number) => void): Promise<SequencesCheck> => {
  const started = performance.now();
  const programs = Math.ceil(steps / SEQUENCE_STEPS);
  function* tasks(): Generator<Task> {
    for (let n = 0; n < programs; n++) yield { seed: first + n, steps: Math.min(SEQUENCE_STEPS, steps - n * SEQUENCE_STEPS) };
  }
  const sums = { steps: 0, interruptions: 0 };
  const differences: SequenceDifference[] = [];
  await inWorkers<Task, SequenceRun>('sequence_worker', tasks(), (run) => {
    sums.steps += run.steps;
    sums.interruptions += run.interruptions;
    if (run.difference !== null) differences.push(run.difference);
    onSteps?.(run.steps);
  });
  differences.sort((a, b) => a.seed - b.seed);
  const seconds = (performance.now() - started) / 1000;
  return { seeds: { first, last: first + programs - 1 }, programs, ...sums, differences, seconds };
};
