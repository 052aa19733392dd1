/** Cases of a row on silicon, model and executor. */

import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import type { InstructionCase, Mode } from '../../image/instruction/case.ts';
import type { SiliconResult } from '../../peers/silicon/format.ts';
import type { Silicon } from '../../peers/silicon/silicon.ts';
import { difference } from './compare.ts';
import { ExecutorRunner } from './executor_runner.ts';
import { EXPLANATIONS, HELPER_REACHED, reachesHelper } from './explained.ts';
import { type Mask, maskOf } from './mask.ts';
import { runOnModel } from './model_runner.ts';
import type { Difference, RowTally } from './tally.ts';
import { vendorFinding } from './vendor.ts';
import { type EngineResult, prepare } from './window_state.ts';

/** A stretch of seeds of one unit: of `rows`, of which each seed has one. */
export type Chunk = {
  readonly row: number;
  readonly rows: readonly number[];
  readonly mode: Mode;
  readonly first: number;
  readonly count: number;
};

/** E.g. `executor: not modelled: instruction/fsin`. */
type NotModelledBy = { readonly notModelled: string };

const NOTHING_MASKED: Mask = { flags: 0, letters: '', destination: false };

/** A fault undefines nothing: it leaves everything as it was. */
const maskFor = (c: InstructionCase, silicon: SiliconResult): Mask =>
  silicon.end === 'fault' ? NOTHING_MASKED : maskOf(c, (silicon.flags & RFLAGS.ZF) !== 0);

export class SiliconJudge {
  private readonly silicon: Silicon;
  private readonly executor: ExecutorRunner;

  constructor(silicon: Silicon) {
    this.silicon = silicon;
    this.executor = new ExecutorRunner(silicon.cpuid);
  }

  /** All of them in one batch. */
  async judge(chunks: readonly Chunk[]): Promise<readonly RowTally[]> {
    const cases = chunks.map(({ rows, mode, first, count }) =>
      Array.from({ length: count }, (_, n) => instructionCase(rows[(first + n) % rows.length], first + n, mode)),
    );
    const results = await this.silicon.run(cases.flat());
    let at = 0;
    const tallies: RowTally[] = [];
    for (const [n, { row, mode, count }] of chunks.entries()) {
      tallies.push(await this.tally(row, mode, cases[n], results.slice(at, at + count)));
      at += count;
    }
    return tallies;
  }

  private async tally(
    row: number,
    mode: Mode,
    cases: readonly InstructionCase[],
    results: readonly (SiliconResult | null)[],
  ): Promise<RowTally> {
    const tally = {
      agreed: 0,
      differences: 0,
      explained: {} as Record<string, number>,
      masked: {} as Record<string, number>,
      notModelled: {} as Record<string, number>,
    };
    let found: Difference | null = null;
    for (const [n, c] of cases.entries()) {
      const { mask, judged } = await this.judgeCase(c, results[n]);
      for (const letter of [...mask.letters, ...(mask.destination ? ['result'] : [])])
        tally.masked[letter] = (tally.masked[letter] ?? 0) + 1;
      if (judged === null) tally.agreed++;
      else if (typeof judged !== 'string' && 'notModelled' in judged)
        tally.notModelled[judged.notModelled] = (tally.notModelled[judged.notModelled] ?? 0) + 1;
      else if (typeof judged === 'string') tally.explained[judged] = (tally.explained[judged] ?? 0) + 1;
      else {
        tally.differences++;
        found ??= judged;
      }
    }
    return { row, mode, cases: cases.length, ...tally, first: found };
  }

  /** A wild address may hit the helper's own memory, whose place differs from one process to the next: what differs is run again. */
  private async judgeCase(c: InstructionCase, first: SiliconResult | null) {
    const judge = (result: SiliconResult | null) => {
      const mask = result === null ? NOTHING_MASKED : maskFor(c, result);
      return { mask, judged: this.compare(c, result, mask) };
    };
    const once = judge(first);
    if (once.judged === null || typeof once.judged === 'string' || 'notModelled' in once.judged) return once;
    const [again] = await this.silicon.run([c]);
    return judge(again);
  }

  /** Null: agreed; a string: the finding that explains it. */
  private compare(c: InstructionCase, silicon: SiliconResult | null, mask: Mask): Difference | NotModelledBy | string | null {
    const place = { seed: c.seed, code: Buffer.from(c.code).toString('hex'), form: c.form };
    const prepared = prepare(c);
    const results: readonly (readonly ['model' | 'executor', EngineResult])[] = [
      ['model', runOnModel(prepared, this.silicon.cpuid)],
      ['executor', this.executor.run(prepared)],
    ];
    if (silicon === null) {
      if (results.every(([, result]) => reachesHelper(result))) return HELPER_REACHED;
      return { engine: 'silicon', ...place, what: 'the case ended the helper itself' };
    }
    let explained: string | null = null;
    let missing: NotModelledBy | null = null;
    for (const [engine, result] of results) {
      const what = difference(c, silicon, result, mask);
      if (result.end === 'not modelled') missing ??= { notModelled: `${engine}: ${result.what}` };
      if (what === null || result.end === 'not modelled') continue;
      const finding = EXPLANATIONS.find((e) => e.explains(c, silicon, result))?.finding ?? vendorFinding(this.silicon.vendor, c);
      if (finding === null) return { engine, ...place, what };
      explained = finding;
    }
    return missing ?? explained;
  }
}
