/** sched_op, vcpu_op and callback_op structures. Source: Xen public headers `sched.h`, `vcpu.h`, `callback.h`. */
import { layout } from './layout.ts';

export const sched = {
  shutdown: layout(4, { reason: [0, 4] }),
  poll: layout(24, { ports: [0, 8, 'pointer'], nr_ports: [8, 4], timeout: [16, 8, 'time'] }),
  remote_shutdown: layout(8, { domain_id: [0, 2, 'domid'], reason: [4, 4] }),
  watchdog: layout(8, { id: [0, 4], timeout: [4, 4] }),
  pin_override: layout(4, { pcpu: [0, 4] }),
} as const;
export const SCHED_POLL_MAX_PORTS = 128;
export const NR_DOMAIN_WATCHDOG_TIMERS = 2;

export const vcpu = {
  runstate_info: layout(48, { state: [0, 4, 'number', 'out'], state_entry_time: [8, 8, 'time', 'out'], time: [16, 32, 'time', 'out'] }),
  register_runstate_memory_area: layout(8, { addr: [0, 8, 'pointer'] }),
  set_periodic_timer: layout(8, { period_ns: [0, 8, 'time'] }),
  set_singleshot_timer: layout(16, { timeout_abs_ns: [0, 8, 'time'], flags: [8, 4, 'flags'] }),
  register_vcpu_info: layout(16, { mfn: [0, 8, 'mfn'], offset: [8, 4], rsvd: [12, 4, 'padding'] }),
  get_physid: layout(8, { phys_id: [0, 8, 'number', 'out'] }),
  register_time_memory_area: layout(8, { addr: [0, 8, 'pointer'] }),
} as const;
export const VCPU_SSHOTTMR_future = 1;
export const XEN_RUNSTATE_UPDATE = 1n << 63n;

/** struct vcpu_guest_context (x86-64), argument of VCPUOP_initialise. Offsets as a C compiler lays out the public header. */
export const vcpu_guest_context = layout(5168, {
  fpu_ctxt: [0, 512],
  flags: [512, 8, 'flags'],
  user_regs: [520, 200],
  trap_ctxt: [720, 4096],
  ldt_base: [4816, 8, 'vaddr'],
  ldt_ents: [4824, 8],
  gdt_frames: [4832, 128, 'mfn'],
  gdt_ents: [4960, 8],
  kernel_ss: [4968, 8],
  kernel_sp: [4976, 8, 'vaddr'],
  ctrlreg: [4984, 64],
  debugreg: [5048, 64],
  event_callback_eip: [5112, 8, 'vaddr'],
  failsafe_callback_eip: [5120, 8, 'vaddr'],
  syscall_callback_eip: [5128, 8, 'vaddr'],
  vm_assist: [5136, 8, 'flags'],
  fs_base: [5144, 8, 'vaddr'],
  gs_base_kernel: [5152, 8, 'vaddr'],
  gs_base_user: [5160, 8, 'vaddr'],
});
/** The same structure as `getvcpucontext` fills it in, cut so that programs can show it. */
export const vcpu_context_told = layout(5168, {
  fpu_head: [0, 32, 'number', 'out'],
  flags: [512, 8, 'flags', 'out'],
  r15: [520, 8, 'number', 'out'],
  r14: [528, 8, 'number', 'out'],
  r13: [536, 8, 'number', 'out'],
  r12: [544, 8, 'number', 'out'],
  rbp: [552, 8, 'number', 'out'],
  rbx: [560, 8, 'number', 'out'],
  r11: [568, 8, 'number', 'out'],
  r10: [576, 8, 'number', 'out'],
  r9: [584, 8, 'number', 'out'],
  r8: [592, 8, 'number', 'out'],
  rax: [600, 8, 'number', 'out'],
  rcx: [608, 8, 'number', 'out'],
  rdx: [616, 8, 'number', 'out'],
  rsi: [624, 8, 'number', 'out'],
  rdi: [632, 8, 'number', 'out'],
  error_code: [640, 4, 'number', 'out'],
  entry_vector: [644, 4, 'number', 'out'],
  rip: [648, 8, 'vaddr', 'out'],
  cs: [656, 8, 'number', 'out'],
  rflags: [664, 8, 'number', 'out'],
  rsp: [672, 8, 'vaddr', 'out'],
  ss: [680, 8, 'number', 'out'],
  es: [688, 8, 'number', 'out'],
  ds: [696, 8, 'number', 'out'],
  fs: [704, 8, 'number', 'out'],
  gs: [712, 8, 'number', 'out'],
  trap_0: [720, 64, 'number', 'out'],
  trap_14: [944, 64, 'number', 'out'],
  ldt_base: [4816, 8, 'vaddr', 'out'],
  ldt_ents: [4824, 8, 'number', 'out'],
  gdt_frame_0: [4832, 8, 'mfn', 'out'],
  gdt_frame_1: [4840, 8, 'mfn', 'out'],
  gdt_ents: [4960, 8, 'number', 'out'],
  kernel_ss: [4968, 8, 'number', 'out'],
  kernel_sp: [4976, 8, 'vaddr', 'out'],
  cr0: [4984, 8, 'flags', 'out'],
  cr1: [4992, 8, 'maddr', 'out'],
  cr2: [5000, 8, 'vaddr', 'out'],
  cr3: [5008, 8, 'maddr', 'out'],
  cr4: [5016, 8, 'flags', 'out'],
  cr5_7: [5024, 24, 'number', 'out'],
  dr0: [5048, 8, 'vaddr', 'out'],
  dr1_5: [5056, 40, 'number', 'out'],
  dr6: [5096, 8, 'flags', 'out'],
  dr7: [5104, 8, 'flags', 'out'],
  event_callback_eip: [5112, 8, 'vaddr', 'out'],
  failsafe_callback_eip: [5120, 8, 'vaddr', 'out'],
  syscall_callback_eip: [5128, 8, 'vaddr', 'out'],
  vm_assist: [5136, 8, 'flags', 'out'],
  fs_base: [5144, 8, 'vaddr', 'out'],
  gs_base_kernel: [5152, 8, 'vaddr', 'out'],
  gs_base_user: [5160, 8, 'vaddr', 'out'],
});
/** struct cpu_user_regs (x86-64). */
export const cpu_user_regs = layout(200, {
  r15: [0, 8],
  r14: [8, 8],
  r13: [16, 8],
  r12: [24, 8],
  rbp: [32, 8],
  rbx: [40, 8],
  r11: [48, 8],
  r10: [56, 8],
  r9: [64, 8],
  r8: [72, 8],
  rax: [80, 8],
  rcx: [88, 8],
  rdx: [96, 8],
  rsi: [104, 8],
  rdi: [112, 8],
  error_code: [120, 4],
  entry_vector: [124, 4],
  rip: [128, 8],
  cs: [136, 2],
  saved_upcall_mask: [140, 1],
  rflags: [144, 8],
  rsp: [152, 8],
  ss: [160, 2],
  es: [168, 2],
  ds: [176, 2],
  fs: [184, 2],
  gs: [192, 2],
});

export const callback = {
  register: layout(16, { type: [0, 2], flags: [2, 2, 'flags'], address: [8, 8, 'vaddr'] }),
  unregister: layout(4, { type: [0, 2] }),
} as const;

/** Argument of XENNMI_register_callback. Source: Xen public header `nmi.h`. */
export const xennmi_callback = layout(16, { handler_address: [0, 8, 'vaddr'], pad: [8, 8, 'padding'] });
