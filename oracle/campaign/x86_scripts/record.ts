/**
 * Makes the scripts of the processor and of the machine without Xen whole: those that are there are asked about again, and clauses of their families that
 * none meets get one, drawn from seeds.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLAUSES } from '#spec/clauses.ts';
import { type InstructionScript, printX86Script, type SystemScript, type X86Script } from '#traces/conformance_x86.ts';
import { siliconPeer } from '../../peers/silicon/silicon.ts';
import { whyWithoutScript } from '../clauses_without_script.ts';
import { X86_FAMILIES, X86Machines } from './carry_out.ts';
import { type Drawn, drawInstructions, drawSystem, emptyCases } from './draw.ts';
import { type Answered, askEmulators, askProcessor, isRefused } from './judges.ts';
import { listingOf } from './listing.ts';
import { CONFORMANCE_FOLDER, readX86Scripts } from './scripts.ts';

export type RecordedX86 = {
  readonly scripts: readonly {
    readonly name: string;
    readonly clauses: number;
    readonly judges: string;
    readonly refused: string | null;
  }[];
  /** Clauses that have neither script nor reason. */
  readonly missing: readonly string[];
};

export type RecordX86Options = {
  /** Seeds of cases for clauses without a script: of bare images, and, a hundredth of them, of every row. */
  readonly seeds: { readonly first: number; readonly last: number };
  readonly folder?: string;
  /** Clauses that other scripts meet. */
  readonly elsewhere?: ReadonlySet<string>;
  readonly onProgress?: (what: string) => void;
};

/** Seeds of bare images for one of instructions, of which a seed makes thousands. */
const SEEDS_A_ROUND = 100;

/** `x86/x87_summary` of a clause: which folder, which file. */
export const nameFor = (clause: string): string => {
  const [family, rest] = clause.split('/') as [string, string];
  return family === 'x86' || family === 'bare' ? clause : `${family === 'fp' ? 'x86' : 'bare'}/${family}-${rest}`;
};

export const recordX86Scripts = async ({
  seeds,
  folder = CONFORMANCE_FOLDER,
  elsewhere = new Set(),
  onProgress = () => {},
}: RecordX86Options): Promise<RecordedX86> => {
  const machines = await X86Machines.load();
  const silicon = siliconPeer();
  const rows: RecordedX86['scripts'][number][] = [];
  const met = new Set<string>(elsewhere);
  const write = async (name: string, answered: Answered<X86Script>): Promise<boolean> => {
    if (isRefused(answered)) return false;
    const whole = { ...answered, listing: [...(await listingOf(answered))] };
    const path = join(folder, `${name}.json`);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, printX86Script(whole));
    for (const clause of whole.clauses) met.add(clause);
    rows.push({ name, clauses: whole.clauses.length, judges: whole.judges.map((judge) => judge.name).join(', '), refused: null });
    return true;
  };
  const ask = async (scripts: readonly X86Script[]): Promise<readonly Answered<X86Script>[]> => {
    const system = scripts.filter((script): script is SystemScript => script.kind === 'system');
    const instruction = scripts.filter((script): script is InstructionScript => script.kind === 'instruction');
    const answers = new Map<X86Script, Answered<X86Script>>();
    for (const [i, answered] of (await askEmulators(machines, system)).entries()) answers.set(system[i]!, answered);
    const answered = silicon.available
      ? await askProcessor(machines, instruction, silicon)
      : instruction.map(() => ({ why: `silicon: ${silicon.why}` }));
    for (const [i, one] of answered.entries()) answers.set(instruction[i]!, one);
    return scripts.map((script) => answers.get(script)!);
  };

  const known = readX86Scripts(folder);
  onProgress(`${known.length} scripts`);
  for (const [i, answered] of (await ask(known.map(({ script }) => script))).entries()) {
    const { name, script } = known[i]!;
    if (await write(name, answered)) continue;
    // It stays as it is: another processor, or an emulator that is not installed, is no reason to lose it.
    if (script.expected !== null) for (const clause of script.clauses) met.add(clause);
    rows.push({ name, clauses: script.clauses.length, judges: '', refused: isRefused(answered) ? answered.why : null });
  }

  /** Those that still want a script of their own name. */
  const open = (): readonly string[] =>
    Object.keys(CLAUSES).filter(
      (clause) => X86_FAMILIES.includes(clause.split('/')[0]!) && !met.has(clause) && whyWithoutScript(clause as never) === null,
    );
  /** Of each clause the first candidate that a judge takes, made smaller where judges go along. */
  const take = async (drawn: readonly Drawn<X86Script>[]): Promise<void> => {
    onProgress(`${drawn.length} candidates`);
    const shows = (clause: string, answered: Answered<X86Script>): boolean => !isRefused(answered) && answered.clauses.includes(clause);
    const answers = await ask(drawn.map(({ script }) => script));
    const chosen = [...new Set(drawn.map(({ clause }) => clause))].flatMap((clause) => {
      const at = drawn.findIndex((one, i) => one.clause === clause && shows(clause, answers[i]!));
      return at < 0 ? [] : [{ clause, whole: answers[at]!, smaller: drawn[at]!.smaller }];
    });
    onProgress(`${chosen.length} are made smaller`);
    const smaller: X86Script[] = [];
    for (const one of chosen) smaller.push(await one.smaller());
    for (const [i, answered] of (await ask(smaller)).entries()) {
      const { clause, whole } = chosen[i]!;
      await write(nameFor(clause), shows(clause, answered) ? answered : whole);
    }
  };

  const start = open();
  if (start.length > 0 && silicon.available) {
    const few = { first: seeds.first, last: seeds.first + Math.ceil((seeds.last - seeds.first) / SEEDS_A_ROUND) };
    await take(await drawInstructions(machines, silicon, start, few, () => {}));
  }
  const left = open();
  if (left.length > 0) {
    let tried = 0;
    await take(
      await drawSystem(machines, left, seeds, (count) => {
        tried += count;
        if (tried % 1000 < count) onProgress(`${tried} cases drawn`);
      }),
    );
  }
  const last = open();
  if (last.length > 0) await take(await emptyCases(machines, last));
  return { scripts: rows, missing: open() };
};
