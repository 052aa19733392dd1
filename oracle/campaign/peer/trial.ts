/** One program once more: alone on the peer and on the machine of ours that differed. */
import type { Program } from '#spec/program.ts';
import type { Farmed, Recording, Session } from '../../peers/peer.ts';
import type { EngineName } from '../engines.ts';
import { type Compared, compareShown, type Witnessed } from './compare.ts';
import type { Crew } from './crew.ts';
import { explanationOf } from './explained.ts';
import { PAIR } from './pair.ts';
import { type Batch, dom0Images, dom0Machine, domuImages, farmMachine, type Role, vcpusOf } from './subject.ts';
import { dom0Lines, endText, NO_END, type Shown } from './witness.ts';
import type { Task } from './worker.ts';

/** What two machines showed of a program. `difference` is null when they agree, or when an entry explains what they do not agree on. */
export type Trial = { readonly task: Task; readonly peer: Witnessed; readonly shown: Shown; readonly difference: Compared['difference'] };

export const witnessed = ({ consoles, ended }: Recording): Witnessed => ({
  lines: dom0Lines(consoles),
  end: ended.kind === 'shutdown' ? endText(ended.reason) : null,
  why: ended.kind === 'timeout' ? `no end within ${ended.seconds} s` : ended.kind === 'shutdown' ? '' : ended.why,
});

/** What the peer showed of programs inside fresh domains, in one boot; those that it did not come to are missing. */
export const witnessDomains = async (
  session: Session,
  { programs }: Batch,
): Promise<{ readonly seen: readonly { readonly task: Task; readonly peer: Witnessed }[]; readonly why: string }> => {
  const vcpus = vcpusOf(programs[0]!);
  const images = programs.map(domuImages);
  const boot = await session.farm(
    images.flatMap((some) => some.map((image, i) => ({ image, vcpus, domid: PAIR[i]!, beside: i + 1 < some.length }))),
    farmMachine(vcpus, programs[0]!.program.release),
  );
  let next = 0;
  const seen = images.flatMap((some) => {
    const farmed = boot.seen.slice(next, next + some.length);
    next += some.length;
    if (farmed.length === 0) return [];
    const task: Task = { role: 'domu', machine: boot.machine, images: some, vcpus };
    return [{ task, peer: together(farmed, some.length) }];
  });
  return { seen, why: boot.why };
};

/** What the domains of one program came to. */
const together = (farmed: readonly Farmed[], count: number): Witnessed => {
  const ends = farmed.map(({ outcome }) =>
    outcome.kind === 'shutdown' ? endText(outcome.reason) : outcome.kind === 'silent' ? NO_END : null,
  );
  const whys = farmed.map(({ outcome }) =>
    outcome.kind === 'lost' ? outcome.why : outcome.kind === 'not built' ? `${outcome.step} answered ${outcome.result}` : '',
  );
  const isWhole = farmed.length === count && !ends.includes(null);
  return {
    lines: dom0Lines(farmed.map(({ log }) => log)),
    end: isWhole ? ends.join(', ') : null,
    why: whys.find((why) => why !== '') ?? (isWhole ? '' : 'a domain is missing'),
  };
};

/** The step that a line tells of, where it tells of one. */
export const stepOf = (program: Program, line: string) => {
  const id = Number(/^(?:1> )?\d+\.(\d+) /.exec(line)?.[1]);
  return program.steps.find((one) => one.id === id);
};

export type Bench = { readonly session: Session; readonly crew: Crew; readonly engine: EngineName };

/** Each program alone; null where one could not be tried. Inside fresh domains they share a boot. */
export const tryAlone = async (bench: Bench, role: Role, programs: readonly Program[]): Promise<readonly (Trial | null)[]> => {
  const batch = (some: readonly Program[]): Batch => ({ role, programs: some.map((program) => ({ seed: 0, work: 'mixed', program })) });
  if (role === 'domu') {
    const { seen } = await witnessDomains(bench.session, batch(programs));
    return Promise.all(programs.map((program, i) => (seen[i] ? judge(bench, program, seen[i].task, seen[i].peer) : null)));
  }
  return Promise.all(
    programs.map(async (program) => {
      const images = dom0Images(batch([program]));
      const recording = await bench.session.record(images, dom0Machine(batch([program])));
      return judge(bench, program, { role: 'dom0', machine: recording.machine, images }, witnessed(recording));
    }),
  );
};

const judge = async ({ crew, engine }: Bench, program: Program, task: Task, peer: Witnessed): Promise<Trial | null> => {
  const answer = await crew.show(task);
  const shown = 'bug' in answer ? undefined : answer.shown.find(([name]) => name === engine)?.[1];
  if (!shown) return null;
  const { difference } = compareShown(1, peer, shown);
  const known =
    difference &&
    explanationOf({
      ...{ role: task.role, peer: difference.peer, engine: difference.engine },
      ...{ step: stepOf(program, difference.engine), shared: shown.lines.slice(0, difference.line - 1), ended: shown.end },
    });
  return { task, peer, shown, difference: known === null ? difference : null };
};
