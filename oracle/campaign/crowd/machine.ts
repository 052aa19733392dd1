/** The machine that a crowd runs on. Seeds draw what a configuration may be: processors, vCPUs, a RAM disk, an empty host, a build without identifier. */
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import type { XenRelease } from '#spec/releases/release.ts';

const DOM0_MIB = 16;
const DOMU_MIB = 8;
/** RAM of the machine in frames. */
const FRAMES = 0x5000;
/** Two pages, the second not whole. */
const DISK = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);

const hasDisk = (seed: number, domid: number): boolean => domid > 0 && (seed + domid) % 5 === 0;
/** The second vCPU is there, and nobody has initialised it, unless programs do. */
const vcpusOf = (seed: number, domid: number): number => (domid > 0 && (seed + domid) % 3 === 0 ? 2 : 1);
/** Whether nothing answers at ports but what Xen itself keeps. */
export const isHostEmpty = (seed: number): boolean => seed % 3 === 1;
/** Whether time passes so fast that seconds do within a crowd's life. */
export const isFast = (seed: number): boolean => seed % 7 === 3;

export const machineOf = (seed: number, domains: number, release: XenRelease): MachineConfig => {
  const numbers = Array.from({ length: domains }, (_, i) => i);
  const config = debian(
    release,
    numbers.map((domid) => ({
      ...(domid === 0 ? dom0('', DOM0_MIB) : domU(domid, '', DOMU_MIB)),
      vcpus: vcpusOf(seed, domid),
      ...(hasDisk(seed, domid) ? { initrd: DISK.length } : {}),
    })),
  );
  return {
    ...config,
    frames: FRAMES,
    pcpus: 1 + (seed % 2),
    ...(isHostEmpty(seed) ? { host: 'empty' as const } : {}),
    ...(seed % 11 === 0 ? { xen: { ...config.xen, build_id: '' } } : {}),
  };
};

/** What is handed over behind the domains' images. */
export const disksOf = (seed: number, domains: number): readonly Uint8Array[] =>
  Array.from({ length: domains }, (_, domid) => domid)
    .filter((domid) => hasDisk(seed, domid))
    .map(() => DISK);
