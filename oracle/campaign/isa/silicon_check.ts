/** The check of single instructions against the processor of this machine. */
import { rowsIn } from '../../generators/isa/rows.ts';
import { MODES, type Mode } from '../../image/instruction/case.ts';
import { siliconPeer } from '../../peers/silicon/silicon.ts';
import { rowsMatching } from './row_label.ts';
import { type Chunk, SiliconJudge } from './silicon_judge.ts';
import { mergeTallies, type RowTally } from './tally.ts';
import { whyNot } from './unfit.ts';
import { inWorkers } from './workers.ts';

/** A row in one mode. */
export type Unit = { readonly row: number; readonly mode: Mode };

export type SiliconCheck = {
  /** The processor; null when it cannot be asked, and `unavailable` says why. */
  readonly processor: string | null;
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly rows: readonly RowTally[];
  /** Rows that are not tried here, and why. */
  readonly absent: readonly (Unit & { readonly why: string })[];
  readonly seconds: number;
};

export type SiliconOptions = {
  /** Each row gets these seeds. */
  readonly first: number;
  readonly last: number;
  /** Only rows whose label contains it. */
  readonly row?: string;
  readonly modes?: readonly Mode[];
  readonly onCases?: (cases: number) => void;
};

const keyOf = ({ row, mode }: Unit): string => `${row} ${mode}`;

/** Every row in each mode that has it, those whose label contains the text. */
export const unitsOf = (modes: readonly Mode[], text?: string): readonly Unit[] => {
  const matching = new Set(rowsMatching(text));
  return modes.flatMap((mode) =>
    rowsIn(mode)
      .filter((row) => matching.has(row))
      .map((row) => ({ row, mode })),
  );
};

/** Cases judged at once: long enough that starting a process does not matter. */
const CHUNK = 2000;
/** Below so many cases threads cost more than they bring. */
const FEW = 20_000;

/** Stretches of seeds of one row or several, together CHUNK cases or a few more. */
function* batchesOf(units: readonly Unit[], first: number, last: number): Generator<readonly Chunk[]> {
  let batch: Chunk[] = [];
  let size = 0;
  for (const { row, mode } of units)
    for (let at = first; at <= last; at += CHUNK) {
      const count = Math.min(CHUNK, last - at + 1);
      batch.push({ row, mode, first: at, count });
      size += count;
      if (size < CHUNK) continue;
      yield batch;
      [batch, size] = [[], 0];
    }
  if (size > 0) yield batch;
}

export const checkSilicon = async ({ first, last, row, modes = MODES, onCases }: SiliconOptions): Promise<SiliconCheck> => {
  const started = performance.now();
  const seeds = { first, last };
  const silicon = siliconPeer();
  if (!silicon.available) return { processor: null, unavailable: silicon.why, seeds, rows: [], absent: [], seconds: 0 };
  const wanted = unitsOf(modes, row);
  const units = wanted.filter((unit) => whyNot(silicon, unit) === null);
  const tallies = new Map<string, RowTally>();
  const done = (answer: readonly RowTally[]): void => {
    for (const tally of answer) {
      const before = tallies.get(keyOf(tally));
      tallies.set(keyOf(tally), before === undefined ? tally : mergeTallies(before, tally));
      onCases?.(tally.cases);
    }
  };
  const batches = batchesOf(units, first, last);
  if (units.length * (last - first + 1) > FEW) await inWorkers('silicon_worker', batches, done);
  else {
    const judge = new SiliconJudge(silicon);
    for (const batch of batches) done(await judge.judge(batch));
  }
  return {
    processor: silicon.version,
    unavailable: null,
    seeds,
    rows: units.map((unit) => tallies.get(keyOf(unit))).filter((tally) => tally !== undefined),
    absent: wanted.flatMap((unit) => {
      const why = whyNot(silicon, unit);
      return why === null ? [] : [{ ...unit, why }];
    }),
    seconds: (performance.now() - started) / 1000,
  };
};
