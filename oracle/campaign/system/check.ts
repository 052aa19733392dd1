/** The check of system-level behaviour: the same images on model, executor and a peer, case by case. */
import { systemCase } from '../../generators/system/system_case.ts';
import type { SystemCase } from '../../image/bare/case.ts';
import type { BarePeer } from '../../peers/bare_peer.ts';
import { bochsPeer } from '../../peers/bochs/bochs.ts';
import type { Unavailable } from '../../peers/peer.ts';
import { qemuPeer } from '../../peers/qemu/qemu.ts';
import { engineRunner, loadBare } from './engines.ts';
import { judge } from './judge.ts';
import { needsOf } from './needs.ts';
import { peerRunner } from './peer_runner.ts';
import type { PeerName } from './repairs.ts';
import { type Outcome, type Runner, runCases } from './runner.ts';
import { addVerdict, emptyTally, type SystemTally, type Verdict } from './tally.ts';

export type SystemCheck = {
  readonly peer: string;
  /** Null when the peer is there. */
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly rows: readonly SystemTally[];
  readonly seconds: number;
};

export const findBarePeer = (name: PeerName): BarePeer | Unavailable => (name === 'qemu' ? qemuPeer() : bochsPeer());

/** Cases in one image. */
const CHUNK = 250;

export type SystemOptions = {
  readonly peer: PeerName;
  readonly first: number;
  readonly last: number;
  readonly onCases?: (cases: number) => void;
};

type Seeded = { readonly seed: number; readonly c: SystemCase };

export const checkSystem = async ({ peer: name, first, last, onCases }: SystemOptions): Promise<SystemCheck> => {
  const started = performance.now();
  const seeds = { first, last };
  const peer = findBarePeer(name);
  if (!peer.available) return { peer: name, unavailable: peer.why, seeds, rows: [], seconds: 0 };
  const [model, executor] = [engineRunner('model', await loadBare('model')), engineRunner('executor', await loadBare('executor'))];
  const other = peerRunner(peer);
  const tallies = new Map<string, SystemTally>();
  const count = ({ c }: Seeded, verdict: Verdict): void => {
    const key = `${c.row} ${c.mode} ${c.ring}`;
    tallies.set(key, addVerdict(tallies.get(key) ?? emptyTally(c.row, c.mode, c.ring), verdict));
  };
  for (let at = first; at <= last; at += CHUNK) {
    const all = Array.from({ length: Math.min(CHUNK, last - at + 1) }, (_, i) => ({ seed: at + i, c: systemCase(at + i) }));
    const lacks = ({ c }: Seeded): string | undefined => needsOf(c).find((feature) => peer.lacks.includes(feature));
    const asked = all.filter((each) => lacks(each) === undefined);
    for (const each of all) if (!asked.includes(each)) count(each, { kind: 'lacking', what: `${name} has no ${lacks(each)}` });
    const outcomes = await inTurns(
      [model, executor, other],
      asked.map(({ c }) => c),
    );
    asked.forEach((each, i) => {
      count(each, judge(name, { ...each, model: outcomes[0][i], executor: outcomes[1][i], peer: outcomes[2][i] }));
    });
    onCases?.(all.length);
  }
  const rows = [...tallies.values()].sort((a, b) => a.row - b.row || a.mode.localeCompare(b.mode) || a.ring - b.ring);
  return { peer: `${peer.name} ${peer.version}`, unavailable: null, seeds, rows, seconds: (performance.now() - started) / 1000 };
};

/** The peer is a process of its own, and runs while the engines do. */
const inTurns = (
  [model, executor, other]: readonly [Runner, Runner, Runner],
  cases: readonly SystemCase[],
): Promise<readonly (readonly Outcome[])[]> => Promise.all([runCases(model, cases), runCases(executor, cases), runCases(other, cases)]);
