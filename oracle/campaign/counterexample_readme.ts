/** A counterexample in words, for terminals and for its folder. */
import type { Counterexample } from './judge.ts';

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)) ?? '(nothing)';

/** The whole story in a few lines. */
export const describe = (c: Counterexample): string => {
  const { divergence: d } = c;
  return [
    `seed ${c.seed}: ${d.aspect} differs at ${d.difference.path || 'the whole'}`,
    `  model:    ${show(d.difference.expected)}`,
    `  executor: ${show(d.difference.seen)}`,
    `  clauses:  ${d.clauses.length > 0 ? [...new Set(d.clauses)].join(', ') : '(the model cited none in this step)'}`,
    `  program:  ${c.program.steps.length} steps (generated with ${c.original.steps.length}), after ${c.trials} trials`,
  ].join('\n');
};

export type ReadmeOptions = {
  /** The bug that was planted, or null. */
  readonly mutant: string | null;
  readonly domains: number;
  /** Whether there are regression traces: not when the machines differed before they ran. */
  readonly traces: boolean;
};

/** How the program of a seed is asked for again. */
const AGAIN: Readonly<Record<Counterexample['work'], (seed: number) => string>> = {
  mixed: (seed) => `--seeds ${seed} --no-traces`,
  dense: (seed) => `--hypercalls 1 --seeds ${seed}`,
  varied: (seed) => `--variations 1 --seeds ${seed}`,
};

/** Every line that begins with `  xenspec` works as it stands, in this folder. */
export const readme = (c: Counterexample, { mutant, domains, traces }: ReadmeOptions): string => {
  const flag = mutant === null ? '' : ` --mutant ${mutant}`;
  const others = Array.from({ length: domains - 1 }, (_, i) => ` --domU d${i + 1}.elf`).join('');
  const run = `xenspec run d0.elf${others} --machine machine.json`;
  return [
    describe(c),
    '',
    'The commands below work in this folder. In a checkout, `npm run -s xenspec --` stands for `xenspec`.',
    ...(mutant === null ? [] : [`The bug was planted on purpose: ${mutant}. Without \`${flag.trim()}\` the machines are whole.`]),
    '',
    'Again from the seed, to the same difference:',
    `  xenspec check ${AGAIN[c.work](c.seed)} --out again${flag}`,
    '',
    'The shrunk program alone, on each machine:',
    `  ${run} --on model`,
    `  ${run} --on executor`,
    ...(traces
      ? [
          '',
          'If the model is right: rejected until the executor is mended.',
          `  xenspec replay regression-executor.trace.gz --on executor${flag}`,
          '',
          'If the executor is right: rejected until the model is mended.',
          `  xenspec replay regression-model.trace.gz --on model${flag}`,
        ]
      : []),
    ...c.divergence.clauses.slice(0, 1).map((clause) => `\nWhat should happen:\n  xenspec explain ${clause}`),
    '',
    'Files: dN.elf images; program.json the shrunk program, original.json as generated; divergence.json the first difference with the inputs that',
    'lead to it; expected.json and seen.json what model and executor showed and did; machine.json the configuration.',
  ].join('\n');
};
