/** What a sysctl carries behind its head (command, version). Source: Xen public header `sysctl.h`, x86-64 layout. */
import { layout } from './layout.ts';

const BYTES = 136;

const op = <const F extends Parameters<typeof layout>[1]>(fields: F) => layout(BYTES, fields);

/** livepatch_op: its operation, and the name of the patch that it is about. */
const PATCH = {
  question: [8, 4],
  pad: [12, 4],
  name: [16, 8, 'pointer'],
  name_size: [24, 2],
  name_pad0: [26, 2],
  name_pad1: [28, 2],
  name_pad2: [30, 2],
} as const;

/** Commands that are carried out; none of them changes anything. */
export const XEN_SYSCTL_MODELLED = {
  physinfo: 3,
  sched_id: 4,
  getdomaininfolist: 6,
  debug_keys: 7,
  getcpuinfo: 8,
  availheap: 9,
  cputopoinfo: 16,
  numainfo: 17,
  pcitopoinfo: 22,
  psr_alloc: 23,
  get_cpu_levelling_caps: 25,
} as const;

/** Commands beyond those: spec/matrix says which are carried out. */
export const XEN_SYSCTL_TOOLS = {
  readconsole: 1,
  tbuf_op: 2,
  get_pmstat: 10,
  cpu_hotplug: 11,
  pm_op: 12,
  page_offline_op: 14,
  cpupool_op: 18,
  scheduler_op: 19,
  get_cpu_featureset: 26,
  livepatch_op: 27,
  get_cpu_policy: 29,
} as const;
export const XEN_SYSCTL_TBUFOP = { get_info: 0, set_cpu_mask: 1, set_evt_mask: 2, set_size: 3, enable: 4, disable: 5 } as const;
/** The trace events that are on at first: all classes. */
export const TRC_ALL = 0x0ffff000;
/** Schedulers that Xen knows: credit, credit2, ARINC 653, real-time, null. */
export const XEN_SCHEDULERS: readonly number[] = [5, 6, 7, 8, 9];
/** Any number of a pool, any processor. */
export const XEN_SYSCTL_CPUPOOL_PAR_ANY = 0xffffffff;
export const XEN_SYSCTL_CPUPOOL_OP = { CREATE: 1, DESTROY: 2, INFO: 3, ADDCPU: 4, RMCPU: 5, MOVEDOMAIN: 6, FREEINFO: 7 } as const;
/** scheduler_op: `ratelimit_us` of the credit2 scheduler. */
export const XEN_SYSCTL_SCHEDOP = { putinfo: 0, getinfo: 1 } as const;
export const CREDIT2_RATELIMIT = { atFirst: 1000, least: 100, most: 500000 } as const;
/** get_pmstat: what is asked about idle states, and how many of those there are. */
export const PMSTAT = { category: 0xf0, CX: 0x20, get_max_cx: 0x21, get_cxstat: 0x22, reset_cxstat: 0x23 } as const;
export const IDLE_STATES = 2;
export const XEN_SYSCTL_PM_OP = {
  category: 0xf0,
  CPUFREQ: 0x10,
  set_sched_opt_smt: 0x21,
  get_max_cstate: 0x22,
  set_max_cstate: 0x23,
  enable_turbo: 0x26,
  disable_turbo: 0x27,
} as const;
/** The deepest idle state and the deepest of its kinds, at first. */
export const CSTATES_AT_FIRST = { one: [1, 0xffffffff], any: [0xffffffff, 0xffffffff] } as const;
export const XEN_SYSCTL_CPU_HOTPLUG = { ONLINE: 0, OFFLINE: 1 } as const;
export const XEN_SYSCTL_PAGE_OFFLINE = { offline: 1, online: 2, query: 3 } as const;
/** What page_offline_op says of a frame that it did not come to. */
export const PG_OFFLINE_INVALID = 1;
/** get_cpu_featureset and get_cpu_policy: the processor, what Xen uses, what PV guests (HVM guests) have, and may have at most. */
export const XEN_SYSCTL_FEATURESET = { raw: 0, host: 1, pv: 2, hvm: 3, pv_max: 4, hvm_max: 5 } as const;
export const XEN_SYSCTL_POLICY = { raw: 0, host: 1, pv_max: 2, hvm_max: 3, pv_default: 4, hvm_default: 5 } as const;

export const XEN_SYSCTL_LIVEPATCH = { UPLOAD: 0, GET: 1, LIST: 2, ACTION: 3 } as const;
/** Most bytes of a patch's name with its final 0, and of the patch; most patches listed at once. */
export const LIVEPATCH = { name: 128, payload: 2 * 1024 * 1024, listed: 1024 } as const;

/** HVM and PV guests, nested paging, both versions of grant tables. */
export const PHYSCAP = 0x30b;
/** Where grant tables are not told of: memory shared between processor and devices is. */
export const PHYSCAP_SHORT = 0x1b;
export const MAX_NODE_ID = 63;
/** Which CPUID leaves Xen can make a processor answer otherwise. */
export const LEVELLING_CAPS = 0x19e;
/** What cputopoinfo says of a processor whose core nobody told, and pcitopoinfo of a device that is not there. */
export const XEN_INVALID_CORE_ID = 0xffffffff;
export const XEN_INVALID_DEV = 0xfffffffe;
/** Distance of a node from itself. */
export const NODE_SELF = 10;
/** psr_alloc: the questions; the others are unknown. */
export const PSR_QUESTIONS = 3;

export const sysctl = {
  /** `free_pages` is what nobody has, `max_mfn` how much memory there is: programs do not look. `hw_cap_n`: two words of the processor's capabilities. */
  physinfo: op({
    threads_per_core: [8, 4, 'number', 'out'],
    cores_per_socket: [12, 4, 'number', 'out'],
    nr_cpus: [16, 4, 'number', 'out'],
    max_cpu_id: [20, 4, 'number', 'out'],
    nr_nodes: [24, 4, 'number', 'out'],
    max_node_id: [28, 4, 'number', 'out'],
    cpu_khz: [32, 4, 'time', 'out'],
    capabilities: [36, 4, 'flags', 'out'],
    arch_capabilities: [40, 4, 'flags', 'out'],
    pad: [44, 4, 'padding', 'out'],
    total_pages: [48, 8, 'number', 'out'],
    free_pages: [56, 8, 'padding', 'out'],
    scrub_pages: [64, 8, 'number', 'out'],
    outstanding_pages: [72, 8, 'number', 'out'],
    max_mfn: [80, 8, 'padding', 'out'],
    hw_cap_0: [88, 8, 'flags', 'out'],
    hw_cap_1: [96, 8, 'flags', 'out'],
    hw_cap_2: [104, 8, 'flags', 'out'],
    hw_cap_3: [112, 8, 'flags', 'out'],
  }),
  sched_id: op({ sched_id: [8, 4, 'number', 'out'] }),
  getdomaininfolist: op({
    first_domain: [8, 2],
    max_domains: [12, 4],
    buffer: [16, 8, 'pointer'],
    num_domains: [24, 4, 'number', 'out'],
  }),
  debug_keys: op({ keys: [8, 8, 'pointer'], nr_keys: [16, 4] }),
  getcpuinfo: op({ max_cpus: [8, 4], info: [16, 8, 'pointer'], nr_cpus: [24, 4, 'number', 'out'] }),
  availheap: op({ min_bitwidth: [8, 4], max_bitwidth: [12, 4], node: [16, 4], avail_bytes: [24, 8, 'padding', 'out'] }),
  cputopoinfo: op({ num_cpus: [8, 4, 'number', 'inout'], cputopo: [16, 8, 'pointer'] }),
  numainfo: op({ num_nodes: [8, 4, 'number', 'inout'], meminfo: [16, 8, 'pointer'], distance: [24, 8, 'pointer'] }),
  pcitopoinfo: op({ num_devs: [8, 4, 'number', 'inout'], devs: [16, 8, 'pointer'], nodes: [24, 8, 'pointer'] }),
  psr_alloc: op({ question: [8, 4], target: [12, 4] }),
  readconsole: op({
    clear: [8, 1],
    incremental: [9, 1],
    index: [12, 4, 'number', 'inout'],
    buffer: [16, 8, 'pointer'],
    count: [24, 4, 'number', 'inout'],
  }),
  tbuf_op: op({
    question: [8, 4],
    cpu_mask: [16, 8, 'pointer'],
    cpu_bits: [24, 4],
    evt_mask: [32, 4, 'number', 'inout'],
    buffer_mfn: [40, 8, 'number', 'out'],
    size: [48, 4, 'number', 'inout'],
  }),
  cpupool_op: op({
    op: [8, 4],
    cpupool_id: [12, 4, 'number', 'inout'],
    sched_id: [16, 4, 'number', 'inout'],
    domid: [20, 4],
    cpu: [24, 4],
    n_dom: [28, 4, 'number', 'out'],
    cpumap: [32, 8, 'pointer'],
    bits: [40, 4],
  }),
  scheduler_op: op({ cpupool_id: [8, 4], sched_id: [12, 4], question: [16, 4], ratelimit_us: [24, 4, 'number', 'inout'] }),
  cpu_featureset: op({ index: [8, 4], nr_features: [12, 4, 'number', 'inout'], features: [16, 8, 'pointer'] }),
  cpu_policy: op({
    index: [8, 4],
    nr_leaves: [12, 4, 'number', 'inout'],
    nr_msrs: [16, 4, 'number', 'inout'],
    reserved: [20, 4],
    leaves: [24, 8, 'pointer'],
    msrs: [32, 8, 'pointer'],
  }),
  get_pmstat: op({ type: [8, 4], cpuid: [12, 4], nr: [16, 4, 'number', 'out'] }),
  cpu_hotplug: op({ cpu: [8, 4], op: [12, 4] }),
  pm_op: op({ question: [8, 4], cpuid: [12, 4], value: [16, 4, 'number', 'inout'] }),
  page_offline: op({ question: [8, 4], start: [12, 4], end: [16, 4], status: [24, 8, 'pointer'] }),
  livepatch_upload: op({ ...PATCH, size: [32, 8], payload: [40, 8, 'pointer'] }),
  livepatch_get: op({ ...PATCH, state: [32, 4, 'number', 'out'], rc: [36, 4, 'number', 'out'] }),
  livepatch_action: op({ ...PATCH, action: [32, 4], timeout: [36, 4], flags: [40, 4], action_pad: [44, 4] }),
  livepatch_list: op({
    question: [8, 4],
    pad: [12, 4],
    version: [16, 4, 'number', 'out'],
    idx: [20, 4],
    nr: [24, 4, 'number', 'inout'],
    list_pad: [28, 4],
    name_total_size: [32, 4, 'number', 'out'],
    metadata_total_size: [36, 4, 'number', 'out'],
    status: [40, 8, 'pointer'],
    name: [48, 8, 'pointer'],
    len: [56, 8, 'pointer'],
    metadata: [64, 8, 'pointer'],
    metadata_len: [72, 8, 'pointer'],
  }),
  cpu_levelling_caps: op({ caps: [8, 4, 'flags', 'out'] }),
} as const;
