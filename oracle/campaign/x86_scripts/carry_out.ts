/** What an engine makes of such a script: the answer, held against the recorded one, and what the model cites. */
import type { BootBare } from '#spec/bare/machine.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { CPUID_BARE_PC } from '#spec/machines/bare_pc.ts';
import type { InstructionAnswer, SystemScript, X86Script } from '#traces/conformance_x86.ts';
import type { SystemCase } from '../../image/bare/case.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import { difference } from '../isa/compare.ts';
import { ExecutorRunner } from '../isa/executor_runner.ts';
import { maskOf } from '../isa/mask.ts';
import { runOnModel } from '../isa/model_runner.ts';
import { type EngineResult, prepare } from '../isa/window_state.ts';
import { outcomeDifferences } from '../system/compare.ts';
import { engineRunner, loadBare } from '../system/engines.ts';
import { type Outcome, runCases } from '../system/runner.ts';
import { instructionCaseOf, siliconResultOf } from './instruction_case.ts';
import { rowNamed, systemCaseOf, systemOutcome } from './system_case.ts';

/** Families of the clauses that these scripts are about. */
export const X86_FAMILIES: readonly string[] = ['x86', 'fp', 'bare', 'device'];
const ours = (clauses: Iterable<string>): readonly string[] =>
  [...new Set(clauses)].filter((clause) => X86_FAMILIES.includes(clause.split('/')[0]!)).sort();

export type Cited<T> = { readonly answer: T; readonly clauses: readonly string[] };

/** Both engines, ready to carry scripts out. */
export class X86Machines {
  private readonly bare: Readonly<Record<EngineName, BootBare>>;
  private readonly executor = new ExecutorRunner(CPUID_BARE_PC);
  private readonly empty = new Map<string, Promise<readonly string[]>>();

  private constructor(bare: Readonly<Record<EngineName, BootBare>>) {
    this.bare = bare;
  }

  static async load(): Promise<X86Machines> {
    const [model, executor] = await Promise.all(ENGINES.map((name) => loadBare(name)));
    return new X86Machines({ model: model!, executor: executor! });
  }

  /** A case in an image of its own, with everything that the model cited from the start to the end. */
  private async whole(engine: EngineName, c: SystemCase): Promise<Cited<Outcome>> {
    const cited: string[] = [];
    const runner = engineRunner(engine, this.bare[engine], (clauses) => cited.push(...clauses));
    const [answer] = await runCases(runner, [c]);
    return { answer: answer!, clauses: ours(cited) };
  }

  /** What the image itself comes to in this place, without any code. */
  private emptyOf(engine: EngineName, { mode, ring, paging }: SystemCase): Promise<readonly string[]> {
    const key = `${engine} ${mode} ${ring} ${paging}`;
    const known = this.empty.get(key);
    if (known !== undefined) return known;
    const found = this.whole(engine, { row: rowNamed(NO_OPERATION), note: 'nothing', mode, ring, paging, code: [] }).then(
      ({ clauses }) => clauses,
    );
    this.empty.set(key, found);
    return found;
  }

  /** Its clauses: those that it cites beyond what an empty case does; an empty one's are all of them. */
  async system(engine: EngineName, c: SystemCase): Promise<Cited<Outcome>> {
    const { answer, clauses } = await this.whole(engine, c);
    if (c.code.length === 0) return { answer, clauses };
    const known = await this.emptyOf(engine, c);
    return { answer, clauses: clauses.filter((clause) => !known.includes(clause)) };
  }

  instruction(engine: EngineName, c: InstructionCase): Cited<EngineResult> {
    const cited: string[] = [];
    const prepared = prepare(c);
    const answer =
      engine === 'model' ? runOnModel(prepared, CPUID_BARE_PC, (clauses) => cited.push(...clauses)) : this.executor.run(prepared);
    return { answer, clauses: ours(cited) };
  }

  /** How the engine differs from the recorded answer, empty when it does not; and what it cites. Throws BadInput for a script of no known row. */
  async carryOut(engine: EngineName, script: X86Script): Promise<Cited<readonly string[]>> {
    if (script.kind === 'system') {
      const { answer, clauses } = await this.system(engine, systemCaseOf(script.case, script.title));
      if (script.expected === null) return { answer: ['it was not recorded yet'], clauses };
      return { answer: outcomeDifferences(answer, systemOutcome(script.expected)), clauses };
    }
    const c = instructionCaseOf(script.case, script.seed);
    const { answer, clauses } = this.instruction(engine, c);
    return { answer: script.expected === null ? ['it was not recorded yet'] : differencesOf(c, script.expected, answer), clauses };
  }

  /** All of them on both engines. The executor, whose clauses nobody asks for, has the drawn ones of bare images in one image. */
  async carryOutAll(scripts: readonly X86Script[]): Promise<readonly CarriedX86[]> {
    const shared = scripts.filter((script): script is SystemScript => script.kind === 'system' && script.seed !== null);
    const runner = engineRunner('executor', this.bare.executor);
    const outcomes = await runCases(
      runner,
      shared.map((script) => systemCaseOf(script.case, script.title)),
    );
    const found: CarriedX86[] = [];
    for (const script of scripts) {
      const { answer: model, clauses } = await this.carryOut('model', script);
      const place = shared.indexOf(script as SystemScript);
      const expected = place < 0 ? null : shared[place]!.expected;
      const executor =
        expected === null
          ? (await this.carryOut('executor', script)).answer
          : outcomeDifferences(outcomes[place]!, systemOutcome(expected));
      found.push({ model, executor, clauses });
    }
    return found;
  }
}

/** How each engine differs from the recorded answer, and what the model cites. */
export type CarriedX86 = { readonly model: readonly string[]; readonly executor: readonly string[]; readonly clauses: readonly string[] };

const NO_OPERATION = '0F 1F nop Ev';

/** What the architecture leaves undefined counts for nothing. */
export const differencesOf = (c: InstructionCase, expected: InstructionAnswer, answer: EngineResult): readonly string[] => {
  const silicon = siliconResultOf(expected);
  const mask = silicon.end === 'fault' ? { flags: 0, letters: '', destination: false } : maskOf(c, (silicon.flags & RFLAGS.ZF) !== 0);
  const found = difference(c, silicon, answer, mask);
  return found === null ? [] : [found];
};
