/** What is right and wrong in domctls and sysctls that domain 0 is answered. Others are refused before any of it is looked at. */
import {
  PFINFO_MOST,
  XEN_DOMCTL_MONITOR_OP,
  XEN_DOMCTL_SCHEDOP,
  XEN_DOMCTL_SENDTRIGGER,
  XEN_SCHEDULER_CREDIT2,
  XEN_VCPUAFFINITY,
} from '#spec/abi/domctl.ts';
import type { LayoutName } from '#spec/abi/layouts.ts';
import {
  XEN_SCHEDULERS,
  XEN_SYSCTL_CPUPOOL_OP,
  XEN_SYSCTL_LIVEPATCH,
  XEN_SYSCTL_PAGE_OFFLINE,
  XEN_SYSCTL_PM_OP,
  XEN_SYSCTL_TBUFOP,
} from '#spec/abi/sysctl.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import type { Argument, Value } from '#spec/program.ts';
import { PAGES } from '../state.ts';
import { type Fault, mfn, POINTERS, va, wrongField } from './operation.ts';

export type OwnFields = {
  readonly layout: LayoutName;
  readonly fields: Readonly<Record<string, Argument>>;
  readonly faults: readonly (readonly Fault[])[];
  /** Fields whose kind says nothing here. */
  readonly spared?: readonly string[];
};

/** A bitmap of 64 bits. */
const bits = (word: Value): Argument => ({ array: [word], size: 8, show: 'nothing' });
/** A range of memory of virtual node 0. */
const range = (flags: number): Argument => ({ array: [0, '0x400000', flags], size: 8, show: 'nothing' });
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
  // A domain without a grant table is none that could be made.
  createdomain: {
    layout: 'domctl.createdomain',
    fields: { flags: 0, max_vcpus: 1, max_evtchn_port: 1023, max_grant_frames: 4, max_maptrack_frames: 4, grant_opts: 0 },
    faults: [
      wrongField(0, 'flags', { hvm: 1, hap: 2, devices: 32, unknown: 256 }),
      wrongField(0, 'max_vcpus', { none: 0, many: 8193 }),
      wrongField(0, 'grant_opts', { late: 3, unknown: 16 }),
      wrongField(0, 'emulation_flags', { one: 1, unknown: 0x800 }),
      wrongField(0, 'cpupool_id', { absent: 7 }),
      wrongField(0, 'misc_flags', { unknown: 2 }),
    ],
    spared: [
      'flags',
      'handle_0',
      'handle_1',
      'ssidref',
      'iommu_opts',
      'vmtrace_size',
      'max_evtchn_port',
      'max_grant_frames',
      'max_maptrack_frames',
    ],
  },
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
  setvcpuaffinity: {
    layout: 'domctl.vcpuaffinity',
    fields: { vcpu: 0, flags: XEN_VCPUAFFINITY.HARD, hard_bitmap: bits('0xff'), hard_bits: 8, soft_bitmap: bits(1), soft_bits: 64 },
    faults: [
      wrongField(0, 'flags', { none: 0, soft: 2, both: 3, other: 8 }),
      wrongField(0, 'hard_bitmap', { none: 0, nobody: bits(0) }),
      wrongField(0, 'hard_bits', { none: 0 }),
      wrongField(0, 'soft_bitmap', { none: 0 }),
    ],
    spared: ['flags'],
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
  get_cpu_policy: {
    layout: 'domctl.cpu_policy',
    fields: { nr_leaves: 0, nr_msrs: 2, leaves: 0, msrs: AREA },
    faults: [
      wrongField(0, 'nr_leaves', { few: 3, all: 60 }),
      wrongField(0, 'leaves', { there: { buffer: 1500, show: 'nothing' } }),
      wrongField(0, 'nr_msrs', { one: 1, many: 9 }),
      wrongField(0, 'msrs', { none: 0 }),
    ],
  },
  setvnumainfo: {
    layout: 'domctl.vnuma',
    fields: {
      nr_vnodes: 1,
      nr_vmemranges: 1,
      nr_vcpus: 1,
      vdistance: bits(10),
      vcpu_to_vnode: bits(0),
      vnode_to_pnode: bits(0),
      vmemrange: range(0),
    },
    faults: [
      wrongField(0, 'nr_vnodes', { none: 0, many: 33 }),
      wrongField(0, 'nr_vmemranges', { none: 0, many: 171 }),
      wrongField(0, 'nr_vcpus', { none: 0, two: 2 }),
      wrongField(0, 'pad', { set: 1 }),
      wrongField(0, 'vcpu_to_vnode', { 'no node': bits(1) }),
      wrongField(0, 'vnode_to_pnode', { 'no node': bits(64), 'absent node': bits(1) }),
      wrongField(0, 'vmemrange', { flags: range(1) }),
    ],
  },
  setdebugging: { layout: 'domctl.setdebugging', fields: { enable: 1 }, faults: [] },
  max_vcpus: { layout: 'domctl.max_vcpus', fields: { max: 1 }, faults: [] },
  set_access_required: { layout: 'domctl.access_required', fields: { access_required: 1 }, faults: [] },
  set_cpu_policy: {
    layout: 'domctl.cpu_policy',
    fields: { nr_leaves: 0, nr_msrs: 0, leaves: 0, msrs: 0 },
    faults: [],
    spared: ['leaves', 'msrs'],
  },
  soft_reset: HEAD_ALONE,
  soft_reset_cont: HEAD_ALONE,
  shadow_op: { layout: 'domctl.shadow_op', fields: { shadow: 0, dirty_bitmap: 0 }, faults: [], spared: ['dirty_bitmap'] },
  monitor_op: {
    layout: 'domctl.monitor_op',
    fields: { op: XEN_DOMCTL_MONITOR_OP.GET_CAPABILITIES, event: 0 },
    faults: [wrongField(0, 'op', { enable: 0, unknown: 9 }), wrongField(0, 'event', { beyond: 32 })],
  },
  psr_alloc: {
    layout: 'domctl.psr_alloc',
    fields: { question: 0, target: 0 },
    faults: [wrongField(0, 'question', { ask: 1, unknown: 10 })],
  },
  setnodeaffinity: {
    layout: 'domctl.nodeaffinity',
    fields: { bitmap: bits(1), bits: 64 },
    faults: [wrongField(0, 'bits', { none: 0, one: 1 }), wrongField(0, 'bitmap', { other: bits(2), all: bits('0xffffffffffffffff') })],
  },
  settimeoffset: {
    layout: 'domctl.settimeoffset',
    fields: { time_offset_seconds: 5 },
    faults: [wrongField(0, 'time_offset_seconds', { back: '0xffffffffffffffff', none: 0 })],
  },
  gettscinfo: { layout: 'domctl.tsc_info', fields: {}, faults: [] },
  settscinfo: { layout: 'domctl.tsc_info', fields: { tsc_mode: 0 }, faults: [wrongField(0, 'tsc_mode', { unknown: 3 })] },
  set_virq_handler: {
    layout: 'domctl.virq_handler',
    fields: { virq: VIRQ.CONSOLE },
    faults: [wrongField(0, 'virq', { 'of each vCPU': VIRQ.TIMER })],
  },
  hypercall_init: { layout: 'domctl.hypercall_init', fields: { gmfn: mfn(PAGES.data[0]) }, faults: [] },
  set_ext_vcpucontext: {
    layout: 'domctl.set_ext_vcpucontext',
    fields: { vcpu: 0, size: 64, mcg_cap: 2 },
    faults: [wrongField(0, 'size', { short: 31 })],
  },
  set_vcpu_msrs: {
    layout: 'domctl.vcpu_msrs',
    fields: { vcpu: 0, msr_count: 1, msrs: AREA },
    faults: [wrongField(0, 'msr_count', { many: 8 })],
  },
  getvcpucontext: {
    layout: 'domctl.vcpucontext',
    fields: { vcpu: 0, ctxt: '0x10000' },
    faults: [wrongField(0, 'vcpu', { beyond: 8192 })],
  },
  setvcpucontext: {
    layout: 'domctl.vcpucontext',
    fields: { vcpu: 0, ctxt: '0x10000' },
    faults: [wrongField(0, 'vcpu', { beyond: 8192 })],
    spared: ['ctxt'],
  },
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
  cpupool_op: {
    layout: 'sysctl.cpupool_op',
    fields: { op: XEN_SYSCTL_CPUPOOL_OP.INFO, cpupool_id: 0, sched_id: 99, domid: 0, cpu: 0, cpumap: AREA, bits: 64 },
    faults: [
      wrongField(0, 'op', { none: 0, create: 1, destroy: 2, add: 4, remove: 5, move: 6, free: 7, unknown: 8 }),
      wrongField(0, 'cpupool_id', { absent: 1, any: '0xffffffff' }),
      wrongField(0, 'domid', { absent: 0x7fe0 }),
      wrongField(0, 'cpu', { beyond: 300 }),
    ],
  },
  scheduler_op: {
    layout: 'sysctl.scheduler_op',
    fields: { cpupool_id: 0, sched_id: XEN_SCHEDULER_CREDIT2, question: 0, ratelimit_us: 1000 },
    faults: [
      wrongField(0, 'cpupool_id', { absent: 1 }),
      wrongField(0, 'sched_id', { another: XEN_SCHEDULERS[0] }),
      wrongField(0, 'question', { ask: 1, unknown: 2 }),
      wrongField(0, 'ratelimit_us', { none: 0, little: 99, much: 500001 }),
    ],
  },
  tbuf_op: {
    layout: 'sysctl.tbuf_op',
    fields: { question: XEN_SYSCTL_TBUFOP.get_info, cpu_mask: AREA, cpu_bits: 8, evt_mask: 0x1f000, size: 0 },
    faults: [wrongField(0, 'question', { processors: 1, events: 2, size: 3, enable: 4, disable: 5, unknown: 6 })],
  },
  get_pmstat: {
    layout: 'sysctl.get_pmstat',
    fields: { type: 0x21, cpuid: 0 },
    faults: [wrongField(0, 'type', { none: 0, frequencies: 0x11, reset: 0x23, unknown: 0x24 }), wrongField(0, 'cpuid', { beyond: 300 })],
  },
  pm_op: {
    layout: 'sysctl.pm_op',
    fields: { question: XEN_SYSCTL_PM_OP.get_max_cstate, cpuid: 0, value: 1 },
    faults: [
      wrongField(0, 'question', { none: 0, frequencies: 0x11, threads: 0x21, set: 0x23, turbo: 0x26, unknown: 0x28 }),
      wrongField(0, 'cpuid', { kinds: 1, beyond: 300 }),
    ],
  },
  cpu_hotplug: {
    layout: 'sysctl.cpu_hotplug',
    fields: { cpu: 0, op: 0 },
    faults: [wrongField(0, 'cpu', { beyond: 300 }), wrongField(0, 'op', { off: 1, threads: 2, unknown: 4 })],
  },
  readconsole: {
    layout: 'sysctl.readconsole',
    fields: { clear: 0, incremental: 0, index: 0, buffer: '0x10000', count: 16 },
    faults: [wrongField(0, 'buffer', { xen: '0xffff830000000000', hole: '0x800000000000' }), wrongField(0, 'clear', { set: 1 })],
    spared: ['buffer', 'incremental', 'index', 'count'],
  },
  livepatch_op: {
    layout: 'sysctl.livepatch_get',
    fields: { question: XEN_SYSCTL_LIVEPATCH.GET, pad: 0, name: AREA, name_size: 8 },
    faults: [
      wrongField(0, 'question', { upload: 0, list: 2, action: 3, unknown: 4 }),
      wrongField(0, 'pad', { set: 1 }),
      wrongField(0, 'name_size', { none: 0, long: 129 }),
      wrongField(0, 'name_pad0', { set: 1 }),
    ],
  },
  page_offline_op: {
    layout: 'sysctl.page_offline',
    fields: { question: XEN_SYSCTL_PAGE_OFFLINE.query, start: 0x100, end: 0x103, status: AREA },
    faults: [wrongField(0, 'question', { online: 2, unknown: 4 }), wrongField(0, 'start', { behind: 0x104, hole: 0xa0, last: 0x103 })],
  },
  get_cpu_policy: {
    layout: 'sysctl.cpu_policy',
    fields: { index: 2, nr_leaves: 0, nr_msrs: 2, reserved: 0, leaves: 0, msrs: AREA },
    faults: [
      wrongField(0, 'index', { unknown: 6, processor: 0 }),
      wrongField(0, 'reserved', { set: 1 }),
      wrongField(0, 'nr_leaves', { few: 3, all: 70 }),
      wrongField(0, 'leaves', { there: { buffer: 1700, show: 'nothing' } }),
      wrongField(0, 'nr_msrs', { one: 1, many: 9 }),
      wrongField(0, 'msrs', { none: 0 }),
    ],
  },
  get_cpu_featureset: {
    layout: 'sysctl.cpu_featureset',
    fields: { index: 2, nr_features: 19, features: AREA },
    faults: [
      wrongField(0, 'index', { unknown: 6, processor: 0 }),
      wrongField(0, 'nr_features', { none: 0, few: 3, many: 40 }),
      wrongField(0, 'features', { none: 0 }),
    ],
  },
  get_cpu_levelling_caps: { layout: 'sysctl.cpu_levelling_caps', fields: {}, faults: [] },
};
