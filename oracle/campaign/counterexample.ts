/** A counterexample as a folder that explains itself: images, program, command lines, both observations, clauses, traces. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '#spec/engine.ts';
import type { Input } from '#spec/input.ts';
import { sha256, writeTrace } from '#traces/file.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceRecord } from '#traces/format.ts';
import { applyInput, bootPair, type Ending, type Pair } from '../compare/lockstep.ts';
import { type Case, caseOf } from './case.ts';
import { readme } from './counterexample_readme.ts';
import type { Counterexample } from './judge.ts';

/** Steps of a program. */
export const stepCount = (program: Counterexample['program']): number => program.steps.length;

/** What one engine did, input by input. `engine` is null when it did not boot. */
type Performed = { readonly engine: Engine | null; readonly endings: readonly Ending[] };

const perform = (engine: Engine, inputs: readonly Input[]): Performed => ({
  engine,
  endings: inputs.map((input) => applyInput(engine, input)),
});

const eventsOf = (ending: Ending) =>
  ending.kind === 'report' ? ending.report.events : ending.kind === 'not_modelled' ? (ending.before?.events ?? []) : [];

/** One side's run as a trace that holds the other side to it: inputs, what each brought about, and the machine in the end. */
const recordsOf = (inputs: readonly Input[], { engine, endings }: Performed): readonly TraceRecord[] => [
  ...inputs.flatMap((input, i): TraceRecord[] => [
    { record: 'input', input },
    ...eventsOf(endings[i]!).map((event): TraceRecord => ({ record: 'event', event })),
  ]),
  ...(engine === null || endings.some((e) => e.kind !== 'report')
    ? []
    : [{ record: 'observation', observation: JSON.parse(JSON.stringify(engine.observe())) } as const]),
  {
    record: 'end',
    finish: endings.at(-1)?.kind === 'not_modelled' ? 'not_modelled' : 'limit',
    reason: engine?.status().halted ?? null,
    retired: null,
  },
];

const writeRegression = (
  path: string,
  by: string,
  side: Performed,
  inputs: readonly Input[],
  subject: Case,
  c: Counterexample,
  version: string,
) =>
  writeTrace(path, {
    header: {
      record: 'header',
      format: TRACE_FORMAT,
      version: TRACE_VERSION,
      producer: { name: by, version, details: {} },
      title: `counterexample of seed ${c.seed}`,
      visible: ['events', 'inputs', 'observations', 'end'],
      machine: subject.config,
      images: subject.images.map((elf, i) => ({
        domid: subject.config.domains[i]!.domid,
        sha256: sha256(elf),
        elf: Buffer.from(elf).toString('base64'),
      })),
      policy: c.policy,
      program: JSON.parse(JSON.stringify(c.program)),
      seed: c.seed,
      clauses: [...c.divergence.clauses],
    },
    records: recordsOf(inputs, side),
  });

/** Write the folder; returns its path. `mutant`: the bug that was planted, when the divergence was made on purpose. */
export const writeCounterexample = (directory: string, pair: Pair, c: Counterexample, version: string, mutant: string | null): string => {
  const folder = join(directory, `seed-${c.seed}`);
  mkdirSync(folder, { recursive: true });
  const subject = caseOf(c.program, c.seed, c.work);
  const put = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), `${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}\n`);
  for (const [i, image] of subject.images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
  put('program.json', c.program);
  put('original.json', c.original);
  put('divergence.json', c.divergence);
  put('machine.json', subject.config);

  const booted = bootPair(pair, subject);
  const engines = Array.isArray(booted) ? (booted as unknown as readonly [Engine, Engine]) : null;
  const inputs = [...c.divergence.inputs, c.divergence.last];
  if (engines) {
    const [model, executor] = [perform(engines[0], inputs), perform(engines[1], inputs)];
    const story = ({ engine, endings }: Performed) => ({
      observation: engine!.observe(),
      events: endings.flatMap(eventsOf),
      last: endings.at(-1),
    });
    put('expected.json', story(model));
    put('seen.json', story(executor));
    writeRegression(join(folder, 'regression-executor.trace.gz'), 'model', model, inputs, subject, c, version);
    writeRegression(join(folder, 'regression-model.trace.gz'), 'executor', executor, inputs, subject, c, version);
  }
  put('README.txt', readme(c, { mutant, domains: subject.images.length, traces: engines !== null }));
  return folder;
};
