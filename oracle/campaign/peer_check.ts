/** Fresh programs on a peer and on both engines: every console line and the end must be the same. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput } from '#spec/failure.ts';
import type { Program } from '#spec/program.ts';
import { generateProgram } from '../generators/index.ts';
import { buildBatch, buildImages, domainsOf } from '../image/index.ts';
import { findPeer, PEERS, type PeerName } from '../peers/peers.ts';
import { ENGINES } from './engines.ts';
import { engineRecorder, peerRecorder, type Recorder, type Seen, transcript } from './recorder.ts';
import { batches, machineFor } from './seed_recordings.ts';

export type PeerDifference = {
  readonly seed: number;
  readonly where: string;
  readonly engine: string;
  readonly peer: string;
  readonly seen: string;
  readonly folder: string;
};
export type PeerCheck = {
  readonly peer: string;
  readonly version: string;
  /** Why nothing was compared; null when something was. */
  readonly unavailable: string | null;
  readonly seeds: { readonly first: number; readonly last: number };
  readonly programs: number;
  /** Seeds whose programs the peer cannot run: several domains. They do not count as programs. */
  readonly skipped: number;
  readonly boots: number;
  readonly lines: number;
  /** Programs in boots of which the peer did not show the end, or where an engine met something not modelled. */
  readonly inconclusive: readonly { readonly seeds: readonly number[]; readonly why: string }[];
  readonly differences: readonly PeerDifference[];
  readonly seconds: number;
};

export type PeerCheckOptions = {
  readonly peer: string;
  readonly first: number;
  /** Programs to compare; seeds that the peer cannot run are passed over. */
  readonly programs: number;
  readonly version: string;
  /** Folder for the images of boots that differ. */
  readonly out: string;
  /** Called after each boot with the number of its programs. */
  readonly onPrograms: (count: number) => void;
};

type Seeded = { readonly seed: number; readonly program: Program };
const PROGRAMS_A_BOOT = 25;

/** Everything that was seen, by lines, the end as the last. */
const linesOf = (seen: Seen): readonly string[] => [...transcript(seen), `end ${seen.reason ?? seen.why}`];

const compareSeen = (batch: readonly Seeded[], peer: Seen, engine: string, other: Seen): Omit<PeerDifference, 'folder'> | null => {
  const a = linesOf(peer);
  const b = linesOf(other);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === b[i]) continue;
    // A line begins with the number of its program in the batch.
    const number = Number(/^(\d+)\./.exec(a[i] ?? '')?.[1] ?? /^(\d+)\./.exec(b[i] ?? '')?.[1] ?? batch.length - 1);
    const seed = (batch[number] ?? batch.at(-1)!).seed;
    return { seed, where: `seed ${seed}, console line ${i + 1}`, engine, peer: a[i] ?? '(nothing)', seen: b[i] ?? '(nothing)' };
  }
  return null;
};

/** Throws BadInput for a peer that nobody knows. */
export const checkAgainstPeer = async (options: PeerCheckOptions): Promise<PeerCheck> => {
  if (!(PEERS as readonly string[]).includes(options.peer))
    throw new BadInput(`peer ${options.peer}: unknown; there are ${PEERS.join(', ')}`);
  const found = findPeer(options.peer as PeerName);
  const result = {
    programs: 0,
    skipped: 0,
    boots: 0,
    lines: 0,
    inconclusive: [] as { seeds: number[]; why: string }[],
    differences: [] as PeerDifference[],
  };
  const started = performance.now();
  let seed = options.first;
  const finish = (version: string, unavailable: string | null): PeerCheck => ({
    peer: options.peer,
    version,
    unavailable,
    seeds: { first: options.first, last: seed - 1 },
    ...result,
    seconds: (performance.now() - started) / 1000,
  });
  if (!found.available) return finish('', found.why);

  const recorder = peerRecorder(found);
  const engines: readonly (readonly [string, Recorder])[] = await Promise.all(
    ENGINES.map(async (name) => [name, await engineRecorder(name, options.version)] as const),
  );
  const programs: Seeded[] = [];
  for (; programs.length < options.programs; seed++) {
    const program = generateProgram(seed);
    if (domainsOf(program) <= recorder.domains) programs.push({ seed, program });
    else result.skipped++;
  }

  const judgeBatch = async (batch: readonly Seeded[]): Promise<void> => {
    const images = batch.length === 1 ? buildImages(batch[0]!.program) : [buildBatch(batch.map((b) => b.program))];
    const seen = await recorder.record(images, machineFor(batch[0]!.program));
    result.boots++;
    result.programs += batch.length;
    options.onPrograms(batch.length);
    const seeds = batch.map((b) => b.seed);
    if (seen.reason === null) {
      result.inconclusive.push({ seeds, why: `${options.peer}: ${seen.why}` });
      return;
    }
    result.lines += linesOf(seen).length;
    for (const [name, engine] of engines) {
      const other = await engine.record(images, seen.machine);
      if (other.reason === null && other.why?.startsWith('not modelled')) {
        result.inconclusive.push({ seeds, why: `${name}: ${other.why}` });
        continue;
      }
      const difference = compareSeen(batch, seen, name, other);
      if (difference) result.differences.push({ ...difference, folder: keep(options.out, batch, images, seen, name, other) });
    }
  };
  const queue = batches(programs, PROGRAMS_A_BOOT)[Symbol.iterator]();
  const serve = async (): Promise<void> => {
    for (const batch of queue) await judgeBatch(batch);
  };
  await Promise.all(Array.from({ length: recorder.width }, serve));
  return finish(found.version, null);
};

/** Keep what is needed to look at a difference again. */
const keep = (out: string, batch: readonly Seeded[], images: readonly Uint8Array[], peer: Seen, engine: string, other: Seen): string => {
  const folder = join(out, `peer-${batch[0]!.seed}`);
  mkdirSync(folder, { recursive: true });
  for (const [i, image] of images.entries()) writeFileSync(join(folder, `d${i}.elf`), image);
  writeFileSync(join(folder, 'programs.json'), `${JSON.stringify(batch, null, 1)}\n`);
  writeFileSync(join(folder, 'peer.txt'), `${linesOf(peer).join('\n')}\n`, 'latin1');
  writeFileSync(join(folder, `${engine}.txt`), `${linesOf(other).join('\n')}\n`, 'latin1');
  return folder;
};
