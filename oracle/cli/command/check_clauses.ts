/** `xenspec check --clauses`: which clauses of the specification generated programs exercise, measured on the model. */
import type { Command } from 'commander';
import { type ClausesMeasured, clauseIds, type Met, measureClauses } from '../../campaign/clauses/measure.ts';
import { WITHOUT_PROGRAM } from '../../campaign/clauses/without_program.ts';
import { WITHOUT_SCRIPT } from '../../campaign/clauses_without_script.ts';
import { EXIT } from '../exit_code.ts';
import { count, Progress, table } from '../table.ts';

export type ClausesCommandOptions = { clauses?: true; budget?: number; seeds?: { readonly first: number }; json?: true };

const BUDGET_SECONDS = 180;

export const addClausesOptions = (command: Command): void => {
  command.option(
    '--clauses',
    `which clauses generated programs of every kind exercise, within --budget seconds (default: ${BUDGET_SECONDS}); 0 when all that have no named reason do, 6 when some were not met, 1 when one was that a reason says cannot`,
  );
};

const familyOf = (clause: string): string => clause.split('/')[0]!;

export type FamilyRow = { readonly family: string; readonly clauses: number; readonly scripts: number; readonly programs: number };

/** Clauses of each family: how many there are, have a conformance script, and were met by generated programs. */
export const familyRows = (met: ReadonlyMap<string, Met>): readonly FamilyRow[] => {
  const noScript = new Set<string>(WITHOUT_SCRIPT.flatMap(({ clauses }) => clauses));
  const families = new Map<string, { clauses: number; scripts: number; programs: number }>();
  for (const clause of clauseIds()) {
    const row = families.get(familyOf(clause)) ?? { clauses: 0, scripts: 0, programs: 0 };
    families.set(familyOf(clause), row);
    row.clauses++;
    if (!noScript.has(clause)) row.scripts++;
    if (met.has(clause)) row.programs++;
  }
  return [...families].sort(([a], [b]) => (a < b ? -1 : 1)).map(([family, row]) => ({ family, ...row }));
};

const text = ({ sources, met, unmet, stale }: ClausesMeasured): string => {
  const rows = familyRows(met);
  const total = (pick: (row: FamilyRow) => number): number => rows.reduce((sum, row) => sum + pick(row), 0);
  const lines = [
    table(
      ['programs of', 'the same by', 'programs', 'clauses', 'met here first'],
      sources.map(({ name, command, programs, clauses, first }) => [name, command, programs, clauses, first]),
    ),
    table(
      ['clauses', 'all', 'by a script', 'by generated programs'],
      [
        ...rows.map(({ family, clauses, scripts, programs }) => [`${family}/*`, clauses, scripts, programs]),
        ['together', total((r) => r.clauses), total((r) => r.scripts), total((r) => r.programs)],
      ],
    ),
    table(
      ['no generated program exercises', 'because'],
      WITHOUT_PROGRAM.flatMap(({ why, clauses }) => clauses.map((clause) => [clause, why])),
    ),
  ];
  for (const clause of stale)
    lines.push(`${clause} was met (seed ${met.get(clause)!.seed} of ${met.get(clause)!.source}), and a reason says that it cannot be`);
  for (const clause of unmet) lines.push(`${clause} was not met`);
  return `${lines.join('\n')}\n`;
};

export const checkClauses = async (first: number, { budget = BUDGET_SECONDS, json }: ClausesCommandOptions): Promise<number> => {
  const STEPS = 1000;
  const progress = new Progress('generated programs for clauses', STEPS);
  let told = 0;
  // Loads the engines: other kinds of `check` do that after a bug was planted.
  const { loadSources } = await import('../../campaign/clauses/sources.ts');
  const measured = await measureClauses(await loadSources(), {
    ...{ first, budgetMs: budget * 1000 },
    onProgress: (share) => {
      const now = Math.floor(share * STEPS);
      if (now > told) progress.step(now - told);
      told = Math.max(told, now);
    },
  });
  progress.done();
  const { sources, met, unmet, stale } = measured;
  const verdict = stale.length > 0 ? 'a reason is stale' : unmet.length > 0 ? 'some clauses were not met' : 'all clauses are exercised';
  if (json) {
    const families = familyRows(met);
    const all = { verdict, first, sources, families, without: WITHOUT_PROGRAM, unmet, stale, met: Object.fromEntries(met) };
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  } else {
    process.stdout.write(text(measured));
    process.stdout.write(`${count(met.size)} of ${count(clauseIds().length)} clauses; verdict: ${verdict}\n`);
  }
  if (stale.length > 0) return EXIT.divergence;
  return unmet.length > 0 ? EXIT.inconclusive : EXIT.ok;
};
