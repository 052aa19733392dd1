/** A difference between a peer and a machine of ours as a folder that explains itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import type { Compared } from './compare.ts';
import type { Shrunk } from './shrink.ts';
import { domuMachine, type Role } from './subject.ts';
import type { Trial } from './trial.ts';

export type Kept = {
  readonly seed: number;
  readonly role: Role;
  readonly work: 'mixed' | 'dense';
  readonly release: XenRelease;
  readonly peer: string;
  readonly engine: string;
  /** As generated, and those that ran before it in the same domain. */
  readonly original: Program;
  readonly before: readonly Program[];
  readonly mutant: string | null;
  /** As first seen. */
  readonly seen: Trial;
  /** `not again` when the program alone showed no difference. */
  readonly shrunk: Shrunk | 'not again' | 'not tried';
};

const lastWord = (end: string | null, why: string): string => `end ${end ?? why}`;

export const keepDifference = (folder: string, kept: Kept): void => {
  const { original, before, engine } = kept;
  const shrunk = typeof kept.shrunk === 'object' ? kept.shrunk : null;
  const { task, peer, shown, difference } = shrunk?.trial ?? kept.seen;
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string | Uint8Array): void => writeFileSync(join(folder, name), text, 'latin1');
  const json = (name: string, value: unknown): void => put(name, `${JSON.stringify(value, null, 1)}\n`);
  for (const [i, image] of task.images.entries()) put(`d${i}.elf`, image);
  // Domain 1's lines stay in its memory on a release build; for a reader Xen takes them.
  const ours = task.role === 'domu' ? domuMachine(task.images, task.vcpus, task.machine) : task.machine;
  json('machine.json', task.role === 'domu' ? { ...ours, xen: { ...ours.xen, verbose_debug: true } } : ours);
  json('program.json', shrunk?.program ?? original);
  json('original.json', original);
  if (before.length > 0) json('before.json', before);
  json('difference.json', difference);
  put('peer.txt', `${[...peer.lines, lastWord(peer.end, peer.why)].join('\n')}\n`);
  put(
    `${engine}.txt`,
    `${[...shown.lines, lastWord(shown.notModelled === null ? shown.end : null, shown.notModelled ?? '')].join('\n')}\n`,
  );
  put('README.txt', `${readme(kept, difference)}\n`);
};

/** What became of the program. */
const storyOf = ({ shrunk, original, before, peer }: Kept): string => {
  if (typeof shrunk === 'object')
    return `${shrunk.program.steps.length} steps (generated with ${original.steps.length}), after ${shrunk.trials} trials on ${peer}`;
  const whole = `${original.steps.length} steps, as generated${before.length > 0 ? `, behind those of before.json in one domain` : ''}`;
  return shrunk === 'not tried'
    ? `${whole}; not made smaller, as others were`
    : `${whole}. Alone it shows no difference: what ran before it on the same machine matters`;
};

const readme = (kept: Kept, difference: Compared['difference']): string => {
  const { seed, role, work, release, peer, engine, mutant, shrunk, seen } = kept;
  const planted = mutant === null ? '' : ` --mutant ${mutant}`;
  const { images } = (typeof shrunk === 'object' ? shrunk.trial : seen).task;
  const others = images.length > 1 ? ' --domU d1.elf' : '';
  return [
    `seed ${seed} as ${role}: line ${difference?.line} differs`,
    `  ${peer}: ${difference?.peer}`,
    `  ${engine}: ${difference?.engine}`,
    `  program: ${storyOf(kept)}`,
    '',
    'The commands below work in this folder. In a checkout, `npm run -s xenspec --` stands for `xenspec`.',
    ...(mutant === null ? [] : [`The bug was planted on purpose: ${mutant}. Without \`${planted.trim()}\` the machines are whole.`]),
    '',
    'Again from the seed:',
    `  xenspec check --peer ${peer}${release === REFERENCE_RELEASE ? '' : ` --xen ${release}`}${work === 'dense' ? ' --hypercalls 1' : ''} --seeds ${seed} --as ${role} --on ${engine}${planted}`,
    ...(role === 'dom0'
      ? ['', 'This program alone, on our machine:', `  xenspec run d0.elf${others} --machine machine.json --on ${engine}`]
      : ['', `machine.json is the machine on which ${engine} ran d0.elf as domain 1; domain 0 only sleeps there.`]),
    '',
    `Files: dN.elf images; program.json the program, original.json as generated; peer.txt and ${engine}.txt all lines of both; difference.json the`,
    'first one that differs; machine.json the configuration.',
  ].join('\n');
};
