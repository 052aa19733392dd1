/** The table of planted advisories in the book, from what was measured. */
import { ADVISORIES, type Advisory, MILESTONE, MISSING, mutantOfAdvisory, SET_ASIDE } from '../../mutants/advisories/index.ts';
import type { Row, Run } from './measured.ts';

const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const markdown = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');

/** The least value that a share of all does not exceed. */
export const quantile = (values: readonly number[], share: number): number | null => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
};
/** By what, its first seed, and the commit that it ran on. */
const named = ({ methods, seed, commit }: Run): string => `${methods.join(', ')}: ${seed} at \`${commit}\``;
const shown = (value: number | null): string | number => value ?? '–';

type Group = readonly [name: string, has: (id: string) => boolean];
const GROUPS: readonly Group[] = [
  ['milestone', (id) => MILESTONE.includes(id)],
  ['set aside by lot', (id) => SET_ASIDE.includes(id)],
  ['others', (id) => !MILESTONE.includes(id) && !SET_ASIDE.includes(id)],
  ['all', () => true],
];

const foundOf = (found: number, hunted: number): string => `${found} (${Math.round((1000 * found) / hunted) / 10} %)`;

const summary = (runs: readonly Run[]): string =>
  markdown(
    ['run', 'group', 'hunted', 'found', 'median s', 'median steps', '95 % of steps'],
    runs.flatMap((run) =>
      GROUPS.flatMap(([name, has]) => {
        const these = run.mutants.filter(({ id }) => has(id));
        // All together says something new only where there is more than one group.
        const { length } = GROUPS.filter(([, other]) => run.mutants.some(({ id }) => other(id)));
        if (these.length === 0 || (name === 'all' && length === 2)) return [];
        const all = ADVISORIES.filter(({ id, missing }) => missing === null && has(id)).length;
        const found = these.filter(({ killed }) => killed);
        const [times, steps] = [found.flatMap(({ seconds }) => seconds ?? []), found.flatMap((one) => one.steps ?? [])];
        const sizes = [quantile(steps, 0.5), quantile(steps, 0.95)].map(shown);
        return [
          [named(run), name, `${these.length} of ${all}`, foundOf(found.length, these.length), shown(quantile(times, 0.5)), ...sizes],
        ];
      }),
    ),
  );

const about = (runs: readonly Run[]): string =>
  markdown(
    ['run', 'date', 'methods', 'command'],
    runs.map((run) => [
      named(run),
      run.date,
      run.methods.join(', '),
      `\`xenspec mutants --only ${run.only} --seed ${run.seed} --budget ${run.budget} --by "${run.methods.join(',')}" --record\``,
    ]),
  );

const fate = (row: Row | undefined): string => {
  if (!row) return '';
  if (!row.killed) return '**survived**';
  const size = row.steps === null ? '' : `, ${row.steps} ${row.steps === 1 ? 'step' : 'steps'}`;
  return `${row.by}, ${row.seconds?.toFixed(1)} s${size}`;
};

const hunted = (runs: readonly Run[]): string =>
  markdown(
    ['advisory', 'what is broken', ...runs.map(named)],
    ADVISORIES.filter(({ missing }) => missing === null).map(({ id }) => [
      id,
      mutantOfAdvisory(id)?.summary ?? '',
      ...runs.map(({ mutants }) => fate(mutants.find((row) => row.id === id))),
    ]),
  );

const lacking = (advisories: readonly Advisory[]): string =>
  markdown(
    ['the machine lacks', 'advisories'],
    Object.entries(MISSING).map(([part, what]) => [
      what,
      advisories
        .filter(({ missing }) => missing === part)
        .map(({ id }) => id)
        .join(' '),
    ]),
  );

/** All tables of the page, in its order. */
export const pageOf = (runs: readonly Run[]): string => [about(runs), summary(runs), hunted(runs), lacking(ADVISORIES)].join('\n\n');
