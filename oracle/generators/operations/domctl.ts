/** What is right and wrong in domctls and sysctls that domain 0 is answered. Others are refused before any of it is looked at. */
import { PFINFO_MOST, XEN_DOMCTL_SCHEDOP, XEN_DOMCTL_SENDTRIGGER, XEN_SCHEDULER_CREDIT2, XEN_VCPUAFFINITY } from '#spec/abi/domctl.ts';
import type { LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Value } from '#spec/program.ts';
import { PAGES } from '../state.ts';
import { type Fault, mfn, POINTERS, va, wrongField } from './operation.ts';

export type OwnFields = {
  readonly layout: LayoutName;
  readonly fields: Readonly<Record<string, Argument>>;
  readonly faults: readonly (readonly Fault[])[];
};

/** Xen may write here. */
const AREA: Value = va(PAGES.times, 0x400);
const frames: Argument = {
  array: [mfn(PAGES.data[0]), { page: 'l4', as: 'mfn' }, { page: 'shared_info', as: 'mfn' }],
  size: 8,
  show: 'hex',
};
const ADDRESS_SIZE = 'domctl.address_size';
/** Operations about the caller's own domain, which is refused: the head is all they have. */
const HEAD_ALONE: OwnFields = { layout: ADDRESS_SIZE, fields: {}, faults: [] };

export const OWN_DOMCTLS: Readonly<Record<string, OwnFields>> = {
  destroydomain: HEAD_ALONE,
  pausedomain: HEAD_ALONE,
  unpausedomain: HEAD_ALONE,
  resumedomain: HEAD_ALONE,
  getdomaininfo: { layout: 'domctl.getdomaininfo', fields: {}, faults: [] },
  max_mem: { layout: 'domctl.max_mem', fields: { max_memkb: '0x10000000' }, faults: [] },
  getvcpuinfo: { layout: 'domctl.getvcpuinfo', fields: { vcpu: 0 }, faults: [] },
  scheduler_op: {
    layout: 'domctl.scheduler_op',
    fields: { sched_id: XEN_SCHEDULER_CREDIT2, operation: XEN_DOMCTL_SCHEDOP.getinfo, weight: 300, cap: 0 },
    faults: [
      wrongField(0, 'sched_id', { another: 5, none: 0 }),
      wrongField(0, 'operation', { vcpus: XEN_DOMCTL_SCHEDOP.getvcpuinfo, unknown: 9 }),
    ],
  },
  setdomainhandle: {
    layout: 'domctl.setdomainhandle',
    fields: { handle_0: '0x1122334455667788', handle_1: '0x99aabbccddeeff00' },
    faults: [],
  },
  getvcpuaffinity: {
    layout: 'domctl.vcpuaffinity',
    fields: { vcpu: 0, flags: XEN_VCPUAFFINITY.HARD, hard_bitmap: AREA, hard_bits: 64, soft_bitmap: AREA, soft_bits: 8 },
    faults: [wrongField(0, 'flags', { none: 0 }), wrongField(0, 'hard_bitmap', { none: 0 })],
  },
  sendtrigger: {
    layout: 'domctl.sendtrigger',
    fields: { trigger: XEN_DOMCTL_SENDTRIGGER.RESET, vcpu: 0 },
    faults: [wrongField(0, 'trigger', { power: XEN_DOMCTL_SENDTRIGGER.POWER, unknown: 9 })],
  },
  subscribe: { layout: 'domctl.subscribe', fields: { port: 0 }, faults: [] },
  set_address_size: { layout: ADDRESS_SIZE, fields: { size: 64 }, faults: [wrongField(0, 'size', { compat: 32, odd: 16 })] },
  get_address_size: { layout: ADDRESS_SIZE, fields: {}, faults: [] },
  get_ext_vcpucontext: { layout: 'domctl.ext_vcpucontext', fields: { vcpu: 0 }, faults: [] },
  getpageframeinfo3: {
    layout: 'domctl.getpageframeinfo3',
    fields: { num: 3, array: frames },
    faults: [wrongField(0, 'num', { many: PFINFO_MOST + 1, far: '0x100000001' })],
  },
  getnodeaffinity: { layout: 'domctl.nodeaffinity', fields: { bitmap: AREA, bits: 64 }, faults: [] },
  get_vcpu_msrs: { layout: 'domctl.vcpu_msrs', fields: { vcpu: 0, msr_count: 7, msrs: AREA }, faults: [] },
};

export const OWN_SYSCTLS: Readonly<Record<string, OwnFields>> = {
  physinfo: { layout: 'sysctl.physinfo', fields: {}, faults: [] },
  sched_id: { layout: 'sysctl.sched_id', fields: {}, faults: [] },
  getdomaininfolist: {
    layout: 'sysctl.getdomaininfolist',
    fields: { first_domain: 0, max_domains: 4, buffer: AREA },
    faults: [wrongField(0, 'first_domain', { beyond: 0x7ff0 }), wrongField(0, 'max_domains', { none: 0 })],
  },
  debug_keys: { layout: 'sysctl.debug_keys', fields: { keys: 0, nr_keys: 0 }, faults: [] },
  getcpuinfo: {
    layout: 'sysctl.getcpuinfo',
    fields: { max_cpus: 8, info: AREA },
    faults: [wrongField(0, 'max_cpus', { none: 0 })],
  },
  availheap: {
    layout: 'sysctl.availheap',
    fields: { min_bitwidth: 0, max_bitwidth: 0, node: '0xffffffff' },
    faults: [wrongField(0, 'node', { absent: 1, negative: '0x80000000' })],
  },
  cputopoinfo: {
    layout: 'sysctl.cputopoinfo',
    fields: { num_cpus: 8, cputopo: AREA },
    faults: [wrongField(0, 'num_cpus', { none: 0 }), wrongField(0, 'cputopo', { none: 0 })],
  },
  numainfo: {
    layout: 'sysctl.numainfo',
    fields: { num_nodes: 8, meminfo: AREA, distance: AREA },
    faults: [wrongField(0, 'num_nodes', { none: 0 }), wrongField(0, 'meminfo', { none: 0 }), wrongField(0, 'distance', { none: 0 })],
  },
  pcitopoinfo: {
    layout: 'sysctl.pcitopoinfo',
    fields: { num_devs: 2, devs: va(PAGES.times), nodes: AREA },
    faults: [wrongField(0, 'num_devs', { none: 0 }), wrongField(0, 'devs', { none: 0, ...POINTERS }), wrongField(0, 'nodes', { none: 0 })],
  },
  psr_alloc: { layout: 'sysctl.psr_alloc', fields: { question: 0 }, faults: [wrongField(0, 'question', { unknown: 3, far: 99 })] },
  get_cpu_levelling_caps: { layout: 'sysctl.cpu_levelling_caps', fields: {}, faults: [] },
};
