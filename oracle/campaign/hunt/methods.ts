/** Two ways to find a broken machine: beside the model, and by what must hold of any machine. Each says what is wrong, or null. */
import type { Boot, Report } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import { lockstep, type Pair } from '../../compare/lockstep.ts';
import { type Broken, faultOf, isNoteworthy, Watch } from '../../compare/watch.ts';
import { runEngine } from '../run.ts';
import type { Prey } from './subject.ts';

const STOP = 'not modelled: ';

/** What differs between the two. That one of them stops at what is not modelled says nothing. */
export const compared = (pair: Pair, { subject, policy, limit }: Prey): string | null => {
  const verdict = lockstep(pair, subject, { policy, limit, observeEvery: OBSERVE_EVERY });
  if (verdict.agree) return null;
  const { aspect, difference } = verdict.divergence;
  const [expected, seen] = [String(difference.expected), String(difference.seen)];
  if (aspect === 'ending' && expected.startsWith(STOP)) return null;
  return `${difference.path}: ${expected}, not ${seen}`;
};
/** Whole machines are compared after so many inputs; events after each. */
const OBSERVE_EVERY = 4;

/** Inputs from one look at the machine to the next. */
const LOOK_EVERY = 8;

class Violated extends Error {}

const told = ({ invariant, what }: Broken): string => `${invariant}: ${what}`;

/** The first property that does not hold, on the one machine alone; or what ended it. */
export const violated = (boot: Boot, { subject, policy, limit }: Prey): string | null => {
  const { config, images } = subject;
  let inputs = 0;
  try {
    const engine = boot({ ...config, lenient: true }, images);
    const watch = new Watch(config, engine);
    const look = (...reports: readonly Report[]): void => {
      const broken = watch.first(...reports);
      if (broken) throw new Violated(told(broken));
    };
    try {
      runEngine(engine, { policy, limit, onInput: (_, report) => (inputs++ % LOOK_EVERY === 0 || isNoteworthy(report)) && look(report) });
      look();
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      look();
    } finally {
      engine.dispose?.();
    }
  } catch (error) {
    if (error instanceof Violated) return error.message;
    const fault = faultOf(error);
    return fault && told(fault);
  }
  return null;
};
