/** Crowds of domains in lockstep on model and executor, counted, and shrunk when the engines part. */
import type { MachineConfig } from '#spec/config.ts';
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { locate } from '../../compare/locate.ts';
import { type Divergence, lockstep, type Pair } from '../../compare/lockstep.ts';
import { shrinkProgram } from '../../generators/index.ts';
import { buildImages } from '../../image/index.ts';
import { DEFAULT_POLICY, type Policy } from '../environment.ts';
import { isWatched } from '../judge.ts';
import { type Crowd, drawCrowd } from './draw.ts';
import { disksOf, isFast, machineOf } from './machine.ts';

/** Calls of a domain, about; steps that a crowd may take. */
export const DRAWS = 400;
export const LIMIT = 2_000_000;

export type CrowdOptions = {
  readonly first: number;
  readonly programs: number;
  /** How many domains: a crowd has one of these numbers, in turn. */
  readonly domains: readonly number[];
  /** The reference when not given. */
  readonly release?: XenRelease;
  /** Hypercalls after which no further crowd starts. */
  readonly hypercalls?: number;
  readonly budgetMs?: number;
  readonly onCrowd?: (hypercalls: number) => void;
  /** Make the counterexample small (the default). */
  readonly shrink?: boolean;
};

export type CrowdCounterexample = { readonly crowd: Crowd; readonly divergence: Divergence; readonly config: MachineConfig };
export type CrowdResult = {
  readonly crowds: number;
  readonly hypercalls: number;
  /** Elements of batches. */
  readonly elements: number;
  readonly retired: number;
  readonly byDomains: ReadonlyMap<number, number>;
  /** Domains that ended before domain 0, by how. */
  readonly ends: ReadonlyMap<string, number>;
  readonly stops: ReadonlyMap<string, number>;
  readonly clauses: ReadonlySet<string>;
  readonly counterexample: CrowdCounterexample | null;
};

const empty: Program = { steps: [] };
/** The machine ends with domain 0. So that others have their time, it may have to go round for a while. */
const idle: Program = {
  steps: [
    {
      do: 'code',
      code: [
        { op: 'mov', args: ['ecx', 20_000] },
        { op: 'loop', args: [{ to: 1 }] },
      ],
    },
  ],
} as unknown as Program;
/** A crowd as images: a program for each domain, compiled as if it were alone, and RAM disks. */
export const subjectOf = ({ seed, release, programs }: Crowd): { config: MachineConfig; images: readonly Uint8Array[] } => {
  const images = programs.map((program) => buildImages(program.steps.length === 0 ? empty : program)[0]!);
  return { config: machineOf(seed, programs.length, release), images: [...images, ...disksOf(seed, programs.length)] };
};

const FAST_NS = 100_000;
/** Of so many rounds somebody types in one. */
const TYPED = 40;

/** Short turns, of whom a seed chooses. */
export const policyOf = ({ seed }: Crowd): Policy => ({
  ...DEFAULT_POLICY,
  slice: 40 + (seed % 7) * 60,
  seed,
  // Of some, long operations stop on the way.
  ...(seed % 4 === 0 ? { preempt: 3 } : {}),
  ...(seed % 5 === 3 ? { typed: TYPED } : {}),
  ...(isFast(seed) ? { nsPerStep: FAST_NS } : {}),
});

const lockstepOf = (pair: Pair, crowd: Crowd) =>
  lockstep(pair, subjectOf(crowd), { limit: LIMIT, policy: policyOf(crowd), observeEvery: 40, watch: isWatched(crowd.seed) });

const STOP = 'not modelled: ';
/** What one engine alone does not model, or comes upon first. */
const stopOfOne = ({ aspect, difference }: Divergence): string | null => {
  const said = [String(difference.expected), String(difference.seen)].filter((text) => text.startsWith(STOP));
  return aspect === 'ending' && said.length > 0 ? said.map((text) => text.slice(STOP.length)).join(', ') : null;
};

const parts = (pair: Pair, crowd: Crowd): Divergence | null => {
  const verdict = lockstepOf(pair, crowd);
  return verdict.agree || stopOfOne(verdict.divergence) !== null ? null : verdict.divergence;
};

const withProgram = (crowd: Crowd, at: number, program: Program): Crowd => ({
  ...crowd,
  programs: crowd.programs.map((one, i) => (i === at ? program : one)),
});

/** Domains lose their programs whole, then those that are left lose what they can, as long as it still fails. */
export const shrinkCrowd = (crowd: Crowd, fails: (less: Crowd) => boolean): Crowd => {
  let small = crowd;
  for (let d = 0; d < crowd.programs.length; d++) {
    const less = [empty, idle].map((program) => withProgram(small, d, program)).find(fails);
    if (less) small = less;
  }
  for (let d = 0; d < crowd.programs.length; d++)
    small = withProgram(
      small,
      d,
      shrinkProgram(small.programs[d]!, (program) => fails(withProgram(small, d, program))),
    );
  return small;
};

const count = <K>(counts: Map<K, number>, key: K): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

/** Stops at the first divergence. */
export const checkCrowds = (pair: Pair, options: CrowdOptions): CrowdResult => {
  const {
    first,
    programs,
    domains,
    release = REFERENCE_RELEASE,
    hypercalls: wanted = Number.POSITIVE_INFINITY,
    budgetMs,
    onCrowd,
  } = options;
  const started = performance.now();
  const [byDomains, ends, stops, clauses] = [
    new Map<number, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
    new Set<string>(),
  ];
  let [crowds, hypercalls, elements, retired] = [0, 0, 0, 0];
  const inTime = (): boolean => budgetMs === undefined || performance.now() - started < budgetMs;
  for (let seed = first; seed < first + programs && hypercalls + elements < wanted && inTime(); seed++) {
    const crowd = drawCrowd(seed, domains[seed % domains.length]!, DRAWS, release);
    const verdict = lockstepOf(pair, crowd);
    crowds++;
    count(byDomains, crowd.programs.length);
    if (!verdict.agree) {
      const stop = stopOfOne(verdict.divergence);
      if (stop === null) {
        const small = options.shrink === false ? crowd : shrinkCrowd(crowd, (less) => parts(pair, less) !== null);
        const subject = subjectOf(small);
        const divergence = locate(pair, subject, parts(pair, small) ?? verdict.divergence);
        const counterexample = { crowd: small, divergence, config: subject.config };
        return { crowds, hypercalls, elements, retired, byDomains, ends, stops, clauses, counterexample };
      }
      count(stops, stop);
      continue;
    }
    const { agreement, events } = verdict;
    if (agreement.what !== null) count(stops, agreement.what);
    for (const event of events) if ((event.kind === 'crash' || event.kind === 'shutdown') && event.domid !== 0) count(ends, event.kind);
    hypercalls += agreement.hypercalls;
    elements += agreement.elements;
    retired += agreement.retired;
    for (const clause of agreement.clauses) clauses.add(clause);
    onCrowd?.(hypercalls + elements);
  }
  return { crowds, hypercalls, elements, retired, byDomains, ends, stops, clauses, counterexample: null };
};
