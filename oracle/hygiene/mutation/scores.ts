/** What became of mutants, counted by directory. */

/** `status` in the words of Stryker's reports. */
export type Fate = { readonly fileName: string; readonly status: string };
export type Score = {
  readonly directory: string;
  readonly found: number;
  readonly survived: number;
  /** Set aside by a comment that says why. */
  readonly ignored: number;
  /** Percent of those that ran; null when none did. */
  readonly score: number | null;
};

/** A mutant that loops for ever was noticed as well as one that fails a test. */
const FOUND: ReadonlySet<string> = new Set(['Killed', 'Timeout']);
const SURVIVED: ReadonlySet<string> = new Set(['Survived', 'NoCoverage']);

const scoreOf = (directory: string, fates: readonly Fate[]): Score => {
  const having = (statuses: ReadonlySet<string>): number => fates.filter(({ status }) => statuses.has(status)).length;
  const [found, survived] = [having(FOUND), having(SURVIVED)];
  return {
    directory,
    found,
    survived,
    ignored: having(new Set(['Ignored'])),
    score: found + survived === 0 ? null : (100 * found) / (found + survived),
  };
};

const directoryOf = ({ fileName }: Fate): string => fileName.slice(0, Math.max(fileName.lastIndexOf('/'), 0));

/** One row for each directory, and one for all of them at the end. */
export const scores = (fates: readonly Fate[]): readonly Score[] => {
  const directories = [...new Set(fates.map(directoryOf))].sort();
  const own = (directory: string): readonly Fate[] => fates.filter((fate) => directoryOf(fate) === directory);
  return [...directories.map((directory) => scoreOf(directory, own(directory))), scoreOf('all', fates)];
};
