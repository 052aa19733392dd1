/** `xenspec check --peer xen`: fresh programs on a peer that runs hypervisor guests, and on our machines. */
import { type Command, Option } from 'commander';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { ENGINES, type EngineName } from '../../campaign/engines.ts';
import { checkAgainstPeer } from '../../campaign/peer/check.ts';
import { EXPLANATION_TEXTS, type ExplanationId } from '../../campaign/peer/explained.ts';
import { KINDS } from '../../campaign/peer/kinds.ts';
import type { PeerCheck } from '../../campaign/peer/result.ts';
import { ROLES, type Role } from '../../campaign/peer/subject.ts';
import type { RowsAsked } from '../../campaign/rows_asked.ts';
import { EXIT } from '../exit_code.ts';
import { count, Progress, percent, rate, table } from '../table.ts';

export type PeerOptions = {
  xen?: XenRelease;
  hypercalls?: number;
  budget?: number;
  as?: Role | 'both';
  on?: EngineName | 'both';
  mutant?: string;
  out: string;
  coverage?: true;
  json?: true;
};

/** Programs on a peer when nobody says how many. */
const PEER_PROGRAMS = 1000;

export const addPeerOptions = (command: Command): void => {
  command
    .addOption(new Option('--as <role>', 'with --peer xen: what the programs are there (default: both)').choices([...ROLES, 'both']))
    .addOption(
      new Option('--on <engine>', 'with --peer xen and --worlds: which of our machines (default: both)').choices([...ENGINES, 'both']),
    );
};

/** `asked`: programs, null when nobody said how many. With --hypercalls, dense programs until so many were compared. */
export const checkPeer = async (peer: string, first: number, asked: number | null, options: PeerOptions): Promise<number> => {
  const hypercalls = options.hypercalls ?? null;
  const work = hypercalls === null ? 'mixed' : 'dense';
  const programs = asked ?? (hypercalls === null ? PEER_PROGRAMS : null);
  const roles = options.as === undefined || options.as === 'both' ? ROLES : [options.as];
  const engines = options.on === undefined || options.on === 'both' ? ENGINES : [options.on];
  const progress =
    hypercalls === null
      ? new Progress(`programs on ${peer}`, (programs ?? 0) * roles.length)
      : new Progress(`hypercalls on ${peer}`, hypercalls);
  const onProgress = (settled: number, compared: number): void => progress.step(hypercalls === null ? settled : compared);
  const check = await checkAgainstPeer({
    peer,
    release: options.xen ?? REFERENCE_RELEASE,
    roles,
    engines,
    work,
    first,
    programs,
    hypercalls,
    budget: options.budget ?? null,
    out: options.out,
    mutant: options.mutant ?? null,
    onProgress,
  });
  progress.done();
  if (options.json) process.stdout.write(`${JSON.stringify({ ...check, verdict: verdictOf(check) }, null, 2)}\n`);
  else {
    for (const line of findingsOf(check)) process.stdout.write(`${line}\n`);
    if (options.coverage) process.stdout.write(`${operationsTable(check)}\n${neverAskedTable(check)}\n`);
    process.stdout.write(`${peerTable(check)}\n`);
    if (check.unavailable === null) process.stdout.write(`${explainedTable(check)}\n`);
  }
  if (check.unavailable !== null) return EXIT.unavailable;
  return { agreed: EXIT.ok, diverged: EXIT.divergence, bug: EXIT.bug }[verdictOf(check)];
};

const unexplained = ({ differences }: PeerCheck) => differences.filter(({ explained }) => explained === null);

const verdictOf = (check: PeerCheck): 'agreed' | 'diverged' | 'bug' =>
  check.bugs.length > 0 ? 'bug' : unexplained(check).length > 0 ? 'diverged' : 'agreed';

/** Each difference that nothing explains, and each failure of ours. */
const findingsOf = (check: PeerCheck): readonly string[] => [
  ...unexplained(check).map(
    (d) =>
      `seed ${d.seed} as ${d.role}, ${d.where}\n  ${check.peer}: ${d.peer}\n  ${d.engine}: ${d.seen}\n  ${d.steps === null ? '' : `shrunk to ${count(d.steps)} steps; `}folder: ${d.folder}`,
  ),
  ...check.bugs.map(({ seed, role, stack }) => `bug of ours on seed ${seed} as ${role}: ${stack}`),
];

/** How often each of these texts occurs, most frequent first. */
const tally = (texts: readonly string[]): string => {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([text, n]) => `${text} ${n}`)
    .join('; ');
};

const ROLE_TEXT: Readonly<Record<Role, string>> = { dom0: 'as domain 0', domu: 'inside fresh domains' };

const rowsText = ({ asked, of }: RowsAsked, role: Role): string => `${count(asked)} of ${count(of)} ${ROLE_TEXT[role]}`;

const byRole = (counts: Readonly<Record<Role, number>>): string =>
  `${count(ROLES.reduce((sum, role) => sum + counts[role], 0))} (${ROLES.map((role) => `${count(counts[role])} ${ROLE_TEXT[role]}`).join(', ')})`;

/** Every operation that the programs issued, how often, and what share passed the checks of its arguments. */
const operationsTable = ({ operations }: PeerCheck): string => {
  const rows = Object.entries(operations.toJSON()).map(([name, outcomes]) => {
    const all = Object.values(outcomes).reduce((a, b) => a + b, 0);
    const passed = (outcomes['ok'] ?? 0) + (outcomes['no return'] ?? 0);
    return [
      name,
      all,
      percent(passed, all),
      Object.entries(outcomes)
        .map(([o, n]) => `${o} ${n}`)
        .join(', '),
    ];
  });
  return table(['operation', 'count', 'passed its checks', 'outcomes'], rows);
};

const neverAskedTable = ({ rows }: PeerCheck): string =>
  table(
    ['rows of the matrix that nobody asked', 'rows'],
    ROLES.map((role) => [ROLE_TEXT[role], rows[role].toJSON().never.join(' ') || 'none']),
  );

/** Every entry that may explain a difference, and how often it did. */
const explainedTable = ({ explained }: PeerCheck): string =>
  table(
    ['entry', 'what it is about', 'differences explained'],
    (Object.entries(explained) as [ExplanationId, number][]).map(([id, n]) => [
      id,
      EXPLANATION_TEXTS[id]!,
      n === 0 ? 'never met' : count(n),
    ]),
  );

const peerTable = (check: PeerCheck): string => {
  if (check.unavailable !== null) return `skipped: ${check.unavailable}`;
  const { first, last } = check.seeds;
  const programs = ROLES.reduce((sum, role) => sum + check.programs[role], 0);
  const explained = check.differences.flatMap((d) => (d.explained === null ? [] : [d.explained]));
  const skipped = check.skipped > 0 ? `; ${check.skipped} that the peer cannot run passed over` : '';
  return table(
    ['what', 'result'],
    [
      ['peer', `${check.peer} ${check.version}`],
      ['programs compared', `${byRole(check.programs)}, seeds ${first}..${last}${skipped}`],
      ...KINDS.map((kind) => [`of them ${kind}`, byRole({ dom0: check.kinds.dom0[kind], domu: check.kinds.domu[kind] })]),
      ['hypercalls compared', byRole(check.hypercalls)],
      ['rows of the matrix asked', ROLES.map((role) => rowsText(check.rows[role].toJSON(), role)).join('; ')],
      ['console lines compared', count(check.lines)],
      ['starts of the peer', count(check.boots)],
      ['unexplained differences', count(unexplained(check).length)],
      ['explained differences', tally(explained) || 'none'],
      [
        'inconclusive programs',
        check.inconclusive.length === 0 ? 'none' : `${check.inconclusive.length}: ${tally(check.inconclusive.map((i) => i.why))}`,
      ],
      [
        'throughput',
        `${rate(programs / check.seconds)} programs/s, ${rate((check.hypercalls.dom0 + check.hypercalls.domu) / check.seconds)} hypercalls/s`,
      ],
    ],
  );
};
