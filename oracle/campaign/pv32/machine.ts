/** The machines that 32-bit programs run on. */
import type { MachineConfig } from '#spec/config.ts';
import { debian } from '#spec/machines/debian.ts';
import { dom0, domU } from '#spec/machines/debian_4_17.ts';
import { withCompat } from '#spec/machines/pv32.ts';
import { REFERENCE_RELEASE, type XenRelease } from '#spec/releases/release.ts';
import type { Subject } from '../../compare/lockstep.ts';
import { writeElf } from '../../image/elf.ts';
import { PAGES } from './layout.ts';
import { imageOf, type Pv32Program } from './program.ts';

/** As the only domain, or beside a 64-bit domain 0 that sleeps; or as domain 0 beside such a domain. */
export type Role = 'dom0' | 'domu';
export type Company = 'dom0 with company';

const DOM0_PAGES = 1024;
const IDLE_BASE = 0x200000;
/** Stops its periodic timer, then blocks again and again. */
const IDLE_CODE = [
  ...[0xbf, 7, 0, 0, 0, 0x31, 0xf6, 0x31, 0xd2, 0xb8, 24, 0, 0, 0, 0x0f, 0x05],
  ...[0xbf, 1, 0, 0, 0, 0xb8, 29, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf2],
];
const IDLE = writeElf({
  segments: [{ address: IDLE_BASE, bytes: Uint8Array.from(IDLE_CODE), size: 8192 }],
  entry: IDLE_BASE,
  virtBase: IDLE_BASE,
  hypercallPage: IDLE_BASE + 4096,
});

const domainsOf = (role: Role | Company) => {
  if (role === 'dom0') return [{ ...dom0(), pages: PAGES }];
  return role === 'domu'
    ? [
        { ...dom0(), pages: DOM0_PAGES },
        { ...domU(1), pages: PAGES },
      ]
    : [
        { ...dom0(), pages: PAGES },
        { ...domU(1), pages: DOM0_PAGES },
      ];
};

const configOf = (role: Role | Company, release: XenRelease): MachineConfig => {
  const own = domainsOf(role);
  const config = debian(release, own);
  return withCompat({ ...config, frames: config.layout.domheap_first + own.reduce((sum, { pages }) => sum + pages, 0) });
};

/** First frame of the memory of the guest. */
export const firstFrameOf = (role: Role): number => {
  const { layout } = configOf(role, REFERENCE_RELEASE);
  return layout.domheap_first + (role === 'dom0' ? 0 : DOM0_PAGES);
};

/** The program's image on its machine. */
export const subjectOf = (program: Pv32Program, role: Role | Company, release: XenRelease): Subject => {
  const image = imageOf(program);
  const images = { dom0: [image], domu: [IDLE, image], 'dom0 with company': [image, IDLE] };
  return { config: configOf(role, release), images: images[role] };
};
