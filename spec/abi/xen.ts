/** Constants and structures shared by all hypercalls. Source: Xen public headers `xen.h`, `arch-x86/xen.h`. */
import { layout } from './layout.ts';

export const DOMID = { FIRST_RESERVED: 0x7ff0, SELF: 0x7ff0, IO: 0x7ff1, XEN: 0x7ff2, COW: 0x7ff3, INVALID: 0x7ff4, IDLE: 0x7fff } as const;

export const VIRQ = {
  TIMER: 0,
  DEBUG: 1,
  CONSOLE: 2,
  DOM_EXC: 3,
  TBUF: 4,
  DEBUGGER: 6,
  XENOPROF: 7,
  CON_RING: 8,
  PCPU_STATE: 9,
  MEM_EVENT: 10,
  ARGO: 11,
  ENOMEM: 12,
  XENPMU: 13,
  ARCH_0: 16,
  ARCH_1: 17,
  ARCH_2: 18,
  ARCH_3: 19,
  ARCH_4: 20,
  ARCH_5: 21,
  ARCH_6: 22,
  ARCH_7: 23,
} as const;
export const NR_VIRQS = 24;

export const SHUTDOWN = { poweroff: 0, reboot: 1, suspend: 2, crash: 3, watchdog: 4, soft_reset: 5 } as const;
export const RUNSTATE = { running: 0, runnable: 1, blocked: 2, offline: 3 } as const;

/** `start_info.flags`. */
export const SIF = { PRIVILEGED: 1, INITDOMAIN: 2, MULTIBOOT_MOD: 4, MOD_START_PFN: 8, VIRT_P2M_4TOOLS: 16 } as const;

/** Most vCPUs whose `vcpu_info` lies in the shared info page. */
export const LEGACY_MAX_VCPUS = 32;

export const VMASST_TYPE = {
  four_gb_segments: 0,
  four_gb_segments_notify: 1,
  writable_pagetables: 2,
  pae_extended_cr3: 3,
  architectural_iopl: 4,
  runstate_update_flag: 5,
  m2p_strict: 32,
} as const;

export const MMUEXT_MAX_TYPE = 20;
/** Low two bits of `mmu_update.ptr` select the kind of update. */
export const MMU_UPDATE_TYPE_MASK = 3;
export const UVMF = { NONE: 0, TLB_FLUSH: 1, INVLPG: 2, FLUSHTYPE_MASK: 3, LOCAL: 0, MULTI: 0, ALL: 4 } as const;

/** `trap_info.flags`. */
export const TI = { DPL_MASK: 3, IF: 4 } as const;
export const CALLBACKTYPE = { event: 0, failsafe: 1, syscall: 2, sysenter_deprecated: 3, nmi: 4, sysenter: 5, syscall32: 7 } as const;
export const CALLBACKF_mask_events = 1;
/** `iret_context.flags`: the guest entered Xen's frame by SYSCALL, so RCX and R11 need no restoring. */
export const VGCF = {
  i387_valid: 1,
  in_kernel: 4,
  failsafe_disables_events: 8,
  syscall_disables_events: 16,
  online: 32,
  in_syscall: 256,
} as const;

/** Selectors of Xen's GDT that PV64 guests run on. RPL 3: guest kernel and user both run in ring 3. */
export const FLAT = { RING3_CS32: 0xe023, RING3_CS64: 0xe033, RING3_SS64: 0xe02b, RING3_DS32: 0xe02b } as const;
/** The selector for user-mode code that SYSRET loads equals the kernel's: both rings are ring 3. */
export const HYPERVISOR_VIRT_START = 0xffff800000000000n;
export const HYPERVISOR_VIRT_END = 0xffff880000000000n;
/** First and one-past-last L4 slots reserved for Xen. */
export const XEN_L4_SLOTS = { first: 256, end: 272, m2p: 256, linear_pt: 258 } as const;

/**
 * Parts of Xen's range that are mapped for Xen alone: a guest access faults as a protection violation (P = 1 in the error code).
 * `ram` means as long as RAM. Elsewhere in Xen's range, but for the read-only M2P, an access faults as not present (looseness
 * `open/xen-l4-slots`). Source: measured on 4.17.7.
 */
export const XEN_PRIVATE_RANGES = [
  { name: 'xen image', start: 0xffff82d040200000n, bytes: 0x200000 },
  { name: 'direct map', start: 0xffff830000000000n, bytes: 'ram' },
] as const;

export const start_info = layout(1168, {
  magic: [0, 32, 'string'],
  nr_pages: [32, 8],
  shared_info: [40, 8, 'maddr'],
  flags: [48, 4, 'flags'],
  store_mfn: [56, 8, 'mfn'],
  store_evtchn: [64, 4, 'port'],
  console_mfn: [72, 8, 'mfn'],
  console_evtchn: [80, 4, 'port'],
  pt_base: [88, 8, 'vaddr'],
  nr_pt_frames: [96, 8],
  mfn_list: [104, 8, 'vaddr'],
  mod_start: [112, 8, 'vaddr'],
  mod_len: [120, 8],
  cmd_line: [128, 1024, 'string'],
  first_p2m_pfn: [1152, 8],
  nr_p2m_frames: [1160, 8],
});

/** Offsets in bytes; `vcpu_info` i starts at `64 * i`. */
export const shared_info = layout(3136, {
  vcpu_info: [0, 2048],
  evtchn_pending: [2048, 512],
  evtchn_mask: [2560, 512],
  wc_version: [3072, 4, 'time'],
  wc_sec: [3076, 4, 'time'],
  wc_nsec: [3080, 4, 'time'],
  wc_sec_hi: [3084, 4, 'time'],
  max_pfn: [3088, 8],
  pfn_to_mfn_frame_list_list: [3096, 8, 'mfn'],
  nmi_reason: [3104, 8],
  p2m_cr3: [3112, 8],
  p2m_vaddr: [3120, 8],
  p2m_generation: [3128, 8],
});

export const vcpu_info = layout(64, {
  evtchn_upcall_pending: [0, 1],
  evtchn_upcall_mask: [1, 1],
  evtchn_pending_sel: [8, 8],
  cr2: [16, 8, 'vaddr'],
  time_version: [32, 4, 'time'],
  tsc_timestamp: [40, 8, 'time'],
  system_time: [48, 8, 'time'],
  tsc_to_system_mul: [56, 4, 'time'],
  tsc_shift: [60, 1, 'time'],
  time_flags: [61, 1, 'flags'],
});

export const trap_info = layout(16, { vector: [0, 1], flags: [1, 1, 'flags'], cs: [2, 2], address: [8, 8, 'vaddr'] });
export const multicall_entry = layout(64, { op: [0, 8], result: [8, 8, 'number', 'out'], args: [16, 48] });
export const mmu_update = layout(16, { ptr: [0, 8, 'maddr'], val: [8, 8, 'pte'] });
export const mmuext_op = layout(24, { cmd: [0, 4], arg1: [8, 8, 'mfn'], arg2: [16, 8] });
/** The frame that the iret hypercall pops from the guest's stack at RSP. */
export const iret_context = layout(72, {
  rax: [0, 8],
  r11: [8, 8],
  rcx: [16, 8],
  flags: [24, 8],
  rip: [32, 8],
  cs: [40, 8],
  rflags: [48, 8],
  rsp: [56, 8],
  ss: [64, 8],
});
