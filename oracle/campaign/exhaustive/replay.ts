/** The way to what does not hold, as a program on both machines: whether the invariants of spec/properties hold there, and whether they agree. */
import { NotModelled } from '#spec/failure.ts';
import type { Program } from '#spec/program.ts';
import { viewOf, violations } from '#spec/properties/index.ts';
import { caseOf } from '../case.ts';
import { ENGINES, loadEngine } from '../engines.ts';
import { DEFAULT_POLICY } from '../environment.ts';
import { judge } from '../judge.ts';
import { runEngine } from '../run.ts';

export type Replayed = { readonly model: string; readonly executor: string; readonly together: string };

const LIMIT = 2_000_000;

const holdsOn = async (name: (typeof ENGINES)[number], program: Program): Promise<string> => {
  const { config, images } = caseOf(program, 0);
  const engine = (await loadEngine(name))(config, images);
  let first: string | null = null;
  const look = (): void => {
    for (const { invariant, what } of violations(viewOf(config, engine))) first ??= `${invariant}: ${what}`;
  };
  try {
    runEngine(engine, { policy: DEFAULT_POLICY, limit: LIMIT, onInput: look });
  } catch (error) {
    if (error instanceof NotModelled) throw error;
    return first ?? String(error);
  }
  return first ?? 'the invariants hold';
};

export const replay = async (program: Program): Promise<Replayed> => {
  const [reference, subject] = await Promise.all(ENGINES.map(loadEngine));
  const judged = judge({ reference: reference!, subject: subject! }, caseOf(program, 0), { shrink: false, watch: false });
  const parted = judged.agree ? 'they agree' : 'they part';
  return { model: await holdsOn('model', program), executor: await holdsOn('executor', program), together: parted };
};
