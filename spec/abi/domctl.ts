/**
 * What a domctl carries behind its head (command, version, domain): operations that domain 0 is answered. Source: Xen public header `domctl.h`,
 * x86-64 layout.
 */
import { layout } from './layout.ts';

const BYTES = 144;

export const XEN_DOMCTL_PSR_CMT_OP = 75;

/** Room for the union behind the head; offsets count from the structure's beginning. */
const op = <const F extends Parameters<typeof layout>[1]>(fields: F) => layout(BYTES, fields);

/** Commands that Xen was built without, on x86 or at all. */
export const XEN_DOMCTL_NOT_BUILT = {
  real_mode_area: 26,
  set_opt_feature: 44,
  mem_sharing_op: 57,
  audit_p2m: 65,
  cacheflush: 71,
  vuart_op: 81,
  gdbsx_guestmemio: 1000,
  gdbsx_pausevcpu: 1001,
  gdbsx_unpausevcpu: 1002,
  gdbsx_domstatus: 1003,
} as const;
/** Commands about HVM guests alone, which are EINVAL for any other. */
export const XEN_DOMCTL_HVM = {
  gethvmcontext: 33,
  sethvmcontext: 34,
  debug_op: 54,
  gethvmcontext_partial: 55,
  set_broken_page_p2m: 67,
  vmtrace_op: 84,
} as const;
/** Commands that want an IOMMU, or the memory pool of an HVM guest's page tables. */
export const XEN_DOMCTL_UNSUPPORTED = {
  assign_device: 37,
  test_assign_device: 45,
  deassign_device: 47,
  get_paging_mempool_size: 85,
  set_paging_mempool_size: 86,
} as const;
/** Commands that are carried out. */
export const XEN_DOMCTL_MODELLED = {
  destroydomain: 2,
  pausedomain: 3,
  unpausedomain: 4,
  getdomaininfo: 5,
  max_mem: 11,
  getvcpuinfo: 14,
  scheduler_op: 16,
  setdomainhandle: 17,
  getvcpuaffinity: 25,
  resumedomain: 27,
  sendtrigger: 28,
  subscribe: 29,
  set_address_size: 35,
  get_address_size: 36,
  get_ext_vcpucontext: 43,
  getpageframeinfo3: 61,
  getnodeaffinity: 69,
  get_vcpu_msrs: 72,
} as const;

/** Commands of the toolstack beyond those: some are carried out, others refused, some stop. spec/matrix says which. */
export const XEN_DOMCTL_TOOLS = {
  setvcpuaffinity: 9,
  shadow_op: 10,
  setvcpucontext: 12,
  getvcpucontext: 13,
  max_vcpus: 15,
  setdebugging: 18,
  hypercall_init: 22,
  soft_reset_cont: 23,
  settimeoffset: 24,
  set_ext_vcpucontext: 42,
  gettscinfo: 59,
  settscinfo: 60,
  setvcpuextstate: 62,
  getvcpuextstate: 63,
  set_access_required: 64,
  set_virq_handler: 66,
  setnodeaffinity: 68,
  set_vcpu_msrs: 73,
  setvnumainfo: 74,
  monitor_op: 77,
  psr_alloc: 78,
  soft_reset: 79,
  get_cpu_policy: 82,
  set_cpu_policy: 83,
} as const;

/** `flags` of createdomain. */
export const XEN_DOMCTL_CDF = {
  hvm: 1,
  hap: 2,
  s3_integrity: 4,
  oos_off: 8,
  xs_domain: 16,
  iommu: 32,
  nested_virt: 64,
  vpmu: 128,
} as const;
/** `misc_flags`: registers that Xen does not know may be read. */
export const XEN_X86_MSR_RELAXED = 1;
/** Of `grant_opts` the bits of the highest version; what the reference allows of versions, frames and map tracking. */
export const GRANT_VERSION_MASK = 0xf;
export const MOST_GRANTS = { version: 2, frames: 64, maptrack_frames: 1024 } as const;
/** vCPUs of a PV and of an HVM guest. */
export const MOST_VCPUS = { pv: 8192, hvm: 128 } as const;
/** Emulated devices, one bit each; what an HVM guest may have is all but the last, or the local APIC alone. */
export const XEN_X86_EMU = { ALL: 0x7ff, LAPIC: 1, PIT: 0x100, VPCI: 0x400 } as const;

export const XEN_DOMCTL_SHADOW_OP = {
  OFF: 0,
  ENABLE_TEST: 1,
  ENABLE_LOGDIRTY: 2,
  CLEAN: 11,
  PEEK: 12,
  GET_ALLOCATION: 30,
  SET_ALLOCATION: 31,
  ENABLE: 32,
} as const;
/** `mode` of SHADOW_OP_ENABLE. */
export const XEN_DOMCTL_SHADOW_ENABLE = { REFCOUNT: 2, LOG_DIRTY: 4, TRANSLATE: 8, EXTERNAL: 16 } as const;
/** `mode` of CLEAN and PEEK. */
export const XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL = 1;

/** Pauses of one domain that domain 0 may have open. */
export const MOST_PAUSES = 255;

/** `flags` of getdomaininfo; from bit 16 on the reason of SCHEDOP_shutdown, all ones when there is none. */
export const XEN_DOMINF = {
  dying: 1,
  hvm_guest: 2,
  shutdown: 4,
  paused: 8,
  blocked: 16,
  running: 32,
  debugged: 64,
  shutdownshift: 16,
} as const;
/** Emulated devices of a PV domain: domain 0 has the timer (PIT). */
export const XEN_X86_EMU_PIT = 0x100;
/** The type of a frame, as getpageframeinfo3 tells it. */
export const XEN_DOMCTL_PFINFO = {
  NOTAB: 0,
  L1TAB: 0x10000000,
  L2TAB: 0x20000000,
  L3TAB: 0x30000000,
  L4TAB: 0x40000000,
  LPINTAB: 0x80000000,
  XTAB: 0xf0000000,
} as const;
/** Frames that one getpageframeinfo3 may name. */
export const PFINFO_MOST = 1024;

export const XEN_VCPUAFFINITY = { HARD: 1, SOFT: 2 } as const;
/** The credit2 scheduler, its operations, and what a domain begins with. */
export const XEN_SCHEDULER_CREDIT2 = 6;
export const XEN_DOMCTL_SCHEDOP = { putinfo: 0, getinfo: 1, putvcpuinfo: 2, getvcpuinfo: 3 } as const;
export const CREDIT2_WEIGHT = 256;
export const XEN_DOMCTL_SENDTRIGGER = { NMI: 0, RESET: 1, INIT: 2, POWER: 3, SLEEP: 4 } as const;
/** Registers that get_vcpu_msrs may tell: spec control, CPUID faulting, TSC_AUX, four address masks of AMD. */
export const VCPU_MSRS = 7;

/**
 * vcpuextstate: bytes of the two words at the head; the least with an area for XSAVE; the components that the reference machine's processor has,
 * and the bytes that all of them take.
 */
export const XSTATE = { HEAD: 16, LEAST: 592, MASK: 0x21f, MOST: 0xa98 } as const;
/** psr_alloc: how many commands there are. */
export const PSR_COMMANDS = 10;
/** psr_alloc: commands that ask, and write the structure back whatever the outcome. */
export const PSR_GETS: readonly number[] = [1, 4, 5, 7, 9];
export const XEN_DOMCTL_MONITOR_OP = { ENABLE: 0, DISABLE: 1, GET_CAPABILITIES: 2, EMULATE_EACH_REP: 3, CONTROL_REGISTERS: 4 } as const;
/** Events that monitor_op may name: one bit each of 32. */
export const MONITOR_EVENTS = 32;
/** settscinfo: who reads the time-stamp counter for the domain. */
export const TSC_MODE = { DEFAULT: 0, ALWAYS_EMULATE: 1, NEVER_EMULATE: 2 } as const;

/** getdomaininfo's answer, 112 bytes; also an element of getdomaininfolist. */
const INFO = {
  domid: [0, 2, 'domid', 'out'],
  flags: [4, 4, 'flags', 'out'],
  tot_pages: [8, 8, 'number', 'out'],
  max_pages: [16, 8, 'number', 'out'],
  outstanding_pages: [24, 8, 'number', 'out'],
  shr_pages: [32, 8, 'number', 'out'],
  paged_pages: [40, 8, 'number', 'out'],
  shared_info_frame: [48, 8, 'mfn', 'out'],
  cpu_time: [56, 8, 'time', 'out'],
  nr_online_vcpus: [64, 4, 'number', 'out'],
  max_vcpu_id: [68, 4, 'number', 'out'],
  ssidref: [72, 4, 'number', 'out'],
  handle_0: [76, 8, 'number', 'out'],
  handle_1: [84, 8, 'number', 'out'],
  cpupool: [92, 4, 'number', 'out'],
  gpaddr_bits: [96, 1, 'number', 'out'],
  emulation_flags: [104, 4, 'flags', 'out'],
  misc_flags: [108, 4, 'flags', 'out'],
} as const;
const HEAD_BYTES = 16;
const behindHead = <const F extends Readonly<Record<string, readonly [number, number, ...unknown[]]>>>(rows: F): F =>
  Object.fromEntries(Object.entries(rows).map(([name, [at, ...rest]]) => [name, [at + HEAD_BYTES, ...rest]])) as unknown as F;

export const domctl_info = layout(112, INFO);

export const domctl = {
  getdomaininfo: op(behindHead(INFO)),
  /** A bitmap is an address and its number of bits. */
  vcpuaffinity: op({
    vcpu: [16, 4, 'vcpu'],
    flags: [20, 4, 'flags'],
    hard_bitmap: [24, 8, 'pointer'],
    hard_bits: [32, 4],
    soft_bitmap: [40, 8, 'pointer'],
    soft_bits: [48, 4],
  }),
  nodeaffinity: op({ bitmap: [16, 8, 'pointer'], bits: [24, 4] }),
  max_mem: op({ max_memkb: [16, 8] }),
  getvcpuinfo: op({
    vcpu: [16, 4, 'vcpu'],
    online: [20, 1, 'flags', 'out'],
    blocked: [21, 1, 'flags', 'out'],
    running: [22, 1, 'flags', 'out'],
    cpu_time: [24, 8, 'time', 'out'],
    /** Programs do not look at it: where a vCPU was last is policy. Both machines say 0 of one that is on no processor. */
    cpu: [32, 4, 'padding', 'out'],
  }),
  scheduler_op: op({ sched_id: [16, 4], operation: [20, 4], weight: [24, 2, 'number', 'inout'], cap: [26, 2, 'number', 'inout'] }),
  setdomainhandle: op({ handle_0: [16, 8], handle_1: [24, 8] }),
  sendtrigger: op({ trigger: [16, 4], vcpu: [20, 4, 'vcpu'] }),
  subscribe: op({ port: [16, 4] }),
  address_size: op({ size: [16, 4, 'number', 'inout'] }),
  ext_vcpucontext: op({
    vcpu: [16, 4, 'vcpu'],
    size: [20, 4, 'number', 'out'],
    syscall32_callback_eip: [24, 8, 'vaddr', 'out'],
    sysenter_callback_eip: [32, 8, 'vaddr', 'out'],
    syscall32_callback_cs: [40, 2, 'number', 'out'],
    sysenter_callback_cs: [42, 2, 'number', 'out'],
    syscall32_disables_events: [44, 1, 'flags', 'out'],
    sysenter_disables_events: [45, 1, 'flags', 'out'],
    mcg_cap: [48, 8, 'flags', 'out'],
    mci_ctl2_bank0: [56, 8, 'number', 'out'],
    mci_ctl2_bank1: [64, 8, 'number', 'out'],
    mcg_ext_ctl: [72, 8, 'number', 'out'],
  }),
  getpageframeinfo3: op({ num: [16, 8], array: [24, 8, 'pointer'] }),
  vcpu_msrs: op({ vcpu: [16, 4, 'vcpu'], msr_count: [20, 4, 'number', 'inout'], msrs: [24, 8, 'pointer'] }),
  vcpucontext: op({ vcpu: [16, 4, 'vcpu'], ctxt: [24, 8, 'pointer'] }),
  max_vcpus: op({ max: [16, 4] }),
  setdebugging: op({ enable: [16, 1] }),
  hypercall_init: op({ gmfn: [16, 8, 'mfn'] }),
  settimeoffset: op({ time_offset_seconds: [16, 8] }),
  /** The same places as ext_vcpucontext, whose fields are answers. Machine-check registers stand from `mcg_cap` on. */
  set_ext_vcpucontext: op({
    vcpu: [16, 4, 'vcpu'],
    size: [20, 4],
    syscall32_callback_eip: [24, 8, 'vaddr'],
    sysenter_callback_eip: [32, 8, 'vaddr'],
    syscall32_callback_cs: [40, 2],
    sysenter_callback_cs: [42, 2],
    syscall32_disables_events: [44, 1],
    sysenter_disables_events: [45, 1],
    mcg_cap: [48, 8],
    mci_ctl2_bank0: [56, 8],
    mci_ctl2_bank1: [64, 8],
    mcg_ext_ctl: [72, 8],
  }),
  tsc_info: op({
    tsc_mode: [16, 4, 'number', 'inout'],
    gtsc_khz: [20, 4, 'time', 'inout'],
    incarnation: [24, 4, 'number', 'inout'],
    elapsed_nsec: [32, 8, 'time', 'inout'],
  }),
  vcpuextstate: op({
    vcpu: [16, 4, 'vcpu'],
    xfeature_mask: [24, 8, 'number', 'inout'],
    size: [32, 8, 'number', 'inout'],
    buffer: [40, 8, 'pointer'],
  }),
  access_required: op({ access_required: [16, 1] }),
  virq_handler: op({ virq: [16, 4, 'virq'] }),
  vnuma: op({
    nr_vnodes: [16, 4],
    nr_vmemranges: [20, 4],
    nr_vcpus: [24, 4],
    pad: [28, 4],
    vdistance: [32, 8, 'pointer'],
    vcpu_to_vnode: [40, 8, 'pointer'],
    vnode_to_pnode: [48, 8, 'pointer'],
    vmemrange: [56, 8, 'pointer'],
  }),
  monitor_op: op({ op: [16, 4], event: [20, 4, 'number', 'inout'] }),
  /** `data` is left open: programs do not look. */
  psr_alloc: op({ question: [16, 4], target: [20, 4], data: [24, 8, 'padding', 'out'] }),
  cpu_policy: op({
    nr_leaves: [16, 4, 'number', 'inout'],
    nr_msrs: [20, 4, 'number', 'inout'],
    leaves: [24, 8, 'pointer'],
    msrs: [32, 8, 'pointer'],
    err_leaf: [40, 4, 'number', 'out'],
    err_subleaf: [44, 4, 'number', 'out'],
    err_msr: [48, 4, 'number', 'out'],
  }),
  shadow_op: op({
    shadow: [16, 4],
    mode: [20, 4],
    mb: [24, 4, 'number', 'inout'],
    dirty_bitmap: [32, 8, 'pointer'],
    pages: [40, 8, 'number', 'inout'],
    fault_count: [48, 4, 'number', 'out'],
    dirty_count: [52, 4, 'number', 'out'],
  }),
  iomem_permission: op({ first_mfn: [16, 8], nr_mfns: [24, 8], allow_access: [32, 1] }),
  createdomain: op({
    ssidref: [16, 4],
    handle_0: [20, 8],
    handle_1: [28, 8],
    flags: [36, 4, 'flags'],
    iommu_opts: [40, 4, 'flags'],
    max_vcpus: [44, 4],
    max_evtchn_port: [48, 4],
    max_grant_frames: [52, 4],
    max_maptrack_frames: [56, 4],
    grant_opts: [60, 4, 'flags'],
    vmtrace_size: [64, 4],
    cpupool_id: [68, 4],
    emulation_flags: [72, 4, 'flags'],
    misc_flags: [76, 4, 'flags'],
  }),
} as const;
