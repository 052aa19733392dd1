/** The kinds of `check`, and which options mean something with each. An option that would be ignored is refused. */
import { BadInput } from '#spec/failure.ts';

/** Options by commander's names; `out` and `traces` have defaults. */
const KINDS = {
  campaign: {
    means: 'the campaign; `xenspec check --help` says what it goes with',
    options: ['xen', 'seeds', 'programs', 'mutant', 'budget', 'out', 'keepGoing', 'traces', 'coverage', 'json'],
  },
  peer: {
    means: '`check --peer` alone',
    options: ['peer', 'xen', 'as', 'on', 'hypercalls', 'mutant', 'budget', 'seeds', 'programs', 'out', 'coverage', 'json'],
  },
  hypercalls: { means: '`check --hypercalls`', options: ['hypercalls', 'xen', 'seeds', 'mutant', 'budget', 'out', 'keepGoing', 'json'] },
  variations: { means: '`check --variations`', options: ['variations', 'xen', 'seeds', 'mutant', 'budget', 'out', 'keepGoing', 'json'] },
  preempt: { means: '`check --preempt`', options: ['preempt', 'xen', 'seeds', 'out', 'json'] },
  pv32: { means: '`check --pv32`', options: ['pv32', 'xen', 'seeds', 'budget', 'out', 'json'] },
  domains: { means: '`check --domains`', options: ['domains', 'xen', 'hypercalls', 'seeds', 'programs', 'budget', 'out', 'json'] },
  clauses: { means: '`check --clauses`', options: ['clauses', 'seeds', 'budget', 'json'] },
  exhaustive: { means: '`check --exhaustive`', options: ['exhaustive', 'config', 'states', 'workers', 'resume', 'mutant', 'out', 'json'] },
  inductive: { means: '`check --inductive`', options: ['inductive', 'config', 'mutant', 'json'] },
  worlds: { means: '`check --worlds`', options: ['worlds', 'on', 'seeds', 'budget', 'workers', 'mutant', 'out', 'json'] },
  order: { means: '`check --order`', options: ['order', 'peer', 'xen', 'json'] },
  bare: { means: '`check --bare`', options: ['bare', 'append', 'memory', 'lenient', 'steps', 'json'] },
  dom0: { means: '`check --dom0`', options: ['dom0', 'xen', 'append', 'memory', 'lenient', 'steps', 'console', 'state', 'json'] },
  sequences: { means: '`check --isa x86` alone', options: ['isa', 'steps', 'seeds', 'json'] },
  silicon: { means: '`check --isa x86 --peer silicon`', options: ['isa', 'peer', 'seeds', 'cases', 'row', 'mode', 'html', 'json'] },
  objdump: { means: '`check --isa x86 --peer objdump`', options: ['isa', 'peer', 'seeds', 'cases', 'json'] },
  system: { means: '`check --isa x86 --peer qemu` or `bochs`', options: ['isa', 'peer', 'seeds', 'cases', 'html', 'json'] },
} as const satisfies Record<string, { readonly means: string; readonly options: readonly string[] }>;
export type CheckKind = keyof typeof KINDS;

const ISA_PEERS: Readonly<Record<string, CheckKind>> = { silicon: 'silicon', objdump: 'objdump', qemu: 'system', bochs: 'system' };

type Asked = {
  readonly isa?: string;
  readonly bare?: string;
  readonly dom0?: string;
  readonly peer?: string;
  readonly hypercalls?: number;
  readonly variations?: number;
  readonly order?: true | string;
  readonly preempt?: number;
  readonly pv32?: number;
  readonly domains?: readonly number[];
  readonly clauses?: true;
  readonly exhaustive?: true;
  readonly inductive?: true;
  readonly worlds?: number;
};

/** What the options ask for. Throws BadInput for a peer that needs --isa. */
export const kindOf = ({
  isa,
  bare,
  dom0,
  peer,
  hypercalls,
  variations,
  order,
  preempt,
  pv32,
  domains,
  clauses,
  exhaustive,
  inductive,
  worlds,
}: Asked): CheckKind => {
  if (bare !== undefined) return 'bare';
  if (dom0 !== undefined) return 'dom0';
  if (isa !== undefined) return peer === undefined ? 'sequences' : (ISA_PEERS[peer] ?? 'silicon');
  if (clauses !== undefined) return 'clauses';
  if (exhaustive !== undefined) return 'exhaustive';
  if (inductive !== undefined) return 'inductive';
  if (worlds !== undefined) return 'worlds';
  if (order !== undefined) return 'order';
  if (pv32 !== undefined) return 'pv32';
  if (domains !== undefined) return 'domains';
  if (preempt !== undefined) return 'preempt';
  if (variations !== undefined) return 'variations';
  if (peer === undefined) return hypercalls === undefined ? 'campaign' : 'hypercalls';
  if (peer in ISA_PEERS) throw new BadInput(`--peer ${peer} knows no hypervisor: it goes with --isa x86`);
  return 'peer';
};

const flagOf = (option: string): string =>
  option === 'traces' ? '--no-traces' : `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Throws BadInput for the first option given that means nothing with this kind. */
export const refuseOthers = (kind: CheckKind, given: readonly string[]): void => {
  const { means, options } = KINDS[kind];
  const wrong = given.find((option) => !(options as readonly string[]).includes(option));
  if (wrong !== undefined) throw new BadInput(`${flagOf(wrong)} means nothing with ${means}`);
};
