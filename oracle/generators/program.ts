/** Whole programs: a sequence of families' steps, and now and then an end that is not orderly. */
import fc from 'fast-check';
import type { Program, Step, Value } from '#spec/program.ts';
import { access, accessInUserMode, emulated, execute, executePage, readEntry, singleStep, trap } from './families/access.ts';
import { compute, computeInUserMode, look } from './families/compute.ts';
import { CORNERS } from './families/corners.ts';
import { destruction } from './families/destroy.ts';
import { DEVICES } from './families/devices.ts';
import { EVENT_CHANNELS } from './families/event_channel.ts';
import { fifoEpisode } from './families/event_fifo.ts';
import { GRANT_MOVES } from './families/grant_moves.ts';
import { GRANTS } from './families/grant_table.ts';
import { MEMORY } from './families/memory.ts';
import { PEERS } from './families/peers.ts';
import { msr, PRIVILEGED } from './families/privileged.ts';
import { REGISTERS } from './families/registers.ts';
import { RETURNS } from './families/returns.ts';
import { SCHEDULING } from './families/scheduling.ts';
import { SEGMENTS } from './families/segments.ts';
import { statusPage } from './families/shared_pages.ts';
import { onEither, SMP, startSecond } from './families/smp.ts';
import { multicall, WILD } from './families/wild.ts';
import { Random } from './random.ts';
import { simplifications } from './shrink.ts';
import { type Family, Generation } from './state.ts';

/** `directed` names handles that are probably valid; `wild` does not care. */
export type Kind = 'directed' | 'wild';

export type ProgramOptions = {
  readonly kind: Kind;
  readonly domains: 1 | 2;
  /** vCPUs of each domain; two only for one domain. */
  readonly vcpus: 1 | 2;
  /** About how many steps. */
  readonly steps: number;
  /** Whether a program may end by a crash or another shutdown than poweroff. */
  readonly ends: boolean;
  /**
   * Whether domain 0 may destroy the other domain; null: it does not. `resting`: that one stands still by then. `anyhow`: it may run between domain 0's
   * steps, which real processors do not repeat.
   */
  readonly destroys: 'resting' | 'anyhow' | null;
};

const PROCESSOR: readonly Family[] = [
  compute,
  computeInUserMode,
  look,
  access,
  accessInUserMode,
  readEntry,
  execute,
  executePage,
  trap,
  singleStep,
  emulated,
];

/** Programs have a theme, so that steps of one kind meet often enough to matter to each other. */
const THEMES: readonly (readonly Family[])[] = [
  PROCESSOR,
  [...EVENT_CHANNELS, ...EVENT_CHANNELS, ...SCHEDULING, multicall],
  [...MEMORY, readEntry, look, accessInUserMode],
  [...GRANTS, ...GRANTS, ...GRANT_MOVES, statusPage, readEntry, ...MEMORY.slice(0, 3)],
  [statusPage, statusPage, ...GRANT_MOVES, ...MEMORY.slice(0, 4)],
  [...REGISTERS, trap, computeInUserMode, singleStep, ...CORNERS],
  [...CORNERS, access, trap],
  [...SEGMENTS, ...SEGMENTS, trap, access, ...RETURNS],
  [...PRIVILEGED, ...RETURNS, emulated, trap],
  [...RETURNS, ...CORNERS, trap],
  [...SCHEDULING, ...EVENT_CHANNELS.slice(0, 8), ...REGISTERS],
  [...EVENT_CHANNELS, ...SCHEDULING, fifoEpisode, fifoEpisode, fifoEpisode],
  [...PROCESSOR, ...EVENT_CHANNELS, ...SCHEDULING, ...MEMORY, ...GRANTS, ...GRANT_MOVES, ...REGISTERS, multicall],
];

const SMP_THEMES: readonly (readonly Family[])[] = [
  [],
  [...EVENT_CHANNELS, ...SCHEDULING],
  [...EVENT_CHANNELS, ...SCHEDULING, fifoEpisode, fifoEpisode],
  [...MEMORY, readEntry],
  [...GRANTS, ...REGISTERS],
  [compute, trap, access, computeInUserMode],
];

/** User mode of a program of two domains would need tables of its own in each; the families are the same. */
const familiesFor = (r: Random, { kind, domains, vcpus }: ProgramOptions): readonly Family[] => {
  if (vcpus === 2) return [...SMP, ...SMP, ...r.pick(SMP_THEMES).map(onEither)];
  // Half of the wild ones have a theme beside: what nobody aimed meets what was.
  const base = kind === 'wild' ? [...WILD, compute, trap, access, msr, ...(r.one(2) ? r.pick(THEMES) : [])] : r.pick(THEMES);
  if (domains === 1) return base;
  return [...(r.one(4) ? DEVICES : base), ...PEERS, ...PEERS];
};

const endOf = (g: Generation, vcpus: number): Step => {
  const { r } = g;
  // With a second vCPU up, vCPU 0 going down ends nothing.
  const how = r.pick([
    'shutdown',
    'shutdown',
    'unhandled',
    'bad_stack',
    'bad_iret',
    'no_event_callback',
    'user_without_table',
    ...(vcpus === 1 ? (['vcpu_down'] as const) : []),
  ] as const);
  if (g.domains.length === 2) g.domain = r.int(0, 1);
  const reason = how === 'shutdown' ? { reason: r.pick([1, 2, 3, 4, 5, 6, 255]) } : {};
  const at = how === 'bad_stack' || how === 'bad_iret' ? { at: r.pick(how === 'bad_iret' ? UNREADABLE : BAD_STACKS) } : {};
  return g.step({ do: 'end', how, ...reason, ...at } as never);
};
/** Stack pointers that Xen can read no frame from, and those that it cannot write one to either. */
const UNREADABLE: readonly Value[] = ['0x10000', 0, '0xffff830000001000', '0x800000001000'];
const BAD_STACKS: readonly Value[] = [
  ...UNREADABLE,
  '0xffff800000001000',
  { page: 'l4', as: 'va', plus: 4096 },
  { page: 'l3', as: 'va', plus: 2048 },
];

const generate = (source: fc.Random, options: ProgramOptions): Program => {
  const r = new Random(source);
  const g = new Generation(r, options.domains);
  const families = familiesFor(r, options);
  const steps: Step[] = options.vcpus === 2 ? [...startSecond(g)] : [];
  // A domain that dies may have done anything before, or next to nothing.
  const dies = options.destroys !== null && options.domains === 2 && r.one(3);
  const most = dies ? r.int(0, options.steps) : options.steps;
  for (let tries = 0; steps.length < most && tries < most * 4; tries++) steps.push(...r.weighted(families).make(g));
  if (dies) steps.push(...destruction(g, options.destroys === 'resting'));
  else if (options.ends && r.one(8)) steps.push(endOf(g, options.vcpus));
  return options.vcpus === 2 ? { steps, vcpus: 2 } : { steps };
};

/** Programs that shrink by losing steps and simplifying those that stay. */
class ProgramArbitrary extends fc.Arbitrary<Program> {
  private readonly options: ProgramOptions;

  constructor(options: ProgramOptions) {
    super();
    this.options = options;
  }

  override generate(source: fc.Random): fc.Value<Program> {
    return new fc.Value(generate(source, this.options), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Program {
    return typeof value === 'object' && value !== null && 'steps' in value;
  }

  override shrink(value: Program): fc.Stream<fc.Value<Program>> {
    return fc.stream(simplifications(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/** An arbitrary of programs; defaults: directed, one domain, 20 steps, orderly or not. */
export const arbitraryProgram = (options: Partial<ProgramOptions> = {}): fc.Arbitrary<Program> =>
  new ProgramArbitrary({ kind: 'directed', domains: 1, vcpus: 1, steps: 20, ends: true, destroys: 'anyhow', ...options });

/** What the program of a seed is like: even seeds are directed and odd ones wild; of each four, one spans two domains; of each ten, one has two vCPUs. */
export const optionsOfSeed = (seed: number): ProgramOptions => ({
  kind: seed % 2 === 0 ? 'directed' : 'wild',
  domains: seed % 8 >= 6 ? 2 : 1,
  vcpus: seed % 8 < 6 && Math.imul(seed, 0x85ebca6b) >>> 30 === 2 ? 2 : 1,
  steps: 8 + (Math.imul(seed, 0x9e3779b1) >>> 28) * 2,
  ends: true,
  destroys: 'anyhow',
});

/** The program of a seed. */
export const generateProgram = (seed: number, options: Partial<ProgramOptions> = {}): Program => {
  const [program] = fc.sample(arbitraryProgram({ ...optionsOfSeed(seed), ...options }), { seed, numRuns: 1 });
  return program;
};
