/** Fresh programs on a peer, as domain 0 and inside fresh domains, and on our machines: every line and the end must be the same. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput } from '#spec/failure.ts';
import type { Peer, Recording, Session } from '../../peers/peer.ts';
import { findPeer, PEERS, type PeerName } from '../../peers/peers.ts';
import { Coverage } from '../coverage.ts';
import type { EngineName } from '../engines.ts';
import { type Compared, compareShown, type Witnessed } from './compare.ts';
import { hypercallsIn } from './count.ts';
import { Crew } from './crew.ts';
import { explanationOf } from './explained.ts';
import type { PeerCheck } from './result.ts';
import {
  type Batch,
  dom0Batches,
  dom0Images,
  dom0Machine,
  domuBatches,
  domuImage,
  farmMachine,
  programsFrom,
  type Role,
  type Seeded,
  vcpusOf,
} from './subject.ts';
import { dom0Lines, endText, linesIn, NO_END, type Shown } from './witness.ts';
import type { Task } from './worker.ts';

export type PeerCheckOptions = {
  readonly peer: string;
  readonly roles: readonly Role[];
  readonly engines: readonly EngineName[];
  readonly first: number;
  /** Programs to compare; seeds that the peer cannot run are passed over. */
  readonly programs: number;
  /** Folder for what differs. */
  readonly out: string;
  /** Called with the number of programs that are settled. */
  readonly onPrograms: (count: number) => void;
};

/** Orderly programs that share a domain 0, and programs that share a boot as domains of their own. */
const DOM0_BATCH = 25;
const DOMU_BATCH = 200;
/** Batches under way at once: while the peer runs some, our machines run others. */
const UNDER_WAY = 6;

/** Throws BadInput for a peer that nobody knows. */
export const checkAgainstPeer = async (options: PeerCheckOptions): Promise<PeerCheck> => {
  if (!(PEERS as readonly string[]).includes(options.peer))
    throw new BadInput(`peer ${options.peer}: unknown; there are ${PEERS.join(', ')}`);
  const found = findPeer(options.peer as PeerName);
  const started = performance.now();
  const { programs, next, skipped } = found.available
    ? programsFrom(options.first, options.programs, found.domains)
    : NOTHING(options.first);
  const check: PeerCheck = {
    peer: options.peer,
    version: found.available ? found.version : '',
    unavailable: found.available ? null : found.why,
    seeds: { first: options.first, last: next - 1 },
    skipped,
    programs: { dom0: 0, domu: 0 },
    boots: 0,
    lines: 0,
    hypercalls: { dom0: 0, domu: 0 },
    operations: new Coverage(),
    inconclusive: [],
    differences: [],
    bugs: [],
    seconds: 0,
  };
  if (!found.available) return check;
  const session = found.session?.() ?? plainSession(found);
  const crew = new Crew(options.engines);
  const queue: Batch[] = [
    ...(options.roles.includes('domu') ? domuBatches(programs, Math.min(DOMU_BATCH, Math.ceil(programs.length / 2))) : []),
    ...(options.roles.includes('dom0') ? dom0Batches(programs, DOM0_BATCH) : []),
  ];
  const comparison = new Comparison(check, options, session, crew, queue);
  try {
    await comparison.run();
  } finally {
    await Promise.all([session.close(), crew.close()]);
  }
  check.seconds = (performance.now() - started) / 1000;
  return check;
};

const NOTHING = (first: number) => ({ programs: [] as Seeded[], next: first, skipped: 0 });

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
  private readonly queue: Batch[];

  constructor(check: PeerCheck, options: PeerCheckOptions, session: Session, crew: Crew, queue: Batch[]) {
    this.check = check;
    this.options = options;
    this.session = session;
    this.crew = crew;
    this.queue = queue;
  }

  async run(): Promise<void> {
    const serve = async (): Promise<void> => {
      for (let batch = this.queue.shift(); batch; batch = this.queue.shift())
        await (batch.role === 'dom0' ? this.asDom0(batch) : this.asDomu(batch));
    };
    // What one leaves in the queue at its end, another still takes.
    while (this.queue.length > 0) await Promise.all(Array.from({ length: UNDER_WAY }, serve));
  }

  private async asDom0(batch: Batch): Promise<void> {
    const images = dom0Images(batch);
    const recording = await this.session.record(images, dom0Machine(batch));
    this.check.boots++;
    const settled = await this.judge(batch, { role: 'dom0', machine: recording.machine, images }, witnessed(recording));
    const rest = batch.programs.slice(settled);
    if (rest.length > 0) this.queue.push({ role: 'dom0', programs: rest });
  }

  private async asDomu({ programs }: Batch): Promise<void> {
    const vcpus = vcpusOf(programs[0]!);
    const images = programs.map(domuImage);
    const boot = await this.session.farm(
      images.map((image) => ({ image, vcpus })),
      farmMachine(vcpus),
    );
    this.check.boots++;
    const rest = programs.slice(boot.seen.length);
    if (boot.seen.length === 0) {
      for (const { seed } of programs) this.inconclusive(seed, 'domu', `${this.check.peer}: ${boot.why}`);
      return;
    }
    if (rest.length > 0) this.queue.push({ role: 'domu', programs: rest });
    await Promise.all(
      boot.seen.map(async ({ outcome, log }, i) => {
        const end = outcome.kind === 'shutdown' ? endText(outcome.reason) : outcome.kind === 'silent' ? NO_END : null;
        const why =
          outcome.kind === 'lost' ? outcome.why : outcome.kind === 'not built' ? `${outcome.step} answered ${outcome.result}` : '';
        const task: Task = { role: 'domu', machine: boot.machine, images: [images[i]!], vcpus };
        await this.judge({ role: 'domu', programs: [programs[i]!] }, task, { lines: linesIn(log), end, why });
      }),
    );
  }

  /** How many programs of the batch, from its first, are settled now. */
  private async judge(batch: Batch, task: Task, peer: Witnessed): Promise<number> {
    const { programs, role } = batch;
    const answer = await this.crew.show(task);
    if ('bug' in answer) {
      this.check.bugs.push({ seed: programs[0]!.seed, role, stack: answer.bug });
      this.options.onPrograms(1);
      return 1;
    }
    let least: Compared = { agreed: programs.length, difference: null, inconclusive: null };
    for (const [engine, shown] of answer.shown) {
      const compared = compareShown(programs.length, peer, shown);
      if (compared.agreed < least.agreed || (compared.agreed === least.agreed && least.difference === null)) least = compared;
      if (compared.difference) this.differs(batch, task, peer, engine, shown, compared);
    }
    this.agreed(batch, peer, least, answer.shown.find(([name]) => name === 'executor') ?? answer.shown[0]!);
    const unsettled = programs[least.agreed];
    if (unsettled && least.inconclusive !== null) this.inconclusive(unsettled.seed, role, least.inconclusive);
    const settled = least.agreed + (least.difference || least.inconclusive !== null ? 1 : 0);
    this.options.onPrograms(settled);
    return settled;
  }

  private agreed(
    { role, programs }: Batch,
    peer: Witnessed,
    { agreed, difference }: Compared,
    [, shown]: readonly [EngineName, Shown],
  ): void {
    const lines = difference ? peer.lines.slice(0, difference.line - 1) : peer.lines;
    this.check.programs[role] += agreed;
    this.check.lines += lines.length;
    this.check.hypercalls[role] += hypercallsIn(
      programs.map((one) => one.program),
      lines.slice(0, shown.lines.length),
    );
    this.check.operations.merge(shown.operations);
  }

  private inconclusive(seed: number, role: Role, why: string): void {
    this.check.inconclusive.push({ seed, role, why });
  }

  private differs(batch: Batch, task: Task, peer: Witnessed, engine: EngineName, shown: Shown, { agreed, difference }: Compared): void {
    const { seed } = batch.programs[agreed]!;
    const { line, peer: theirs, engine: ours } = difference!;
    const explained = explanationOf({ role: batch.role, peer: theirs, engine: ours });
    const folder = join(this.options.out, `peer-${batch.role}-${seed}`);
    if (explained === null) keep(folder, batch, task, peer, engine, shown);
    this.check.differences.push({ seed, role: batch.role, where: `line ${line}`, engine, peer: theirs, seen: ours, explained, folder });
  }
}

const witnessed = ({ consoles, ended }: Recording): Witnessed => ({
  lines: dom0Lines(consoles),
  end: ended.kind === 'shutdown' ? endText(ended.reason) : null,
  why: ended.kind === 'timeout' ? `no end within ${ended.seconds} s` : ended.kind === 'shutdown' ? '' : ended.why,
});

/** Keep what is needed to look at a difference again. */
const keep = (folder: string, batch: Batch, { images }: Task, peer: Witnessed, engine: string, shown: Shown): void => {
  mkdirSync(folder, { recursive: true });
  for (const [i, image] of images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
  writeFileSync(join(folder, 'programs.json'), `${JSON.stringify(batch.programs, null, 1)}\n`);
  writeFileSync(join(folder, 'peer.txt'), `${[...peer.lines, `end ${peer.end ?? peer.why}`].join('\n')}\n`, 'latin1');
  writeFileSync(join(folder, `${engine}.txt`), `${[...shown.lines, `end ${shown.notModelled ?? shown.end}`].join('\n')}\n`, 'latin1');
};
