/** The check of single instructions against the processor of this machine. */
import { rowsIn } from '../../generators/isa/rows.ts';
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

const ROWS = rowsIn('64');

/** Cases judged at once: long enough that starting a process does not matter. */
const CHUNK = 2000;
/** Below so many cases threads cost more than they bring. */
const FEW = 20_000;

/** Stretches of seeds of one row or several, together CHUNK cases or a few more. */
function* batchesOf(rows: readonly number[], first: number, last: number): Generator<readonly Chunk[]> {
  let batch: Chunk[] = [];
  let size = 0;
  for (const row of rows)
    for (let at = first; at <= last; at += CHUNK) {
      const count = Math.min(CHUNK, last - at + 1);
      batch.push({ row, first: at, count });
      size += count;
      if (size < CHUNK) continue;
      yield batch;
      [batch, size] = [[], 0];
    }
  if (size > 0) yield batch;
}

export const checkSilicon = async ({ first, last, row, onCases }: SiliconOptions): Promise<SiliconCheck> => {
  const started = performance.now();
  const seeds = { first, last };
  const silicon = siliconPeer();
  if (!silicon.available) return { processor: null, unavailable: silicon.why, seeds, rows: [], absent: [], seconds: 0 };
  const wanted = rowsMatching(row).filter((each) => ROWS.includes(each));
  const rows = wanted.filter((each) => hostHas(silicon, each));
  const tallies = new Map<number, RowTally>();
  const done = (answer: readonly RowTally[]): void => {
    for (const tally of answer) {
      const before = tallies.get(tally.row);
      tallies.set(tally.row, before === undefined ? tally : mergeTallies(before, tally));
      onCases?.(tally.cases);
    }
  };
  const batches = batchesOf(rows, first, last);
  if (rows.length * (last - first + 1) > FEW) await inWorkers('silicon_worker', batches, done);
  else {
    const judge = new SiliconJudge(silicon);
    for (const batch of batches) done(await judge.judge(batch));
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
