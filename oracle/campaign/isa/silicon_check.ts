/** The check of single instructions against the processor of this machine. */
import { siliconPeer } from '../../peers/silicon/silicon.ts';
import { rowsMatching } from './row_label.ts';
import { type Chunk, hostHas, SiliconJudge } from './silicon_judge.ts';
import { mergeTallies, type RowTally } from './tally.ts';
import { inWorkers } from './workers.ts';

export type SiliconCheck = {
  /** The processor; null when it cannot be asked, and `unavailable` says why. */
  readonly processor: string | null;
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly rows: readonly RowTally[];
  /** Rows that this processor does not have, with the feature that it lacks. */
  readonly absent: readonly number[];
  readonly seconds: number;
};

export type SiliconOptions = {
  /** Each row gets these seeds. */
  readonly first: number;
  readonly last: number;
  /** Only rows whose label contains it. */
  readonly row?: string;
  readonly onCases?: (cases: number) => void;
};

/** Cases judged at once: long enough that starting a process does not matter. */
const CHUNK = 2000;
/** Below so many cases threads cost more than they bring. */
const FEW = 20_000;

function* chunksOf(rows: readonly number[], first: number, last: number): Generator<Chunk> {
  for (const row of rows) for (let at = first; at <= last; at += CHUNK) yield { row, first: at, count: Math.min(CHUNK, last - at + 1) };
}

export const checkSilicon = async ({ first, last, row, onCases }: SiliconOptions): Promise<SiliconCheck> => {
  const started = performance.now();
  const seeds = { first, last };
  const silicon = siliconPeer();
  if (!silicon.available) return { processor: null, unavailable: silicon.why, seeds, rows: [], absent: [], seconds: 0 };
  const wanted = rowsMatching(row);
  const rows = wanted.filter((each) => hostHas(silicon, each));
  const tallies = new Map<number, RowTally>();
  const done = (tally: RowTally): void => {
    const before = tallies.get(tally.row);
    tallies.set(tally.row, before === undefined ? tally : mergeTallies(before, tally));
    onCases?.(tally.cases);
  };
  const chunks = chunksOf(rows, first, last);
  if (rows.length * (last - first + 1) > FEW) await inWorkers('silicon_worker', chunks, done);
  else {
    const judge = new SiliconJudge(silicon);
    for (const chunk of chunks) done(await judge.judge(chunk));
  }
  return {
    processor: silicon.version,
    unavailable: null,
    seeds,
    rows: rows.map((each) => tallies.get(each)).filter((tally) => tally !== undefined),
    absent: wanted.filter((each) => !hostHas(silicon, each)),
    seconds: (performance.now() - started) / 1000,
  };
};
