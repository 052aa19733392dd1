/** Fresh programs on a peer, as domain 0 and inside fresh domains, and on our machines: every line and the end must be the same. */
import { join } from 'node:path';
import { BadInput } from '#spec/failure.ts';
import type { XenRelease } from '#spec/releases/release.ts';
import type { Peer, Session } from '../../peers/peer.ts';
import { findPeer, PEERS, type PeerName } from '../../peers/peers.ts';
import { Coverage } from '../coverage.ts';
import type { EngineName } from '../engines.ts';
import { AskedRows } from '../rows_asked.ts';
import { type Compared, compareShown, type Witnessed } from './compare.ts';
import { hypercallsIn } from './count.ts';
import { Crew } from './crew.ts';
import { explanationOf, noneExplained } from './explained.ts';
import { keepDifference } from './keep.ts';
import { kindsOf, noKinds } from './kinds.ts';
import type { PeerCheck } from './result.ts';
import { type Shrunk, shrinkOnPeer } from './shrink.ts';
import { Source } from './source.ts';
import { type Batch, dom0Images, dom0Machine, type Role, type Work } from './subject.ts';
import { stepOf, witnessDomains, witnessed } from './trial.ts';
import type { Shown } from './witness.ts';
import type { Task } from './worker.ts';

export type PeerCheckOptions = {
  readonly peer: string;
  /** Of Xen, there and on our machines. */
  readonly release: XenRelease;
  readonly roles: readonly Role[];
  readonly engines: readonly EngineName[];
  readonly first: number;
  readonly work: Work;
  /** Seeds whose programs are compared, those that the peer cannot run passed over; null for no end. */
  readonly programs: number | null;
  /** Hypercalls after which no further program is started; null for no end. */
  readonly hypercalls: number | null;
  /** Seconds after which no further program is started; null for no end. */
  readonly budget: number | null;
  /** Folder for what differs. */
  readonly out: string;
  /** Bug that is planted in our machines; null for none. */
  readonly mutant: string | null;
  /** Called with the number of programs that are settled, and of hypercalls compared in them. */
  readonly onProgress: (programs: number, hypercalls: number) => void;
};

/** Batches under way at once: while the peer runs some, our machines run others. */
const UNDER_WAY = 6;
/** Differences that are made small in each role: a few tell enough of what is wrong, and each costs many runs. */
const MOST_SHRUNK = 3;

/** Throws BadInput for a peer that nobody knows. */
export const checkAgainstPeer = async (options: PeerCheckOptions): Promise<PeerCheck> => {
  if (!(PEERS as readonly string[]).includes(options.peer))
    throw new BadInput(`peer ${options.peer}: unknown; there are ${PEERS.join(', ')}`);
  const found = findPeer(options.peer as PeerName, options.release);
  const started = performance.now();
  const source = new Source({ ...options, domains: found.available ? found.domains : 1 });
  const check: PeerCheck = {
    peer: options.peer,
    version: found.available ? found.version : '',
    unavailable: found.available ? null : found.why,
    seeds: { first: options.first, last: options.first - 1 },
    skipped: 0,
    programs: { dom0: 0, domu: 0 },
    kinds: noKinds(),
    boots: 0,
    lines: 0,
    hypercalls: { dom0: 0, domu: 0 },
    operations: new Coverage(),
    rows: { dom0: new AskedRows('pv64_dom0'), domu: new AskedRows('pv64_domU') },
    inconclusive: [],
    explained: noneExplained(),
    differences: [],
    bugs: [],
    seconds: 0,
  };
  if (!found.available) return check;
  const session = found.session?.() ?? plainSession(found);
  const crew = new Crew(options.engines, options.mutant);
  const comparison = new Comparison(check, options, session, crew, source);
  try {
    await comparison.run();
  } finally {
    await Promise.all([session.close(), crew.close()]);
  }
  check.seeds.last = source.next - 1;
  check.skipped = source.skipped;
  check.seconds = (performance.now() - started) / 1000;
  return check;
};

/** A peer without sessions runs each program from its boot on, as domain 0. */
const plainSession = (peer: Peer): Session => ({
  record: (images, machine, options) => peer.record(images, machine, options),
  farm: async () => {
    throw new BadInput(`peer ${peer.name} builds no domains: only --as dom0 makes sense`);
  },
  close: async () => {},
});

/** One comparison under way. */
class Comparison {
  private readonly check: PeerCheck;
  private readonly options: PeerCheckOptions;
  private readonly session: Session;
  private readonly crew: Crew;
  private readonly source: Source;
  private readonly started = performance.now();
  private readonly shrinking: Record<Role, number> = { dom0: 0, domu: 0 };

  constructor(check: PeerCheck, options: PeerCheckOptions, session: Session, crew: Crew, source: Source) {
    this.check = check;
    this.options = options;
    this.session = session;
    this.crew = crew;
    this.source = source;
  }

  async run(): Promise<void> {
    const serve = async (): Promise<void> => {
      for (let batch = this.source.take(); batch; batch = this.source.take())
        await (batch.role === 'dom0' ? this.asDom0(batch) : this.asDomu(batch));
    };
    await Promise.all(Array.from({ length: UNDER_WAY }, serve));
    // What the last of them put back.
    await serve();
  }

  private async asDom0(batch: Batch): Promise<void> {
    const images = dom0Images(batch);
    const recording = await this.session.record(images, dom0Machine(batch));
    this.check.boots++;
    const settled = await this.judge(batch, { role: 'dom0', machine: recording.machine, images }, witnessed(recording));
    this.source.putBack({ role: 'dom0', programs: batch.programs.slice(settled) });
  }

  private async asDomu(batch: Batch): Promise<void> {
    const { programs } = batch;
    const { seen, why } = await witnessDomains(this.session, batch);
    this.check.boots++;
    if (seen.length === 0) {
      for (const { seed } of programs) this.inconclusive(seed, 'domu', `${this.check.peer}: ${why}`);
      return;
    }
    this.source.putBack({ role: 'domu', programs: programs.slice(seen.length) });
    await Promise.all(seen.map(({ task, peer }, i) => this.judge({ role: 'domu', programs: [programs[i]!] }, task, peer)));
  }

  /** How many programs of the batch, from its first, are settled now. */
  private async judge(batch: Batch, task: Task, peer: Witnessed): Promise<number> {
    const { programs, role } = batch;
    const answer = await this.crew.show(task);
    if ('bug' in answer) {
      this.check.bugs.push({ seed: programs[0]!.seed, role, stack: answer.bug });
      this.settled(1, 0);
      return 1;
    }
    let least: Compared = { agreed: programs.length, difference: null, inconclusive: null };
    for (const [engine, shown] of answer.shown) {
      const compared = compareShown(programs.length, peer, shown);
      if (compared.agreed < least.agreed || (compared.agreed === least.agreed && least.difference === null)) least = compared;
      if (compared.difference) await this.differs(batch, task, peer, engine, shown, compared);
    }
    const hypercalls = this.agreed(batch, peer, least, answer.shown.find(([name]) => name === 'executor') ?? answer.shown[0]!);
    const unsettled = programs[least.agreed];
    if (unsettled && least.inconclusive !== null) this.inconclusive(unsettled.seed, role, least.inconclusive);
    const settled = least.agreed + (least.difference || least.inconclusive !== null ? 1 : 0);
    this.settled(settled, hypercalls);
    return settled;
  }

  private settled(programs: number, hypercalls: number): void {
    this.options.onProgress(programs, hypercalls);
    const { dom0, domu } = this.check.hypercalls;
    if (this.options.budget !== null && performance.now() - this.started > this.options.budget * 1000) this.source.stop();
    if (this.options.hypercalls !== null && dom0 + domu >= this.options.hypercalls) this.source.stop();
  }

  /** Hypercalls compared. */
  private agreed(
    { role, programs }: Batch,
    peer: Witnessed,
    { agreed, difference }: Compared,
    [, shown]: readonly [EngineName, Shown],
  ): number {
    const lines = peer.lines.slice(0, difference ? difference.line - 1 : shown.lines.length);
    const hypercalls = hypercallsIn(
      programs.map((one) => one.program),
      lines,
    );
    this.check.programs[role] += agreed;
    for (const { program } of programs.slice(0, agreed)) {
      for (const kind of kindsOf(program)) this.check.kinds[role][kind]++;
      this.check.rows[role].add(program);
    }
    this.check.lines += lines.length;
    this.check.hypercalls[role] += hypercalls;
    this.check.operations.merge(shown.operations);
    return hypercalls;
  }

  private inconclusive(seed: number, role: Role, why: string): void {
    this.check.inconclusive.push({ seed, role, why });
  }

  private async differs(
    batch: Batch,
    task: Task,
    peer: Witnessed,
    engine: EngineName,
    shown: Shown,
    { agreed, difference }: Compared,
  ): Promise<void> {
    const { role, programs } = batch;
    const { seed, work, program } = programs[agreed]!;
    const { line, peer: theirs, engine: ours } = difference!;
    const explained = explanationOf({
      ...{ role, peer: theirs, engine: ours },
      ...{ step: stepOf(program, ours), shared: shown.lines.slice(0, line - 1), ended: shown.end },
    });
    const folder = join(this.options.out, `peer-${role}-${seed}`);
    let shrunk: Shrunk | 'not again' | 'not tried' = 'not tried';
    if (explained === null) {
      if (this.shrinking[role]++ < MOST_SHRUNK)
        shrunk = (await shrinkOnPeer({ session: this.session, crew: this.crew, engine }, role, program)) ?? 'not again';
      keepDifference(folder, {
        ...{ seed, role, engine, shrunk, original: program },
        ...{ work, release: this.options.release },
        peer: this.check.peer,
        mutant: this.options.mutant,
        before: programs.slice(0, agreed).map((one) => one.program),
        seen: { task, peer, shown, difference },
      });
    } else this.check.explained[explained] = (this.check.explained[explained] ?? 0) + 1;
    const steps = typeof shrunk === 'object' ? shrunk.program.steps.length : null;
    this.check.differences.push({ seed, role, where: `line ${line}`, engine, peer: theirs, seen: ours, explained, folder, steps });
  }
}
