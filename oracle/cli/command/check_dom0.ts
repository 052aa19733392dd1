/** `xenspec check --dom0 KERNEL`: a kernel of your own as domain 0, on both machines in lockstep, or beside real Xen's recording. */
import type { Command } from 'commander';
import type { MachineConfig } from '#spec/config.ts';
import { NotModelled } from '#spec/failure.ts';
import { withEmptyHost } from '#spec/machines/empty_host.ts';
import type { XenRelease } from '#spec/releases/release.ts';
import { bootDom0 } from '../../campaign/dom0/boot.ts';
import { compareConsoles } from '../../campaign/dom0/console.ts';
import { LINUX_CMDLINE, LINUX_EXPLAINED, LINUX_MEMORY } from '../../campaign/dom0/linux.ts';
import { type Dom0Lockstep, dom0Lockstep } from '../../campaign/dom0/lockstep.ts';
import { loadDom0Pair } from '../../campaign/dom0/pair.ts';
import { loadEngine } from '../../campaign/engines.ts';
import { EXIT } from '../exit_code.ts';
import { readBytes, readKernel } from '../files.ts';
import { machineFor } from '../machine.ts';
import { count, Progress, rate, table } from '../table.ts';
import { differenceRows } from './difference_rows.ts';
import { readState, runName, StateFile } from './dom0_state.ts';

export type Dom0Options = {
  dom0?: string;
  xen?: XenRelease;
  append?: string;
  memory?: number;
  lenient?: true;
  steps?: number;
  console?: string;
  state?: string;
  json?: true;
};

/** Instructions in lockstep, and of a boot to its end, when nobody says how many. */
const STEPS = 50_000_000;
const BOOT_STEPS = 6_000_000_000;
const MOST_RECORDING_BYTES = 16 * 1024 * 1024;

export const addDom0Options = (command: Command): Command =>
  command
    .option('--dom0 <kernel>', 'a PV kernel as domain 0 of a host without devices, on model and executor; --steps says how far')
    .option('--state <file>', 'with --dom0: go on where the run that this file keeps was left, and keep there how far this one came')
    .option('--console <recording>', 'with --dom0: boot it on the executor to its end, and compare what it says with a recording');

const machineOf = ({
  append,
  xen,
  memory = LINUX_MEMORY,
  lenient = false,
}: Omit<Dom0Options, 'lenient'> & { lenient?: boolean }): MachineConfig => {
  const cmdline = append === undefined || append === '' ? LINUX_CMDLINE : append;
  return withEmptyHost(machineFor({ domains: 1, cmdline, memory, domUMemory: 16, lenient, xen }));
};

const refusedText = (refused: Readonly<Record<string, number>>): string =>
  Object.entries(refused)
    .map(([what, times]) => `${what} (${count(times)}×)`)
    .join(', ') || 'nothing';

const END_TEXT = {
  limit: 'all steps were done',
  halted: 'domain 0 ended',
  idle: 'every vCPU waits for something that cannot come',
  said: 'the last line of the recording was said',
} as const;
const endText = (end: Dom0Lockstep['end'] | 'said'): string => {
  if (typeof end === 'string') return END_TEXT[end];
  return 'notModelled' in end ? `not modelled: ${end.notModelled}` : 'model and executor part';
};

const lockstepRows = (kernel: string, result: Dom0Lockstep, seconds: number): readonly (readonly [string, string])[] => {
  const { steps, hypercalls, observations, now, refused, end } = result;
  const found = typeof end === 'object' && 'difference' in end ? end.difference : null;
  return [
    ['kernel', kernel],
    ['instructions compared', count(steps)],
    ['hypercalls compared', count(hypercalls)],
    ['observations compared', count(observations)],
    ['answered -ENOSYS', refusedText(refused)],
    ['time of the machine', `${(now / 1e9).toFixed(3)} s`],
    ['end', endText(end)],
    ['throughput', `${rate(steps / seconds)} instructions/s, both machines together`],
    ...(found ? [...differenceRows(found), ['clauses', found.clauses.join(', ')] as const] : []),
  ];
};

const secondsSince = (started: number): number => Math.max(0.001, (Date.now() - started) / 1000);
const printJson = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);

const lockstepOf = async (kernel: string, image: Uint8Array, options: Dom0Options): Promise<number> => {
  const { steps = STEPS, json } = options;
  const progress = new Progress('instructions on both machines', steps);
  const started = Date.now();
  const pair = await loadDom0Pair();
  const config = machineOf(options);
  const run = runName(config, image);
  const file = options.state === undefined ? null : new StateFile(options.state, run);
  file?.tryPath();
  const from = options.state === undefined ? undefined : readState(options.state, run, pair);
  const onSteps = (n: number): void => progress.step(n);
  const result = dom0Lockstep(pair, { config, image, steps, ...(from && { from }), ...(file && { onCheckpoint: file.add }), onSteps });
  file?.write();
  progress.done();
  const seconds = secondsSince(started);
  if (json) printJson({ kernel, ...result, seconds });
  else process.stdout.write(`${table(['what', 'result'], lockstepRows(kernel, result, seconds))}\n`);
  if (typeof result.end === 'string') return EXIT.ok;
  return 'notModelled' in result.end ? EXIT.notModelled : EXIT.divergence;
};

const consoleOf = async (kernel: string, image: Uint8Array, path: string, options: Dom0Options): Promise<number> => {
  const { steps = BOOT_STEPS, json } = options;
  const recording = new TextDecoder('latin1').decode(readBytes(path, MOST_RECORDING_BYTES));
  const progress = new Progress('instructions', steps);
  const started = Date.now();
  const config = machineOf({ ...options, lenient: true });
  const boot = bootDom0(await loadEngine('executor'), { config, image, steps, recording, onSteps: (n) => progress.step(n) });
  progress.done();
  const seconds = secondsSince(started);
  const { agreed, differences } = compareConsoles(recording, boot.console, LINUX_EXPLAINED);
  const unexplained = differences.filter(({ because }) => because === null);
  if (json) printJson({ kernel, recording: path, ...boot, agreed, differences, seconds });
  else {
    const rows: readonly (readonly [string, string])[] = [
      ['kernel', kernel],
      ['instructions', `${count(boot.steps)}, ${rate(boot.steps / seconds)}/s`],
      ['hypercalls', count(boot.hypercalls)],
      ['answered -ENOSYS', refusedText(boot.refused)],
      ['end', endText(boot.end)],
      ['lines that agree', count(agreed)],
      ['lines that differ, and why', count(differences.length - unexplained.length)],
      ['lines that differ unexplained', count(unexplained.length)],
    ];
    process.stdout.write(`${boot.console.replaceAll('\r', '')}\n`);
    const shown = differences.map(({ side, line, because }) => [side, line.slice(0, 80), because ?? 'NOT EXPLAINED'] as const);
    if (shown.length > 0) process.stdout.write(`${table(['said by', 'line', 'because'], shown)}\n`);
    process.stdout.write(`${table(['what', 'result'], rows)}\n`);
  }
  return boot.end === 'said' && unexplained.length === 0 ? EXIT.ok : EXIT.divergence;
};

/** The check that the options ask for; its exit code. Throws BadInput for a kernel that cannot be loaded. */
export const checkDom0 = async (options: Dom0Options): Promise<number> => {
  const kernel = options.dom0 as string;
  const image = await readKernel(kernel);
  try {
    return options.console === undefined
      ? await lockstepOf(kernel, image, options)
      : await consoleOf(kernel, image, options.console, options);
  } catch (error) {
    if (error instanceof NotModelled) throw new NotModelled(`${error.what} (${kernel})`);
    throw error;
  }
};
