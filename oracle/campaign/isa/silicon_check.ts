/** The check of single instructions against the processor of this machine. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { rowsIn } from '../../generators/isa/rows.ts';
import { MODES, type Mode } from '../../image/instruction/case.ts';
import { type Silicon, siliconPeer } from '../../peers/silicon/silicon.ts';
import { rowsMatching } from './row_label.ts';
import { type Chunk, SiliconJudge } from './silicon_judge.ts';
import { mergeTallies, type RowTally } from './tally.ts';
import { whyNot } from './unfit.ts';
import { inWorkers } from './workers.ts';

/** A row in one mode; or the first of all selections of an opcode that are no instruction, with `rows` all of them. */
export type Unit = { readonly row: number; readonly mode: Mode; readonly rows: readonly number[] };

export type SiliconCheck = {
  /** The processor; null when it cannot be asked, and `unavailable` says why. */
  readonly processor: string | null;
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly rows: readonly RowTally[];
  /** Rows that are not tried here, and why. */
  readonly absent: readonly { readonly row: number; readonly mode: Mode; readonly why: string }[];
  readonly seconds: number;
};

export type SiliconOptions = {
  /** Each row gets these seeds; without them as many as make `cases` of all rows together. */
  readonly seeds?: { readonly first: number; readonly last: number };
  readonly cases?: number;
  /** Only rows whose label contains it. */
  readonly row?: string;
  readonly modes?: readonly Mode[];
  /** Told how many cases there will be. */
  readonly onStart?: (cases: number) => void;
  readonly onCases?: (cases: number) => void;
};

const keyOf = ({ row, mode }: Pick<Unit, 'row' | 'mode'>): string => `${row} ${mode}`;

type RowInMode = Pick<Unit, 'row' | 'mode'>;

/** Every row in each mode that has it, those whose label contains the text. */
const rowsOf = (modes: readonly Mode[], text?: string): readonly RowInMode[] => {
  const matching = new Set(rowsMatching(text));
  return modes.flatMap((mode) =>
    rowsIn(mode)
      .filter((row) => matching.has(row))
      .map((row) => ({ row, mode })),
  );
};

/** One unit for each row; one for all selections of an opcode that are no instruction. */
const together = (rows: readonly RowInMode[]): readonly Unit[] => {
  const units = new Map<string, RowInMode[]>();
  for (const each of rows) {
    const { mnemonic, map, opcode } = OPCODES[each.row];
    const key = mnemonic === 'invalid' ? `${each.mode} ${map} ${opcode}` : keyOf(each);
    units.set(key, [...(units.get(key) ?? []), each]);
  }
  return [...units.values()].map((members) => ({ ...members[0], rows: members.map(({ row }) => row) }));
};

/** What the silicon can be asked about, in these modes, by label. */
export const unitsOf = (silicon: Pick<Silicon, 'features'>, modes: readonly Mode[], text?: string): readonly Unit[] =>
  together(rowsOf(modes, text).filter((each) => whyNot(silicon, each) === null));

/** Cases judged at once: long enough that starting a process does not matter. */
const CHUNK = 2000;
/** Below so many cases threads cost more than they bring. */
const FEW = 20_000;

/** Stretches of seeds of one row or several, together CHUNK cases or a few more. */
function* batchesOf(units: readonly Unit[], first: number, last: number): Generator<readonly Chunk[]> {
  let batch: Chunk[] = [];
  let size = 0;
  for (const unit of units)
    for (let at = first; at <= last; at += CHUNK) {
      const count = Math.min(CHUNK, last - at + 1);
      batch.push({ ...unit, first: at, count });
      size += count;
      if (size < CHUNK) continue;
      yield batch;
      [batch, size] = [[], 0];
    }
  if (size > 0) yield batch;
}

/** The seeds of each unit: those asked for, or as many as make so many cases of all of them together. */
const seedsFor = ({ seeds, cases = 1 }: SiliconOptions, units: number): SiliconCheck['seeds'] =>
  seeds ?? { first: 1, last: Math.ceil(cases / Math.max(1, units)) };

export const checkSilicon = async (options: SiliconOptions): Promise<SiliconCheck> => {
  const { row, modes = MODES, onStart, onCases } = options;
  const started = performance.now();
  const silicon = siliconPeer();
  if (!silicon.available)
    return { processor: null, unavailable: silicon.why, seeds: seedsFor(options, 1), rows: [], absent: [], seconds: 0 };
  const units = unitsOf(silicon, modes, row);
  const seeds = seedsFor(options, units.length);
  const { first, last } = seeds;
  onStart?.(units.length * (last - first + 1));
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
    absent: rowsOf(modes, row).flatMap((each) => {
      const why = whyNot(silicon, each);
      return why === null ? [] : [{ ...each, why }];
    }),
    seconds: (performance.now() - started) / 1000,
  };
};
