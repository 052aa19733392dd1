/** How many hypercalls a program's compared lines stand for: each whose result was shown, the entries of multicalls and the elements of batches. */
import type { Argument, Program, Step } from '#spec/program.ts';

const BATCHES: readonly unknown[] = ['mmu_update', 'mmuext_op', 'grant_table_op', 1, 26, 20];

const elementsOf = (argument: Argument | undefined): number =>
  typeof argument === 'object' && 'structs' in argument
    ? argument.structs.length
    : typeof argument === 'object' && 'struct' in argument
      ? 1
      : 0;

const callsOf = (argument: Argument | undefined): number =>
  typeof argument === 'object' && 'calls' in argument ? argument.calls.length : 0;

const RESULT = / rc=(-?\d+)/;

/** What a step's line stands for. A batch that failed may have stopped anywhere: its elements do not count. */
const weightOf = (step: Step, line: string): number => {
  if (step.do === 'calls') {
    if (step.draws === undefined) return /rc=(\S*)/.exec(line)?.[1]?.split(',').length ?? 0;
    // A trap says how many draws were left.
    return step.draws - Number(/ left=(\d+)/.exec(line)?.[1] ?? 0);
  }
  const result = RESULT.exec(line);
  if (!result) return 0;
  if (step.do !== 'hypercall') return 1;
  const [first, second] = step.args;
  const multicall = callsOf(first) || callsOf(second);
  const batch =
    Number(result[1]) >= 0 && BATCHES.includes(step.call)
      ? elementsOf(step.call === 'grant_table_op' || step.call === 20 ? second : first)
      : 0;
  return 1 + multicall + batch;
};

/** `lines` of a batch; `programs` by their number in it. */
export const hypercallsIn = (programs: readonly Program[], lines: readonly string[]): number => {
  const steps = programs.map(({ steps }) => new Map(steps.map((step) => [step.id, step])));
  let sum = 0;
  for (const line of lines) {
    const found = /^(?:1> )?(\d+)\.(\d+) /.exec(line);
    const step = found && steps[Number(found[1])]?.get(Number(found[2]));
    if (step) sum += weightOf(step, line);
  }
  return sum;
};
