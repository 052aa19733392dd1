/** What a campaign came to, for people and for programs. */
import { CLAUSES } from '#spec/clauses.ts';
import type { CampaignResult } from '../../campaign/campaign.ts';
import { stepCount } from '../../campaign/counterexample.ts';
import { describe } from '../../campaign/counterexample_readme.ts';
import { SLICE } from '../../campaign/coverage.ts';
import type { Explored } from '../../campaign/exhaustive/slice.ts';
import type { Hunted } from '../../campaign/hunt/slice.ts';
import type { WorldsSlice } from '../../campaign/worlds/slice.ts';
import { count, percent, rate, table } from '../table.ts';
import { explanation, type Replayed } from './replay.ts';

/** Everything that a campaign found. */
export type Checked = {
  readonly first: number;
  /** Programs that were asked for. */
  readonly wanted: number;
  /** Seconds, or null. */
  readonly budget: number | null;
  readonly replayed: readonly Replayed[];
  readonly result: CampaignResult;
  /** Folders of the counterexamples, in their order. */
  readonly folders: readonly string[];
  /** Small machines of the model; null when they were not asked for. */
  readonly explored: Explored | null;
  /** Planted advisories; null when none were. */
  readonly hunted: Hunted | null;
  /** Pairs of worlds; null when they were not asked for. */
  readonly worlds: WorldsSlice | null;
};

const withVerdict = ({ replayed }: Checked, verdict: string): readonly Replayed[] => replayed.filter((r) => r.verdict.verdict === verdict);

export const verdictOf = (checked: Checked): 'agreed' | 'diverged' | 'bug' => {
  const { bugs, counterexamples } = checked.result;
  if (bugs.length > 0) return 'bug';
  const wrong =
    counterexamples.length +
    withVerdict(checked, 'rejected').length +
    (checked.explored?.wrong.length ?? 0) +
    (checked.worlds?.wrong.length ?? 0);
  return wrong > 0 ? 'diverged' : 'agreed';
};

/** How many traces, and how many of them real Xen recorded. */
const tracesIn = ({ replayed }: Checked) => {
  const files = (of: readonly Replayed[]): number => new Set(of.map((r) => r.trace)).size;
  return { replayed: files(replayed), realXen: files(replayed.filter((r) => r.producer.startsWith('xen '))) };
};

/** Chapters that guests of Xen cannot come to, for they are 64-bit programs in ring 3: `check --isa x86` and its peers measure those. */
const OTHER_MACHINES: readonly string[] = ['bare', 'devices', 'cpu_x86_legacy', 'cpu_x86_system'];

const clausesIn = ({ result }: Checked) => {
  const all = Object.entries(CLAUSES).flatMap(([id, { chapter }]) => (OTHER_MACHINES.includes(chapter) ? [] : [id]));
  return { all: all.length, covered: all.filter((c) => result.clauses.has(c)).length, missing: all.filter((c) => !result.clauses.has(c)) };
};

/** Rejected traces, divergences and bugs, some lines each. */
export const findings = (checked: Checked): readonly string[] => [
  ...checked.replayed.flatMap(explanation),
  ...checked.result.counterexamples.map((c, i) => `${describe(c)}\n  folder:   ${checked.folders[i]}`),
  ...(checked.explored?.wrong ?? []),
  ...(checked.worlds?.wrong ?? []),
  ...checked.result.bugs.map(({ seed, stack }) => `bug of ours on seed ${seed}: ${stack}`),
];

const exploredText = ({ machines, states, satisfying, transitions, left }: Explored): string => {
  const late = left.length > 0 ? `; no time was left for ${left.join(', ')}` : '';
  return `${machines} (${count(states)} reachable states, ${count(satisfying)} that satisfy the invariants, ${count(transitions)} transitions)${late}`;
};

const huntedText = ({ found, missed }: Hunted): string => {
  if (found.length + missed.length === 0) return 'too slow a machine to look for one to the end';
  const which = found.length > 0 ? ` (${found.join(', ')})` : '';
  const others = missed.length > 0 ? `; not in that time: ${missed.join(', ')}` : '';
  return `${found.length} of ${found.length + missed.length} found in seconds${which}${others}`;
};

const worldsText = ({ pairs, transitions, wrong }: WorldsSlice): string =>
  `${count(pairs.executor)} on the executor, ${count(pairs.model)} on the model (${count(transitions)} transitions, each looked at); ${wrong.length} undeclared flows`;

export const checkTable = (checked: Checked): string => {
  const { result, first, wanted, budget } = checked;
  const traces = tracesIn(checked);
  const clauses = clausesIn(checked);
  const operations = result.coverage.toJSON();
  const early =
    verdictOf(checked) === 'agreed' && result.programs < wanted ? `; ${count(wanted)} were wanted, the budget was ${budget} s` : '';
  const stops = Object.entries(result.notModelled).map(([what, n]) => `${what} ${n}`);
  const rejected = withVerdict(checked, 'rejected').length;
  const inconclusive = withVerdict(checked, 'inconclusive').length;
  const doubts = inconclusive > 0 ? `, ${inconclusive} inconclusive` : '';
  return table(
    ['what', 'result'],
    [
      [
        'traces replayed on model and executor',
        `${traces.replayed}, ${traces.realXen} of them recorded from real Xen; ${rejected} rejected${doubts}`,
      ],
      ['programs generated', `${count(result.programs)} (seeds ${first}..${first + result.programs - 1}${early})`],
      ['instructions compared', count(result.instructions)],
      ['hypercalls compared', count(result.hypercalls)],
      ['observations compared', count(result.observations)],
      ['transitions after which the invariants were looked at', `${count(result.looks)}, in ${count(result.watched)} programs`],
      ...(checked.explored ? [['small machines of the model explored whole', exploredText(checked.explored)] as const] : []),
      ...(checked.hunted ? [['Xen’s advisories, planted', huntedText(checked.hunted)] as const] : []),
      ...(checked.worlds ? [['pairs of worlds that look alike to whom they must', worldsText(checked.worlds)] as const] : []),
      ['divergences', count(result.counterexamples.length)],
      ['operations of the slice exercised', `${SLICE.filter((s) => s in operations).length} of ${SLICE.length}`],
      ['clause coverage', `${clauses.covered} of ${clauses.all} about PV guests (${percent(clauses.covered, clauses.all)})`],
      ['stopped at something not modelled', stops.join(', ') || 'none'],
      [
        'throughput',
        `${rate(result.programs / result.seconds)} programs/s, ${rate(result.instructions / result.seconds)} instructions/s, both engines together`,
      ],
    ],
  );
};

/** Every operation of the slice with how often the programs issued it, and everything else that they issued. */
export const coverageTable = ({ result }: Checked): string => {
  const operations = result.coverage.toJSON();
  const rows = [...new Set([...SLICE, ...Object.keys(operations)])].sort().map((name) => {
    const outcomes = operations[name] ?? {};
    const all = Object.values(outcomes).reduce((a, b) => a + b, 0);
    const carriedOut = (outcomes['ok'] ?? 0) + (outcomes['no return'] ?? 0);
    const list = Object.entries(outcomes).map(([o, n]) => `${o} ${n}`);
    return [name, all, percent(carriedOut, all), list.join(', ')];
  });
  return table(['operation', 'count', 'carried out', 'outcomes'], rows);
};

export const checkJson = (checked: Checked) => {
  const { result, first, folders } = checked;
  const traces = tracesIn(checked);
  return {
    verdict: verdictOf(checked),
    seeds: { first, last: first + result.programs - 1 },
    traces: {
      replayed: traces.replayed,
      real_xen: traces.realXen,
      rejected: withVerdict(checked, 'rejected').length,
      inconclusive: withVerdict(checked, 'inconclusive').length,
    },
    rejections: withVerdict(checked, 'rejected'),
    programs: result.programs,
    instructions: result.instructions,
    hypercalls: result.hypercalls,
    observations: result.observations,
    invariants: { looks: result.looks, programs: result.watched },
    small_machines: checked.explored,
    planted_advisories: checked.hunted,
    two_worlds: checked.worlds,
    divergences: result.counterexamples.length,
    not_modelled: result.notModelled,
    finishes: result.finishes,
    clauses: clausesIn(checked),
    operations: result.coverage.toJSON(),
    counterexamples: result.counterexamples.map((c, i) => ({
      seed: c.seed,
      folder: folders[i],
      divergence: c.divergence.difference,
      aspect: c.divergence.aspect,
      clauses: c.divergence.clauses,
      steps: stepCount(c.program),
    })),
    bugs: result.bugs,
    seconds: result.seconds,
  };
};
