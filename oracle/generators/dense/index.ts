/** Programs that spend their time in Xen: tables of calls, and thousands of draws from each. */
import fc from 'fast-check';
import type { Call, Program, Step } from '#spec/program.ts';
import { type DomainKind, isAnswered } from '../operations/index.ts';
import { Random } from '../random.ts';
import { Generation } from '../state.ts';
import { descriptorTables } from './descriptors.ts';
import { fifo } from './fifo.ts';
import { full } from './full.ts';
import { grants } from './grants.ts';
import { LISTED } from './listed.ts';
import { management } from './management.ts';
import { madePortable } from './portable.ts';
import { ports } from './ports.ts';
import { reservations } from './reservation.ts';
import { tableTree } from './table_tree.ts';
import type { Theme } from './theme.ts';

export const THEMES: readonly Theme[] = [tableTree, descriptorTables, reservations, ports, fifo, grants, full, management, ...LISTED];

export type DenseOptions = {
  /** Draws of a program, about. */
  readonly draws: number;
  /** Whether every machine gives the same answers, whichever frames it hands out. */
  readonly portable: boolean;
  /** As whom a program of one domain is to run; null: of each four programs one has two domains, and domain 1 makes the calls. */
  readonly alone: DomainKind | null;
  /** Whether a list has multicalls of its own, whose entries nobody puts back when a call inside has stopped. */
  readonly multicalls: boolean;
};
const DEFAULTS: DenseOptions = { draws: 4000, portable: false, alone: null, multicalls: true };

/**
 * Frames that are handed out are the machine's choice; to fill a table of ports takes an emulated processor longer than a peer waits; and what domain 0
 * does to the machine stays done for all programs behind.
 */
const PORTABLE = THEMES.filter((theme) => theme !== reservations && theme !== full && theme !== management);

/** Multicalls that are made up of a table's calls: most tables have some. */
const BATCHES = [0, 1, 2, 3];

/** Calls of one table. */
const LEAST_CALLS = 8;
const MOST_CALLS = 80;

const multicall = (calls: readonly Call[]): Call => ({ call: 'multicall', args: [{ calls: [...calls] }, calls.length] });

const callsOf = (g: Generation, theme: Theme, caller: DomainKind, multicalls: boolean): readonly Call[] => {
  const { r } = g;
  const one = (): readonly Call[] => {
    const made = theme.call(g, caller);
    return made ? [made] : [];
  };
  const calls = r.list(LEAST_CALLS, MOST_CALLS, one).flat();
  if (calls.length > 0 && r.one(3) && multicalls) calls.push(multicall(r.list(1, 6, one).flat()));
  return calls;
};

/** What stands between two tables: looks that print nothing of where things are. */
const between = ({ r }: Generation, step: Generation['step']): readonly Step[] =>
  r.one(3)
    ? [step({ do: 'events' } as never)]
    : r.one(3)
      ? [step({ do: 'upcalls', on: true } as never), step({ do: 'upcalls', on: false } as never)]
      : [];

const generate = (source: fc.Random, two: boolean, { draws, portable, alone, multicalls }: DenseOptions): Program => {
  const r = new Random(source);
  const g = new Generation(r, two ? 2 : 1);
  g.domain = two ? 1 : 0;
  const caller: DomainKind = alone ?? (two ? 'pv64_domU' : 'pv64_dom0');
  const themes = (portable ? PORTABLE : THEMES).filter(
    ({ needs, only = caller }) => only === caller && needs.every((row) => isAnswered(row, caller)),
  );
  const steps: Step[] = [];
  const tables = r.int(2, 4);
  const step = g.step.bind(g);
  for (let i = 0; i < tables; i++) {
    const theme = r.weighted(themes);
    const before = theme.prepare(g);
    const calls = callsOf(g, theme, caller, multicalls);
    if (calls.length === 0) continue;
    steps.push(
      ...before,
      step({ do: 'calls', calls, draws: Math.ceil(draws / tables), seed: r.int(0, 0x7fffffff), batches: r.pick(BATCHES) } as never),
      ...between(g, step),
    );
  }
  return { steps: portable ? madePortable(steps) : steps };
};

class DenseArbitrary extends fc.Arbitrary<Program> {
  private readonly make: (source: fc.Random) => Program;

  constructor(make: (source: fc.Random) => Program) {
    super();
    this.make = make;
  }

  override generate(source: fc.Random): fc.Value<Program> {
    return new fc.Value(this.make(source), undefined);
  }

  override canShrinkWithoutContext(_: unknown): _ is Program {
    return false;
  }

  override shrink(): fc.Stream<fc.Value<Program>> {
    return fc.Stream.nil();
  }
}

/** The dense program of a seed; of each four one is made by domain 1, which is no control domain. */
export const denseProgram = (seed: number, options: Partial<DenseOptions> = {}): Program => {
  const all = { ...DEFAULTS, ...options };
  const [program] = fc.sample(new DenseArbitrary((source) => generate(source, all.alone === null && seed % 4 === 3, all)), {
    seed,
    numRuns: 1,
  });
  return program as Program;
};
