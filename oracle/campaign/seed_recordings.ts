/** Recordings of generated programs, several in one boot where they allow it. */
import { join } from 'node:path';
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { writeTrace } from '#traces/file.ts';
import { forRelease, generateProgram } from '../generators/index.ts';
import { buildBatch, buildImages, domainsOf } from '../image/index.ts';
import { PEER_MIB } from '../image/layout.ts';
import { programData, type Recorder, type Seen, traceOf } from './recorder.ts';

type Seeded = { readonly seed: number; readonly program: Program };
export type SeedJob = { readonly name: string; readonly run: () => Promise<Seen> };

/** Whether other programs can run after it in the same boot. */
const sharesBoot = (program: Program): boolean =>
  domainsOf(program) === 1 && program.vcpus !== 2 && !program.steps.some((step) => step.do === 'end');

/** The programs of one boot each: up to `most` that can share it, in the order of their seeds. */
export const batches = (programs: readonly Seeded[], most: number): readonly (readonly Seeded[])[] => {
  const out: Seeded[][] = [];
  let open: Seeded[] | null = null;
  for (const one of programs) {
    if (!sharesBoot(one.program)) {
      out.push([one]);
      continue;
    }
    if (open === null || open.length >= most) {
      open = [];
      out.push(open);
    }
    open.push(one);
  }
  return out;
};

/** The default machine for a program: real Xen gives domain 0 a vCPU for each CPU. */
export const machineFor = (program: Program): MachineConfig => {
  const vcpus = program.vcpus ?? 1;
  const machine = debian(
    program.release ?? REFERENCE_RELEASE,
    Array.from({ length: domainsOf(program) }, (_, i) => (i === 0 ? dom0('', undefined, vcpus) : domU(i, '', PEER_MIB))),
  );
  return { ...machine, pcpus: vcpus };
};

const nameOf = (batch: readonly Seeded[]): string => {
  const [first, last] = [batch[0]!.seed, batch.at(-1)!.seed];
  return first === last ? `seed-${first}` : `seeds-${first}-${last}`;
};

/** A job for each boot. Programs that span more domains than the recorder can have are left out. */
export const seedJobs = (
  recorder: Recorder,
  seeds: { readonly first: number; readonly last: number },
  most: number,
  folder: string,
  release: XenRelease = REFERENCE_RELEASE,
): readonly SeedJob[] => {
  const programs: Seeded[] = [];
  for (let seed = seeds.first; seed <= seeds.last; seed++) {
    const program = forRelease(generateProgram(seed, { destroys: null }), release);
    if (domainsOf(program) <= recorder.domains) programs.push({ seed, program });
  }
  return batches(programs, most).map((batch) => ({ name: nameOf(batch), run: () => recordBatch(recorder, batch, folder) }));
};

const recordBatch = async (recorder: Recorder, batch: readonly Seeded[], folder: string): Promise<Seen> => {
  const [first] = batch as readonly [Seeded, ...Seeded[]];
  const images = batch.length === 1 ? buildImages(first.program) : [buildBatch(batch.map((one) => one.program))];
  const seen = await recorder.record(images, machineFor(first.program));
  if (seen.reason === null) return seen;
  const title = `generated programs of seeds ${batch.map((one) => one.seed).join(', ')}`;
  const program = programData(batch.length === 1 ? first.program : batch.map((one) => one.program));
  writeTrace(join(folder, `${nameOf(batch)}.trace.gz`), traceOf(recorder, images, seen, { title, program, seed: first.seed, clauses: [] }));
  return seen;
};
