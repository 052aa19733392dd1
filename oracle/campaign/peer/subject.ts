/** What is run on a peer: programs by seed, in the roles that a peer can give them. */
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { debian_4_17, dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { Program } from '#spec/program.ts';
import { CONTROL_ANSWERED } from '#spec/releases/control.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import { denseProgram, forRelease, generateProgram } from '../../generators/index.ts';
import { buildBatch, buildImages, domainsOf } from '../../image/index.ts';
import { PEER_MIB } from '../../image/layout.ts';
import { CRADLE_END } from '../../image/toolstack/cradle.ts';
import { domainPages } from '../../image/toolstack/module.ts';
import { asPair, canBePair, PAIR, withEnd } from './pair.ts';

export type Role = 'dom0' | 'domu';
export const ROLES: readonly Role[] = ['dom0', 'domu'];

/** `work`: as what the seed's program was made. */
export type Seeded = { readonly seed: number; readonly work: Work; readonly program: Program };

/** Programs that run one after the other in one domain, or a single one. */
export type Batch = { readonly role: Role; readonly programs: readonly Seeded[] };

const PAGES_A_MIB = 256;
/** Memory of the machine and of its domain 0 in MiB, as much as the programs need: a machine that is remembered is restored page by page. */
const MACHINE_MIB = 40;
const DOM0_MIB = 16;
/** The same where domain 0 builds domains from a module of many programs. */
const FARM_MIB = 64;
const FARM_DOM0_MIB = 32;

/** `mixed` programs are the same in every role, but that of two domUs one may come to its end anywhere; `dense` ones spend their time in Xen, with the calls that suit who makes them. */
export type Work = 'mixed' | 'dense';

const DENSE = {
  dom0: { portable: true, alone: 'pv64_dom0' },
  domu: { portable: true, alone: 'pv64_domU' },
} as const;

/** The program of a seed, for a release of Xen. Domains are destroyed where it is known what domain 0 is answered meanwhile. */
export const programOf = (seed: number, work: Work, role: Role, release: XenRelease): Program => {
  const program = forRelease(
    work === 'mixed' ? generateProgram(seed, { destroys: CONTROL_ANSWERED[release] ? 'resting' : null }) : denseProgram(seed, DENSE[role]),
    release,
  );
  return role === 'domu' && domainsOf(program) === 2 && canBePair(program) ? withEnd(program, seed) : program;
};

const releaseOf = (program: Program): XenRelease => program.release ?? REFERENCE_RELEASE;

/** Whether other programs can run after it in the same domain. */
const isOrderly = (program: Program): boolean =>
  domainsOf(program) === 1 && program.vcpus !== 2 && !program.steps.some((step) => step.do === 'end');

/** Programs as domain 0: up to `most` orderly ones share a boot; those that end otherwise, have two vCPUs or two domains have one to themselves. */
export const dom0Batches = (programs: readonly Seeded[], most: number): Batch[] => {
  const orderly = programs.filter(({ program }) => isOrderly(program));
  const alone = programs.filter(({ program }) => !isOrderly(program));
  const shared = Array.from({ length: Math.ceil(orderly.length / most) }, (_, i) => orderly.slice(i * most, (i + 1) * most));
  return [...shared, ...alone.map((one) => [one])].map((batch) => ({ role: 'dom0', programs: batch }));
};

/** Programs inside fresh domains: those of two domains, which run side by side, then the others by the number of their vCPUs: that many CPUs does the machine have. */
export const domuBatches = (programs: readonly Seeded[], most: number): Batch[] => {
  const single = programs.filter(({ program }) => domainsOf(program) === 1);
  const pairs = programs.filter(({ program }) => domainsOf(program) === 2 && canBePair(program));
  const together = Array.from(
    { length: Math.ceil(pairs.length / most) },
    (_, i): Batch => ({ role: 'domu', programs: pairs.slice(i * most, (i + 1) * most) }),
  );
  return [...together, ...byVcpus(single, most)];
};

const byVcpus = (single: readonly Seeded[], most: number): Batch[] =>
  [1, 2].flatMap((vcpus) => {
    const some = single.filter(({ program }) => (program.vcpus ?? 1) === vcpus);
    return Array.from(
      { length: Math.ceil(some.length / most) },
      (_, i): Batch => ({ role: 'domu', programs: some.slice(i * most, (i + 1) * most) }),
    );
  });

export const vcpusOf = ({ program }: Seeded): number => program.vcpus ?? 1;

/** The firmware keeps the last frames to itself. */
const FIRMWARE_FRAMES = 32;
const hexOf = (frames: number): string => `0x${(frames * 4096).toString(16)}`;

/** RAM of so many MiB, and the memory map that tells of it: all rows but those about the end of RAM are the default machine's. */
const memoryOf = (mib: number): Pick<MachineConfig, 'frames' | 'e820'> => {
  const machine = debian_4_17();
  const frames = mib * PAGES_A_MIB - FIRMWARE_FRAMES;
  const [oldEnd, end] = [hexOf(machine.frames), hexOf(frames)];
  const e820 = machine.e820.map(([address, size, type]): [string, string, number] => {
    if (address === oldEnd) return [end, size, type];
    return BigInt(address) + BigInt(size) === BigInt(oldEnd)
      ? [address, `0x${(BigInt(end) - BigInt(address)).toString(16)}`, type]
      : [address, size, type];
  });
  return { frames, e820 };
};

/** Images of a batch as domain 0, as long as all are, so that they can be laid into a machine that has booted. */
export const dom0Images = ({ programs }: Batch): readonly Uint8Array[] =>
  programs.length === 1
    ? buildImages(programs[0]!.program, CRADLE_END)
    : [
        buildBatch(
          programs.map((one) => one.program),
          CRADLE_END,
        ),
      ];

/** Real Xen gives domain 0 a vCPU for each CPU. */
export const dom0Machine = ({ programs }: Batch): MachineConfig => {
  const { program } = programs[0]!;
  const vcpus = program.vcpus ?? 1;

  const domains = domainsOf(program) === 1 ? [dom0('', DOM0_MIB, vcpus)] : [dom0('', DOM0_MIB, vcpus), domU(1, '', PEER_MIB)];
  return { ...debian(releaseOf(program), domains), pcpus: vcpus, ...memoryOf(MACHINE_MIB) };
};

/** Images of a program inside fresh domains: of domain 1, and of domain 2 where it takes two. */
export const domuImages = ({ program }: Seeded): readonly Uint8Array[] =>
  domainsOf(program) === 1 ? buildImages(program) : buildImages(asPair(program), 0, PAIR);

/** The machine whose domain 0 builds domains; its domain 1 stands for them. */
export const farmMachine = (vcpus: number, release: XenRelease = REFERENCE_RELEASE): MachineConfig => ({
  ...debian(release, [dom0('', FARM_DOM0_MIB, vcpus), domU(1)]),
  pcpus: vcpus,
  ...memoryOf(FARM_MIB),
});

/** Memory of a domain 0 that only sleeps, in MiB. */
const IDLE_MIB = 4;

/**
 * The same program on our machines: a domain 0 that sleeps, and domain 1, maybe domain 2. A release build of Xen takes no line from it, and neither does this one; the lines
 * stay in its memory.
 */
export const domuMachine = (images: readonly Uint8Array[], vcpus: number, farmed: MachineConfig): MachineConfig => ({
  ...farmed,
  xen: { ...farmed.xen, verbose_debug: false },
  domains: [dom0('', IDLE_MIB, vcpus), ...images.map((image, i) => ({ ...domU(PAIR[i]!, '', domainPages(image) / PAGES_A_MIB), vcpus }))],
});

/** First frame of the memory of the domain at that place in such a machine. */
export const domuFrame = ({ layout, domains }: MachineConfig, place: number): number =>
  domains.slice(0, place).reduce((frame, { pages }) => frame + pages, layout.domheap_first);
