/** `xenspec explain --scripts`: every clause, and the recorded scripts that exercise it, as measured here and now. */
import { BadInput } from '#spec/failure.ts';
import { type ClauseScripts, measureScripts, recordings } from '../../campaign/clause_scripts.ts';
import { clausesNamed } from '../operation_clauses.ts';
import { Progress, percent } from '../table.ts';

export type ScriptsTable = {
  readonly recordings: number;
  readonly counts: { readonly clauses: number; readonly exercised: number; readonly excused: number; readonly bare: number };
  readonly clauses: readonly ClauseScripts[];
};

/** Of all clauses, or of those that a word names. Throws BadInput for a word that names none. */
export const scriptsTable = async (word: string | undefined): Promise<ScriptsTable> => {
  const files = recordings();
  const progress = new Progress('recorded scripts', files.length);
  const all = await measureScripts(() => progress.step());
  progress.done();
  const named =
    word === undefined
      ? null
      : clausesNamed(
          word,
          all.map(({ clause }) => clause),
        );
  if (named?.length === 0) throw new BadInput(`${word}: --scripts shows all clauses, or those that begin so`);
  const clauses = all.filter(({ clause }) => named === null || named.includes(clause));
  const count = (wanted: (c: ClauseScripts) => boolean): number => clauses.filter(wanted).length;
  return {
    recordings: files.length,
    counts: {
      clauses: clauses.length,
      exercised: count(({ scripts }) => scripts.length > 0),
      excused: count(({ scripts, why }) => scripts.length === 0 && why !== null),
      bare: count(({ scripts, why }) => scripts.length === 0 && why === null),
    },
    clauses,
  };
};

/** Names that are shown when a clause has more scripts. */
const FEW = 3;

const line = ({ clause, scripts, why }: ClauseScripts): string => {
  const more = scripts.length > FEW ? ` and ${scripts.length - FEW} more` : '';
  return `${clause}: ${scripts.length > 0 ? `${scripts.length} (${scripts.slice(0, FEW).join(', ')}${more})` : `none. ${why ?? 'Nothing says why.'}`}`;
};

export const scriptsText = ({ recordings: files, counts, clauses }: ScriptsTable): string =>
  [
    ...clauses.map(line),
    '',
    `${counts.exercised} of ${counts.clauses} clauses (${percent(counts.exercised, counts.clauses)}) are exercised by scripts: ${files} recorded on real Xen, some of them stopped`,
    'wherever they can be, and those of 32-bit guests (pv32/), which no Xen could be asked for and model and executor agree on;',
    `${counts.excused} have none for a reason that is told; ${counts.bare} have none without one.`,
    '',
  ].join('\n');
