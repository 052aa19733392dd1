/** Draws cases from seeds until clauses are met: what the model cites decides, before any judge is asked. */
import { barePc } from '#spec/machines/bare_pc.ts';
import { type InstructionScript, type SystemScript, X86_FORMAT, X86_VERSION, type X86Script } from '#traces/conformance_x86.ts';
import { instructionCase } from '../../generators/isa/instruction_case.ts';
import { MODE_RINGS } from '../../generators/system/places.ts';
import { systemCase } from '../../generators/system/system_case.ts';
import { isLong, type SystemCase } from '../../image/bare/case.ts';
import { buildPayload } from '../../image/bare/image.ts';
import { RECORD_MARK } from '../../image/bare/layout.ts';
import { multibootElf } from '../../image/bare/multiboot.ts';
import { type InstructionCase, MODES } from '../../image/instruction/case.ts';
import type { Silicon } from '../../peers/silicon/silicon.ts';
import { unitsOf } from '../isa/silicon_check.ts';
import { advance, debugconOf, latin1, loadBare } from '../system/engines.ts';
import type { X86Machines } from './carry_out.ts';
import { instructionText } from './instruction_case.ts';
import { smallerInstruction, smallerSystem } from './smaller.ts';
import { rowNamed, systemText } from './system_case.ts';

/** Candidates for each clause: a judge may refuse one. */
const CANDIDATES = 3;

type Seeds = { readonly first: number; readonly last: number };
/** A case for a clause; `smaller` leaves away what it does not need for it. */
export type Drawn<S> = { readonly clause: string; readonly script: S; readonly smaller: () => Promise<S> };
type Head = Pick<X86Script, 'format' | 'version' | 'clauses' | 'judges' | 'listing'> & { readonly expected: null };
const head = (): Head => ({ format: X86_FORMAT, version: X86_VERSION, clauses: [], judges: [], listing: [], expected: null });

/** Which clauses still want candidates. */
class Wanted {
  private readonly left: Map<string, number>;
  constructor(clauses: readonly string[]) {
    this.left = new Map(clauses.map((clause) => [clause, CANDIDATES]));
  }
  /** Those of `cited` that want this case. */
  among(cited: readonly string[]): readonly string[] {
    return cited.filter((clause) => (this.left.get(clause) ?? 0) > 0);
  }
  take(clause: string): void {
    this.left.set(clause, this.left.get(clause)! - 1);
  }
  get done(): boolean {
    return [...this.left.values()].every((count) => count === 0);
  }
}

/** One instruction each, of every row that the processor can be asked about, seed after seed. */
export const drawInstructions = async (
  machines: X86Machines,
  silicon: Silicon,
  clauses: readonly string[],
  { first, last }: Seeds,
  onSeed: () => void,
): Promise<readonly Drawn<InstructionScript>[]> => {
  const wanted = new Wanted(clauses);
  const drawn: Drawn<InstructionScript>[] = [];
  const units = unitsOf(silicon, MODES);
  for (let seed = first; seed <= last && !wanted.done; seed++, onSeed())
    for (const { rows, mode } of units) {
      const c = instructionCase(rows[seed % rows.length]!, seed, mode);
      for (const clause of wanted.among(machines.instruction('model', c).clauses)) {
        wanted.take(clause);
        const end = machines.instruction('model', c).answer.end;
        const script: InstructionScript = {
          ...head(),
          kind: 'instruction',
          title: titleOf(clause, c.form),
          seed,
          case: instructionText(c),
        };
        const shows = async (candidate: InstructionCase): Promise<boolean> => {
          const { answer, clauses: cited } = machines.instruction('model', candidate);
          return answer.end === end && cited.includes(clause);
        };
        drawn.push({ clause, script, smaller: async () => ({ ...script, case: instructionText(await smallerInstruction(c, shows)) }) });
      }
    }
  return drawn;
};

const titleOf = (clause: string, what: string): string => `${clause.split('/')[1]!.replace(/[-_]/g, ' ')}: ${what}`;

/** Cases in one image, and steps between two looks: how near a clause is placed to its case. */
const TOGETHER = 40;
const LOOK = 400;
const MOST_STEPS = 60_000;

/** What the model cites case by case, about: a look may span two of them. */
const citedNear = async (cases: readonly SystemCase[]): Promise<readonly (readonly string[])[]> => {
  const boot = await loadBare('model');
  const cited: string[][] = [];
  while (cited.length < cases.length) {
    const left = cases.slice(cited.length);
    const machine = boot(barePc(), multibootElf(buildPayload(left)));
    let [here, quiet] = [new Set<string>(), 0];
    let ended = false;
    while (!ended && quiet < MOST_STEPS) {
      const { events, stopped } = advance(machine, LOOK, (clauses) => {
        for (const clause of clauses) here.add(clause);
      });
      const records = marks(latin1(debugconOf(events)));
      quiet = records > 0 ? 0 : quiet + LOOK;
      for (let n = 0; n < records; n++) {
        cited.push([...here]);
        if (n === records - 1) here = new Set();
      }
      ended = stopped !== null;
    }
    // The case that took the machine away, if any was left.
    if (cited.length < cases.length) cited.push([...here]);
  }
  return cited;
};

const marks = (bytes: Uint8Array): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found = 0;
  for (let at = 0; at + 4 <= bytes.length; at++) if (view.getUint32(at, true) === RECORD_MARK) found++;
  return found;
};

/** Cases of bare images, seed after seed. */
export const drawSystem = async (
  machines: X86Machines,
  clauses: readonly string[],
  { first, last }: Seeds,
  onSeed: (count: number) => void,
): Promise<readonly Drawn<SystemScript>[]> => {
  const wanted = new Wanted(clauses);
  const drawn: Drawn<SystemScript>[] = [];
  for (let at = first; at <= last && !wanted.done; at += TOGETHER) {
    const seeds = Array.from({ length: Math.min(TOGETHER, last - at + 1) }, (_, i) => at + i);
    const cases = seeds.map(systemCase);
    for (const [i, near] of (await citedNear(cases)).entries()) {
      if (i >= cases.length || wanted.among(near).length === 0) continue;
      const c = cases[i]!;
      const { answer, clauses: cited } = await machines.system('model', c);
      for (const clause of wanted.among(cited)) {
        wanted.take(clause);
        const script: SystemScript = { ...head(), kind: 'system', title: titleOf(clause, c.note), seed: seeds[i]!, case: systemText(c) };
        const shows = async (candidate: SystemCase): Promise<boolean> => {
          const now = await machines.system('model', candidate);
          return now.answer.kind === answer.kind && now.clauses.includes(clause);
        };
        drawn.push({ clause, script, smaller: async () => ({ ...script, case: systemText(await smallerSystem(c, shows)) }) });
      }
    }
    onSeed(seeds.length);
  }
  return drawn;
};

/** What the image itself comes to wherever it begins a case: no code at all. */
export const emptyCases = async (machines: X86Machines, clauses: readonly string[]): Promise<readonly Drawn<SystemScript>[]> => {
  const wanted = new Wanted(clauses);
  const drawn: Drawn<SystemScript>[] = [];
  for (const { mode, ring } of MODE_RINGS) {
    const paging = isLong(mode) ? '4level' : 'none';
    const c: SystemCase = { row: rowNamed('0F 0B ud2'), note: 'nothing', mode, ring, paging, code: [] };
    const { clauses: cited } = await machines.system('model', c);
    for (const clause of wanted.among(cited)) {
      wanted.take(clause);
      const title = titleOf(clause, `no code but UD2, ${mode} ring ${ring}`);
      const script: SystemScript = { ...head(), kind: 'system', title, seed: null, case: systemText(c) };
      drawn.push({ clause, script, smaller: async () => script });
    }
  }
  return drawn;
};
