/** What came of the cases of one row, and of all rows. */
import type { Mode } from '../../image/instruction/case.ts';

export type Difference = {
  readonly engine: 'model' | 'executor' | 'silicon';
  readonly seed: number;
  /** The instruction's bytes. */
  readonly code: string;
  readonly form: string;
  readonly what: string;
};

export type RowTally = {
  readonly row: number;
  readonly mode: Mode;
  readonly cases: number;
  /** Cases in which both engines were as silicon, undefined bits masked. */
  readonly agreed: number;
  /** Cases that differed as a finding says, by finding. */
  readonly explained: Readonly<Record<string, number>>;
  /** In how many cases each flag (by its letter) or the first operand was masked. */
  readonly masked: Readonly<Record<string, number>>;
  /** Cases that an engine does not carry out, by what it says. */
  readonly notModelled: Readonly<Record<string, number>>;
  readonly differences: number;
  readonly first: Difference | null;
};

const sum = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> => {
  const all = { ...a };
  for (const [key, n] of Object.entries(b)) all[key] = (all[key] ?? 0) + n;
  return all;
};

/** Two parts of one row; the first difference is that of the lowest seed. */
export const mergeTallies = (a: RowTally, b: RowTally): RowTally => ({
  row: a.row,
  mode: a.mode,
  cases: a.cases + b.cases,
  agreed: a.agreed + b.agreed,
  explained: sum(a.explained, b.explained),
  masked: sum(a.masked, b.masked),
  notModelled: sum(a.notModelled, b.notModelled),
  differences: a.differences + b.differences,
  first: a.first === null || (b.first !== null && b.first.seed < a.first.seed) ? b.first : a.first,
});
