/** mca: machine checks, which domain 0 collects. Source: Xen public header `xen-mca.h`, x86-64 layout. */
import { layout } from './layout.ts';

export const XEN_MCA_INTERFACE_VERSION = 0x01ecc003;
export const XEN_MC = { fetch: 1, notifydomain: 2, physcpuinfo: 3, msrinject: 4, mceinject: 5, inject_v2: 6 } as const;
/** Flags of fetch: which queue (one of the first two), and whether an entry of it is given back. */
export const XEN_MC_FETCH = { NONURGENT: 1, URGENT: 2, ACK: 4 } as const;
/** What fetch answers in the flags when nothing has happened. */
export const XEN_MC_NODATA = 2;

/** Feature words that Xen keeps of a processor: where CPUID has them, and the bits that Xen takes away. */
const CAPS = [
  { leaf: 1, subleaf: null, register: 'edx', without: 1 << 11 }, // SYSENTER, which AMD's processors lack in long mode
  { leaf: 1, subleaf: null, register: 'ecx', without: 1 << 27 }, // OSXSAVE, which is a choice and no feature
  { leaf: 0x80000001, subleaf: null, register: 'edx', without: 0x0183f3ff }, // what leaf 1 says already
  { leaf: 0x80000001, subleaf: null, register: 'ecx', without: 0 },
  { leaf: 0xd, subleaf: 1, register: 'eax', without: 0 },
  { leaf: 7, subleaf: 0, register: 'ebx', without: 1 << 22 }, // PCOMMIT
  { leaf: 7, subleaf: 0, register: 'ecx', without: (1 << 16) | (1 << 31) }, // 5-level paging, supervisor keys
] as const;
export type CpuCap = {
  readonly leaf: number;
  readonly subleaf: number | null;
  readonly register: 'eax' | 'ebx' | 'ecx' | 'edx';
  readonly without: number;
};
const LAST_CAP = CAPS.length - 1;
const CAPS_WITH_ALL: readonly CpuCap[] = CAPS.map((cap, i) => (i === LAST_CAP ? { ...cap, without: 0 } : cap));
/** By what the release does of 5-level paging and supervisor keys. */
export const XEN_CPU_CAPS: Readonly<Record<'less' | 'all', readonly CpuCap[]>> = { less: CAPS, all: CAPS_WITH_ALL };
/** Number of an AMD processor's maker. */
export const XEN_VENDOR_AMD = 2;
/** The one register that physcpuinfo tells of, and what the reference machine's says. */
export const MCA_CAPABILITY = { msr: 0x179, value: 0x100010an } as const;

const MCA_BYTES = 152;

export const mca = {
  head: layout(MCA_BYTES, { cmd: [0, 4], interface_version: [4, 4] }),
  fetch: layout(MCA_BYTES, { flags: [8, 4, 'flags', 'inout'], fetch_id: [16, 8, 'number', 'inout'], data: [24, 8, 'pointer'] }),
  physcpuinfo: layout(MCA_BYTES, { ncpus: [8, 4, 'number', 'inout'], info: [16, 8, 'pointer'] }),
  /** One element of what `info` points at: a processor. */
  logical_cpu: layout(304, {
    cpunr: [0, 4, 'number', 'out'],
    chipid: [4, 4, 'number', 'out'],
    coreid: [8, 2, 'number', 'out'],
    threadid: [10, 2, 'number', 'out'],
    apicid: [12, 4, 'number', 'out'],
    clusterid: [16, 4, 'number', 'out'],
    ncores: [20, 4, 'number', 'out'],
    ncores_active: [24, 4, 'number', 'out'],
    nthreads: [28, 4, 'number', 'out'],
    cpuid_level: [32, 4, 'number', 'out'],
    family: [36, 4, 'number', 'out'],
    vendor: [40, 4, 'number', 'out'],
    model: [44, 4, 'number', 'out'],
    step: [48, 4, 'number', 'out'],
    vendorid: [52, 16, 'string', 'out'],
    brandid: [68, 64, 'string', 'out'],
    /** Seven words of features as Xen keeps them. */
    cpu_caps: [132, 28, 'flags', 'out'],
    cache_size: [160, 4, 'number', 'out'],
    cache_alignment: [164, 4, 'number', 'out'],
    nmsrvals: [168, 4, 'number', 'out'],
    msr: [176, 8, 'number', 'out'],
    msr_value: [184, 8, 'number', 'out'],
  }),
} as const;
