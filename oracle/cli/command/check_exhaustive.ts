/** `xenspec check --exhaustive` and `--inductive`: small machines of the model, explored to the end, or from every state that satisfies the invariants. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { BadInput } from '#spec/failure.ts';
import type { Program } from '#spec/program.ts';
import type { ConfigName } from '../../campaign/exhaustive/configs.ts';
import { EXIT } from '../exit_code.ts';
import { onFile } from '../files.ts';
import { largeNumber, wholeNumber } from '../option.ts';
import { count, Progress, rate, table } from '../table.ts';

export type ExhaustiveOptions = {
  exhaustive?: true;
  inductive?: true;
  config?: string;
  states?: number;
  workers?: number;
  resume?: string;
  mutant?: string;
  out: string;
  json?: true;
};

const DEFAULT_CONFIG = 'channels';
/** Most states when --states does not say: as many as fit in a few hundred megabytes. */
const STATES = 12_000_000;

export const addExhaustiveOptions = (command: Command): void => {
  command
    .option('--exhaustive', 'every state that a small machine of the model can come to, breadth first')
    .option('--inductive', 'from every state of a small machine that satisfies the invariants, every transition')
    .addOption(new Option('--config <name>', `the small machine (default: ${DEFAULT_CONFIG})`))
    .option(
      '--workers <n>',
      'threads that explore it (default: 1); for --worlds, as many as there are processors, at most four',
      wholeNumber(1, 64),
    )
    .option('--resume <file>', 'go on where this file says, and keep there after each level how far it came')
    .option('--states <n>', `look at no more states than these (default: ${count(STATES)})`, largeNumber);
};

type Row = readonly [string, string];
const print = (rows: readonly Row[], verdict: string): void => {
  process.stdout.write(`${table(['what', 'result'], rows)}\nverdict: ${verdict}\n`);
};

const keep = (out: string, name: string, program: Program): string =>
  onFile(out, () => {
    const folder = join(out, `exhaustive-${name}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'program.json'), `${JSON.stringify(program, null, 1)}\n`);
    return folder;
  });

/** Must run after a mutant is planted: the model is loaded here. */
export const checkExhaustive = async (options: ExhaustiveOptions): Promise<number> => {
  const { config = DEFAULT_CONFIG, states = STATES, workers = 1, resume, mutant, out, json } = options;
  const { coreOf } = await import('../../campaign/exhaustive/configs.ts');
  const { REACHABLE } = await import('../../campaign/exhaustive/counts.ts');
  const { loadCheckpoint, saveCheckpoint } = await import('../../campaign/exhaustive/checkpoint.ts');
  const { startCrew } = await import('../../campaign/exhaustive/crew.ts');
  const { newTable, search } = await import('../../campaign/exhaustive/search.ts');
  const { pathTo, programOf } = await import('../../campaign/exhaustive/path.ts');
  const { replay } = await import('../../campaign/exhaustive/replay.ts');
  const core = coreOf(config);
  if (core.alone && (workers > 1 || resume !== undefined))
    throw new BadInput(`--config ${config}: one thread explores it, in one go, so neither --workers nor --resume fits`);
  const progress = new Progress('states found', states);
  const [started, usedBefore] = [performance.now(), process.cpuUsage()];
  let told = 0;
  const { memory, table: queue } = newTable(core, states);
  const from = resume !== undefined && existsSync(resume) ? loadCheckpoint(resume, config, queue) : null;
  const before = queue.found;
  const crew = workers > 1 ? await startCrew(workers, config, memory, mutant ?? null) : null;
  const found = await search(core, {
    states,
    from,
    table: queue,
    ...(crew && { expandLevel: crew.expandLevel }),
    onLevel: (searched) => {
      progress.step(searched.states - told);
      told = searched.states;
      if (resume !== undefined) onFile(resume, () => saveCheckpoint(resume, config, searched));
    },
  });
  await crew?.dismiss();
  progress.done();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(usedBefore);
  const processorSeconds = (user + system) / 1e6;
  const pinned = found.complete ? REACHABLE[config as ConfigName] : undefined;
  const changed =
    pinned !== undefined && found.violation === null && (pinned.states !== found.states || pinned.transitions !== found.transitions);
  // What was never seen is missing only where everything was looked at.
  const never = found.complete
    ? [
        ...Object.keys(core.sometimes).filter((name) => !found.sometimes.has(name)),
        ...core.clauses.filter((clause) => !found.clauses.has(clause)),
      ]
    : [];
  const path = found.violation ? pathTo(core, found.table, found.violation) : [];
  const program = found.violation ? programOf(core, path) : null;
  const replayed = program === null ? null : await replay(program);
  const folder = program === null ? null : keep(out, config, program);
  const verdict = found.violation
    ? 'violated'
    : never.length > 0
      ? 'unreachable'
      : changed
        ? 'changed'
        : found.complete
          ? 'holds'
          : 'holds as far as it was explored';
  const names = path.map(({ action }) => action.name);
  const { levels, transitions, cut, complete } = found;
  if (json) {
    const what = found.violation?.what ?? null;
    const all = {
      verdict,
      config,
      scope: core.scope,
      states: found.states,
      transitions,
      cut,
      complete,
      levels,
      seconds,
      processor_seconds: processorSeconds,
      pinned: pinned ?? null,
      never,
      what,
      path: names,
    };
    process.stdout.write(`${JSON.stringify({ ...all, program, replayed, folder }, null, 2)}\n`);
    return found.violation || never.length > 0 || changed ? EXIT.divergence : EXIT.ok;
  }
  if (found.violation) {
    process.stdout.write(`${found.violation.what}\n${names.map((name, i) => `  ${i + 1}. ${name}\n`).join('')}`);
    if (folder !== null) process.stdout.write(`  folder: ${folder}\n`);
    for (const [engine, line] of Object.entries(replayed ?? {})) process.stdout.write(`  ${engine}: ${line}\n`);
  }
  if (changed) process.stdout.write(`before: ${count(pinned.states)} states and ${count(pinned.transitions)} transitions\n`);
  for (const name of never) process.stdout.write(`never: ${name}\n`);
  print(
    [
      ['small machine', core.scope],
      ['distinct states', `${count(found.states)}${complete ? ', all that there are' : ''}`],
      ['transitions', `${count(transitions)}, ${count(cut)} of them beyond the scope`],
      ['longest way', `${levels.length - 1} transitions`],
      [
        'throughput',
        `${rate((found.states - before) / seconds)} distinct states/s, ${rate(transitions / seconds)} transitions/s; ${rate((found.states - before) / processorSeconds)} states/s of processor time`,
      ],
    ],
    verdict,
  );
  return found.violation || never.length > 0 || changed ? EXIT.divergence : EXIT.ok;
};

/** Must run after a mutant is planted, too. */
export const checkInductive = async ({ config = DEFAULT_CONFIG, json }: ExhaustiveOptions): Promise<number> => {
  const { candidatesOf, inductiveCoreOf } = await import('../../campaign/exhaustive/configs.ts');
  const { SATISFYING } = await import('../../campaign/exhaustive/counts.ts');
  const { induct } = await import('../../campaign/exhaustive/induction.ts');
  const core = inductiveCoreOf(config);
  const progress = new Progress('states that satisfy the invariants', STATES);
  const started = performance.now();
  const shown = induct(core, candidatesOf(config), () => progress.step());
  progress.done();
  const seconds = (performance.now() - started) / 1000;
  const pinned = SATISFYING[config as ConfigName];
  const changed = pinned !== undefined && (pinned.states !== shown.states || pinned.transitions !== shown.transitions);
  const verdict = shown.violation ? 'not inductive' : changed ? 'changed' : 'inductive';
  if (json) process.stdout.write(`${JSON.stringify({ verdict, config, scope: core.scope, ...shown, seconds }, null, 2)}\n`);
  else {
    if (shown.violation) process.stdout.write(`${shown.violation.action}, in state ${shown.violation.state}: ${shown.violation.what}\n`);
    if (changed) process.stdout.write(`before: ${count(pinned.states)} states and ${count(pinned.transitions)} transitions\n`);
    print(
      [
        ['small machine', core.scope],
        ['states that satisfy the invariants', `${count(shown.states)} of ${count(shown.candidates)} looked at`],
        ['transitions', `${count(shown.transitions)}, ${count(shown.cut)} of them beyond the scope`],
        ['throughput', `${rate(shown.transitions / seconds)} transitions/s`],
      ],
      verdict,
    );
  }
  return shown.violation || changed ? EXIT.divergence : EXIT.ok;
};
