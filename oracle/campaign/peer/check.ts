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
import { Source } from './source.ts';
import { type Batch, dom0Images, dom0Machine, domuImage, farmMachine, type Role, vcpusOf, type Work } from './subject.ts';
import { dom0Lines, endText, linesIn, NO_END, type Shown } from './witness.ts';
import type { Task } from './worker.ts';

export type PeerCheckOptions = {
  readonly peer: string;
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
  /** Called with the number of programs that are settled, and of hypercalls compared in them. */
  readonly onProgress: (programs: number, hypercalls: number) => void;
};

/** Batches under way at once: while the peer runs some, our machines run others. */
const UNDER_WAY = 6;

/** Throws BadInput for a peer that nobody knows. */
export const checkAgainstPeer = async (options: PeerCheckOptions): Promise<PeerCheck> => {
  if (!(PEERS as readonly string[]).includes(options.peer))
    throw new BadInput(`peer ${options.peer}: unknown; there are ${PEERS.join(', ')}`);
  const found = findPeer(options.peer as PeerName);
  const started = performance.now();
  const source = new Source({ ...options, domains: found.available ? found.domains : 1 });
  const check: PeerCheck = {
    peer: options.peer,
    version: found.available ? found.version : '',
    unavailable: found.available ? null : found.why,
    seeds: { first: options.first, last: options.first - 1 },
    skipped: 0,
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

  private async asDomu({ programs }: Batch): Promise<void> {
    const vcpus = vcpusOf(programs[0]!);
    const images = programs.map(domuImage);
    const boot = await this.session.farm(
      images.map((image) => ({ image, vcpus })),
      farmMachine(vcpus),
    );
    this.check.boots++;
    if (boot.seen.length === 0) {
      for (const { seed } of programs) this.inconclusive(seed, 'domu', `${this.check.peer}: ${boot.why}`);
      return;
    }
    this.source.putBack({ role: 'domu', programs: programs.slice(boot.seen.length) });
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
      this.settled(1, 0);
      return 1;
    }
    let least: Compared = { agreed: programs.length, difference: null, inconclusive: null };
    for (const [engine, shown] of answer.shown) {
      const compared = compareShown(programs.length, peer, shown);
      if (compared.agreed < least.agreed || (compared.agreed === least.agreed && least.difference === null)) least = compared;
      if (compared.difference) this.differs(batch, task, peer, engine, shown, compared);
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
    this.check.lines += lines.length;
    this.check.hypercalls[role] += hypercalls;
    this.check.operations.merge(shown.operations);
    return hypercalls;
  }

  private inconclusive(seed: number, role: Role, why: string): void {
    this.check.inconclusive.push({ seed, role, why });
  }

  private differs(batch: Batch, task: Task, peer: Witnessed, engine: EngineName, shown: Shown, { agreed, difference }: Compared): void {
    const { seed, program } = batch.programs[agreed]!;
    const { line, peer: theirs, engine: ours } = difference!;
    const id = Number(/^(?:1> )?\d+\.(\d+) /.exec(ours)?.[1]);
    const step = program.steps.find((one) => one.id === id);
    const explained = explanationOf({ role: batch.role, peer: theirs, engine: ours, step });
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
