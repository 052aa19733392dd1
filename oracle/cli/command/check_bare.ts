/** `xenspec check --bare IMAGE`: your own bare image on both machines in lockstep. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { BadInput } from '#spec/failure.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { type BareLockstep, bareLockstep } from '../../campaign/bare/lockstep.ts';
import { loadBare } from '../../campaign/system/engines.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { wholeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';
import { differenceRows } from './difference_rows.ts';

export type BareOptions = { bare?: string; append?: string; memory?: number; lenient?: true; steps?: number; json?: true };

/** Instructions when nobody says how many. */
const STEPS = 10_000_000;
const MEMORY_MIB = 128;

export const addBareOptions = (command: Command): Command =>
  command
    .option('--bare <image>', 'a multiboot or PVH image on the bare machines of model and executor; --steps says how far')
    .option('--append <text>', 'with --bare and --dom0: the command line of the image', '')
    .option('--memory <MiB>', `with --bare: RAM (default: ${MEMORY_MIB}); with --dom0: its memory (default: 256)`, wholeNumber(4, 2048))
    .option('--lenient', 'with --bare: hardware that is not modelled is absent; with --dom0: operations are answered -ENOSYS, and counted');

const endText = ({ end }: BareLockstep): string => {
  switch (end) {
    case 'steps':
      return 'all steps were done';
    case 'ended':
      return 'the image ended the run';
    case 'halted':
      return 'the processor waits for an interrupt that nobody will raise';
    default:
      return 'notModelled' in end ? `not modelled: ${end.notModelled}` : 'model and executor part';
  }
};

const rowsOf = (image: string, result: BareLockstep, seconds: number): readonly (readonly [string, string])[] => {
  const { steps, now, end } = result;
  const found = typeof end === 'object' && 'difference' in end ? end.difference : null;
  return [
    ['image', image],
    ['instructions compared', count(steps)],
    ['time of the machine', `${(now / 1e9).toFixed(3)} s`],
    ['end', endText(result)],
    ['throughput', `${rate(steps / seconds)} instructions/s, both machines together`],
    ...(found ? differenceRows(found) : []),
  ];
};

const exitOf = ({ end }: BareLockstep): number => {
  if (typeof end === 'string') return EXIT.ok;
  return 'notModelled' in end ? EXIT.notModelled : EXIT.divergence;
};

/** What is wrong with an image is told with its path; the executor says more exactly where. */
const namingImage = <T>(path: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (error instanceof BadInput) throw new BadInput(`${path}: ${error.message}`);
    throw error;
  }
};

/** The check that the options ask for; its exit code. */
export const checkBare = async ({ bare, append = '', memory = MEMORY_MIB, lenient, steps = STEPS, json }: BareOptions): Promise<number> => {
  const image = onFile(bare as string, () => new Uint8Array(readFileSync(bare as string)));
  const pair = { reference: await loadBare('model'), subject: await loadBare('executor') };
  const progress = new Progress('instructions on both machines', steps);
  const started = Date.now();
  const config = { ...barePc(append, memory), lenient: lenient === true };
  const result = namingImage(bare as string, () => bareLockstep(pair, { config, image, steps, onSteps: (n) => progress.step(n) }));
  progress.done();
  const seconds = Math.max(0.001, (Date.now() - started) / 1000);
  if (json) process.stdout.write(`${JSON.stringify({ image: bare, ...result, seconds }, null, 2)}\n`);
  else process.stdout.write(`${table(['what', 'result'], rowsOf(bare as string, result, seconds))}\n`);
  return exitOf(result);
};
