/** A counterexample as a folder that explains itself: images, program, command lines, both observations, clauses, trace. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '#spec/engine.ts';
import type { Event } from '#spec/event.ts';
import { sha256, writeTrace } from '#traces/file.ts';
import { TRACE_FORMAT, TRACE_VERSION, type TraceRecord } from '#traces/format.ts';
import { applyInput, bootPair, type Pair } from '../compare/lockstep.ts';
import { type Case, caseOf } from './case.ts';
import type { Counterexample } from './judge.ts';

const show = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The whole story in a few lines, for terminals and for the folder's README. */
export const describe = (c: Counterexample): string => {
  const { divergence: d } = c;
  return [
    `seed ${c.seed}: ${d.aspect} differs at ${d.difference.path || 'the whole'}`,
    `  model:    ${show(d.difference.expected ?? null)}`,
    `  executor: ${show(d.difference.seen ?? null)}`,
    `  clauses:  ${d.clauses.length > 0 ? d.clauses.join(', ') : '(the reference cited none in this step)'}`,
    `  program:  ${stepCount(c.program)} steps (generated with ${stepCount(c.original)}), after ${c.trials} trials`,
  ].join('\n');
};

/** Steps of a program. */
export const stepCount = (program: Counterexample['program']): number => program.steps.length;

/** What both engines did up to and including the differing step. */
const perform = (
  pair: Pair,
  subject: Case,
  c: Counterexample,
): { readonly events: readonly [Event[], Event[]]; readonly engines: readonly [Engine, Engine] | null } => {
  const booted = bootPair(pair, subject);
  const events: [Event[], Event[]] = [[], []];
  if (!Array.isArray(booted)) return { events, engines: null };
  const engines = booted as unknown as readonly [Engine, Engine];
  for (const input of [...c.divergence.inputs, c.divergence.last])
    for (const side of [0, 1] as const) {
      const ending = applyInput(engines[side], input);
      if (ending.kind === 'report') events[side].push(...ending.report.events);
    }
  return { events, engines };
};

/** Write the folder; returns its path. `mutant`: the bug that was planted, when the divergence was made on purpose. */
export const writeCounterexample = (directory: string, pair: Pair, c: Counterexample, version: string, mutant: string | null): string => {
  const folder = join(directory, `seed-${c.seed}`);
  mkdirSync(folder, { recursive: true });
  const subject = caseOf(c.program, c.seed);
  const { events, engines } = perform(pair, subject, c);
  const put = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), `${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}\n`);
  for (const [i, image] of subject.images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
  put('program.json', c.program);
  put('original.json', c.original);
  put('divergence.json', c.divergence);
  put('machine.json', subject.config);
  if (engines) {
    put('expected.json', { observation: engines[0].observe(), events: events[0] });
    put('seen.json', { observation: engines[1].observe(), events: events[1] });
  }
  const records: TraceRecord[] = [
    ...[...c.divergence.inputs, c.divergence.last].map((input): TraceRecord => ({ record: 'input', input })),
    ...events[0].map((event): TraceRecord => ({ record: 'event', event })),
    { record: 'end', finish: 'limit', reason: null, retired: null },
  ];
  writeTrace(join(folder, 'regression.trace.gz'), {
    header: {
      record: 'header',
      format: TRACE_FORMAT,
      version: TRACE_VERSION,
      producer: { name: 'model', version, details: {} },
      title: `counterexample of seed ${c.seed}`,
      visible: ['events', 'inputs'],
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
    records,
  });
  const flag = mutant === null ? '' : ` --mutant ${mutant}`;
  put(
    'README.txt',
    [
      describe(c),
      '',
      'Again from the seed:',
      `  xenspec check --seeds ${c.seed}${flag}`,
      '',
      'The shrunk image alone:',
      `  xenspec run d0.elf${subject.images
        .slice(1)
        .map((_, i) => ` --domU d${i + 1}.elf`)
        .join('')} --memory 16 --domU-memory 8 --on model`,
      '',
      'Until the bug is fixed, this is rejected:',
      '  xenspec replay regression.trace.gz --on executor',
      '',
      'Files: dN.elf images; program.json the shrunk program, original.json as generated; divergence.json the first difference with the inputs that lead to it;',
      'expected.json and seen.json the observations and events of model and executor; machine.json the configuration.',
    ].join('\n'),
  );
  return folder;
};
