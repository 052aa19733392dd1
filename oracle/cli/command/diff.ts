/** `xenspec diff`: the first place where two traces part, and which of the two the model agrees with. */
import type { Command } from 'commander';
import { readTrace } from '#traces/file.ts';
import { EXIT } from '../exit_code.ts';
import { compareTraces } from '../trace_difference.ts';
import { explanation, type Replayed, replayFile } from './replay.ts';

type Options = { model: boolean; json?: true };

/** What the model says of both, when they are two accounts of the same run. */
const judged = async (paths: readonly string[]): Promise<readonly Replayed[]> => {
  const results: Replayed[] = [];
  for (const path of paths) results.push(...(await replayFile(path, ['model'])));
  return results;
};

const diffCommand = async (a: string, b: string, options: Options): Promise<number> => {
  const { difference, lost } = compareTraces(await readTrace(a), await readTrace(b));
  const sameRun = difference !== null && difference.what !== 'machine' && difference.what !== 'images';
  const model = sameRun && options.model ? await judged([a, b]) : [];
  if (options.json) process.stdout.write(`${JSON.stringify({ same: difference === null, difference, lost, model }, null, 2)}\n`);
  else if (difference) {
    const note = sameRun ? '' : ': the traces are of different runs';
    process.stdout.write(`${difference.place} differs${note}\n  ${a}: ${difference.a}\n  ${b}: ${difference.b}\n`);
    for (const one of model) {
      const lines = one.verdict.verdict === 'accepted' ? [`accepted on model: ${one.trace}`] : explanation(one);
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  } else process.stdout.write(lost === null ? 'no difference in what both could see\n' : `no difference before the loss: ${lost}\n`);
  if (difference) return EXIT.divergence;
  return lost === null ? EXIT.ok : EXIT.inconclusive;
};

export const addDiff = (program: Command, done: (code: number) => void): void => {
  program
    .command('diff')
    .description('the first place where two traces part, and which of them the model accepts')
    .argument('<a>', 'trace file')
    .argument('<b>', 'trace file')
    .option('--no-model', 'do not ask the model who is right')
    .option('--json', 'machine-readable result')
    .addHelpText(
      'after',
      '\nExit codes: 0 no difference, 1 a difference, 6 none before records were lost, 2 no trace.' +
        '\n\nExample:\n  xenspec diff real.trace.gz mine.trace.gz',
    )
    .action(async (a: string, b: string, options: Options) => done(await diffCommand(a, b, options)));
};
