/** What hunts for planted advisories came to, kept with the project: each run with its seed, its commit and its date. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { METHODS, type Method } from './hunt.ts';

export const MEASURED = new URL('../../mutants/advisories/measured.json', import.meta.url);

const Row = z.strictObject({
  id: z.string(),
  killed: z.boolean(),
  /** The method that took least. */
  by: z.enum(METHODS).nullable(),
  /** Of the processor's time. */
  seconds: z.number().nullable(),
  /** Of the counterexample; null when it was not made small. */
  steps: z.number().int().nullable(),
});
export type Row = z.infer<typeof Row>;

const Run = z.strictObject({
  /** Which advisories: numbers and groups, as the command was told. */
  only: z.string(),
  seed: z.number().int(),
  /** Seconds of the processor's time for each mutant and method. */
  budget: z.number().int(),
  methods: z.array(z.enum(METHODS)),
  date: z.string(),
  commit: z.string(),
  /** Advisories that the machine can have, as far as they were hunted. */
  mutants: z.array(Row),
});
export type Run = z.infer<typeof Run>;

const Measured = z.array(Run);

/** Throws ZodError when the file is not of this shape. */
export const measured = (): readonly Run[] => Measured.parse(JSON.parse(readFileSync(MEASURED, 'utf8')));

const tenths = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);

/** What is kept of a run. */
export const runOf = (
  about: Pick<Run, 'only' | 'seed' | 'budget' | 'date' | 'commit'> & { readonly methods: readonly Method[] },
  results: readonly (Row & { readonly expressible: boolean })[],
): Run => ({
  ...about,
  methods: [...about.methods],
  mutants: results
    .filter(({ expressible }) => expressible)
    .map(({ id, killed, by, seconds, steps }) => ({ id, killed, by, seconds: tenths(seconds), steps })),
});

const onlyOf = (before: Run, run: Run): string => [...new Set([...before.only.split(','), ...run.only.split(',')])].join(',');

/** A run goes on from one with the same seed, budget, methods and commit: rows that were hunted again take the place of the earlier ones. */
export const withRun = (runs: readonly Run[], run: Run): readonly Run[] => {
  const key = ({ seed, budget, methods, commit }: Run): string => JSON.stringify([seed, budget, methods, commit]);
  const before = runs.find((one) => key(one) === key(run));
  const kept = (before?.mutants ?? []).filter(({ id }) => !run.mutants.some((one) => one.id === id));
  return [
    ...runs.filter((one) => one !== before),
    { ...run, only: before ? onlyOf(before, run) : run.only, mutants: [...kept, ...run.mutants] },
  ];
};
