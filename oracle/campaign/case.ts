/** One generated case: a program, the images it compiles to, and the machine that runs them. */
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program } from '#spec/program.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { denseProgram, forRelease, generateProgram, variedProgram } from '../generators/index.ts';
import { buildImages } from '../image/index.ts';
import { readScripts } from './conformance.ts';

export type Case = {
  readonly seed: number;
  readonly program: Program;
  readonly config: MachineConfig;
  readonly images: readonly Uint8Array[];
  readonly work: Work;
};

/** Programs of every kind of step, those that spend their time in Xen, or variations of the conformance scripts. */
export type Work = 'mixed' | 'dense' | 'varied';

/** Memory of a generated domain in MiB: small, because every boot fills its tables; the programs never look at the size. */
const DOM0_MIB = 16;
const DOMU_MIB = 8;
/** RAM of the machine in frames (64 MiB): what no domain owns costs time at every boot, too. */
const FRAMES = 0x4000;

/** Compile a program and give it a machine with as many domains as it has parts. */
export const caseOf = (program: Program, seed: number, work: Work = 'mixed'): Case => {
  const images = buildImages(program);
  const domains = images.map((_, i) => (i === 0 ? dom0('', DOM0_MIB, program.vcpus) : domU(i, '', DOMU_MIB)));
  return { seed, program, config: { ...debian(program.release ?? REFERENCE_RELEASE, domains), frames: FRAMES }, images, work };
};

/** The case of a seed. Mixed: even seeds are state-aware, odd ones undirected, and every fourth spans two domains. */
export const caseOfSeed = (seed: number, work: Work = 'mixed', release: XenRelease = REFERENCE_RELEASE): Case =>
  caseOf(forRelease(programOf(seed, work), release), seed, work);

/** Read when they are first wanted; Throws BadInput where there is no checkout. */
let scripts: readonly Program[] | null = null;
const corpus = (): readonly Program[] => {
  scripts ??= readScripts().map(({ script }) => script.program);
  return scripts;
};

const programOf = (seed: number, work: Work): Program => {
  if (work === 'varied') return variedProgram(seed, corpus());
  return work === 'dense' ? denseProgram(seed) : generateProgram(seed);
};
