/** The machines of spec/machines/debian_4_17.ts with another release of Xen: Debian's packages of bullseye and trixie, on the same QEMU. */
import type { CpuidLeaf, DomainConfig, MachineConfig } from '../config.ts';
import type { XenRelease } from '../releases/release.ts';
import { debian_4_17 } from './debian_4_17.ts';

type Difference = {
  /** What Xen says of itself. */
  readonly xen: Partial<MachineConfig['xen']>;
  /** Leaves behind the forced-emulation prefix: registers that are not the reference's, by leaf and subleaf. */
  readonly cpuid: readonly (Pick<CpuidLeaf, 'leaf' | 'subleaf'> & Partial<CpuidLeaf>)[];
  /** What Xen takes the TSC's rate to be. */
  readonly tscKhz: number;
};

/** Measured. */
const DIFFERENCES: Readonly<Record<XenRelease, Difference>> = {
  '4.14': {
    xen: {
      minor: 14,
      extraversion: '.6',
      compiler: 'x86_64-linux-gnu-gcc (Debian 10.2.1-6) 10.2.1 20210110',
      compile_date: 'Thu Sep 21 14:55:59 UTC 2023',
      build_id: '1cea1236a7cae92b5aba43b4d031999970dd31da',
      features_dom0: 0x28f0,
      features_domu: 0x20f0,
    },
    cpuid: [
      { leaf: 0x40000001, subleaf: null, eax: 0x4000e },
      { leaf: 0x40000003, subleaf: 2, eax: 1_000_007 },
    ],
    tscKhz: 1_000_007,
  },
  '4.17': { xen: {}, cpuid: [], tscKhz: 1_000_000 },
  '4.20': {
    xen: {
      minor: 20,
      extraversion: '.5-pre',
      compiler: 'x86_64-linux-gnu-gcc (Debian 14.2.0-19) 14.2.0',
      compile_date: 'Tue Nov  3 20:11:50 UTC 2026',
      build_id: '576c0736b3e38388c5afe9aaccc43a18d514e88e',
      features_dom0: 0x1e28f0,
      features_domu: 0x1e20f0,
    },
    // The size of the XSAVE area is that of an XCR0 which no guest has set.
    cpuid: [
      { leaf: 0xd, subleaf: 0, ebx: 0 },
      { leaf: 0x40000001, subleaf: null, eax: 0x40014 },
    ],
    tscKhz: 1_000_000,
  },
};

/** The default machine with Xen of a release. */
export const debian = (release: XenRelease, domains?: readonly DomainConfig[], lenient = false): MachineConfig => {
  const reference = debian_4_17(domains, lenient);
  const { xen, cpuid, tscKhz } = DIFFERENCES[release];
  const forced = reference.cpu.cpuid_forced.map((row) => ({
    ...row,
    ...cpuid.find(({ leaf, subleaf }) => leaf === row.leaf && subleaf === row.subleaf),
  }));
  return { ...reference, release, xen: { ...reference.xen, ...xen }, cpu: { ...reference.cpu, cpuid_forced: forced, tsc_khz: tscKhz } };
};
