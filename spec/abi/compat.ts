/**
 * Structures, selectors and addresses of 32-bit PV guests on a 64-bit Xen. Longs, pointers and frame numbers have four bytes, and nothing is
 * aligned to more. Source: Xen public headers `arch-x86/xen-x86_32.h` and `xen.h`, read for i386.
 */
import { gnttab } from './grant_table.ts';
import { kexec } from './kexec.ts';
import { type Field, type Layout, layout } from './layout.ts';
import { memory } from './memory.ts';
import { physdev } from './physdev.ts';
import { sched, vcpu } from './sched.ts';
import { mmuext_op, multicall_entry, start_info, trap_info } from './xen.ts';

const WORD = 4;
const alignedTo = (at: number, unit: number): number => Math.ceil(at / unit) * unit;
const isNumber = (size: number): boolean => size === 1 || size === 2 || size === 4 || size === 8;

/** The layout for i386: the fields `longs` have half their size, and each stands at the next place that fits it. */
const narrowed = <L extends Layout>(
  { fields }: L,
  longs: readonly (keyof L['fields'] & string)[],
): { size: number; fields: L['fields'] } => {
  let end = 0;
  const placed: Record<string, Field> = {};
  for (const [name, field] of Object.entries(fields).sort(([, a], [, b]) => a.at - b.at)) {
    const isLong = (longs as readonly string[]).includes(name);
    const size = isLong ? field.size / 2 : field.size;
    const at = alignedTo(end, isLong ? WORD : isNumber(size) ? Math.min(size, WORD) : 1);
    placed[name] = { ...field, at, size };
    end = at + size;
  }
  return { size: alignedTo(end, WORD), fields: placed as L['fields'] };
};

/** What is laid out otherwise for a 32-bit guest, by the name of the 64-bit structure. */
export const COMPAT = {
  start_info: narrowed(start_info, [
    'nr_pages',
    'shared_info',
    'store_mfn',
    'console_mfn',
    'pt_base',
    'nr_pt_frames',
    'mfn_list',
    'mod_start',
    'mod_len',
    'first_p2m_pfn',
    'nr_p2m_frames',
  ]),
  trap_info: narrowed(trap_info, ['address']),
  multicall_entry: narrowed(multicall_entry, ['op', 'result', 'args']),
  mmuext_op: narrowed(mmuext_op, ['arg1', 'arg2']),
  poll: narrowed(sched.poll, ['ports']),
  singleshot_timer: narrowed(vcpu.set_singleshot_timer, []),
  machphys_mapping: narrowed(memory.machphys_mapping, ['v_start', 'v_end', 'max_mfn']),
  machphys_mfn_list: narrowed(memory.machphys_mfn_list, ['extent_start']),
  reservation: narrowed(memory.reservation, ['extent_start', 'nr_extents']),
  exchange: narrowed(memory.exchange, ['in_extent_start', 'in_nr_extents', 'out_extent_start', 'out_nr_extents', 'nr_exchanged']),
  add_to_physmap: narrowed(memory.add_to_physmap, ['idx', 'gpfn']),
  add_to_physmap_batch: narrowed(memory.add_to_physmap_batch, ['idxs', 'gpfns', 'errs']),
  remove_from_physmap: narrowed(memory.remove_from_physmap, ['gpfn']),
  memory_map: narrowed(memory.memory_map, ['buffer']),
  foreign_memory_map: narrowed(memory.foreign_memory_map, ['buffer']),
  pod_target: narrowed(memory.pod_target, []),
  access_op: narrowed(memory.access_op, ['pfn_list', 'access_list']),
  reserved_device_memory_map: narrowed(memory.reserved_device_memory_map, ['buffer']),
  acquire_resource: narrowed(memory.acquire_resource, ['frame_list']),
  physdev_op_compat: layout(16, { cmd: [0, 4], u: [4, 12] }),
  dm_op_buf: layout(8, { h: [0, 4, 'pointer'], size: [4, 4] }),
  kexec_range: narrowed(kexec.range, ['size', 'start']),
  kexec_image_v1: layout(80, { type: [0, 4] }),
  set_iobitmap: layout(8, { bitmap: [0, 4, 'pointer'], nr_ports: [4, 4] }),
  apic: narrowed(physdev.apic, ['apic_physbase']),
  pirq_eoi_gmfn: narrowed(physdev.pirq_eoi_gmfn, ['gmfn']),
  map_pirq: narrowed(physdev.map_pirq, []),
  setup_table: narrowed(gnttab.setup_table, ['frame_list']),
  transfer: narrowed(gnttab.transfer, ['mfn']),
  copy: narrowed(gnttab.copy, ['source', 'dest']),
  get_status_frames: narrowed(gnttab.get_status_frames, ['frame_list']),
  /** Type, flags, and a code selector with an offset. */
  callback_register: layout(12, { type: [0, 2], flags: [2, 2, 'flags'], cs: [4, 4], eip: [8, 4, 'vaddr'] }),
  /** struct cpu_user_regs of i386: a 16-bit error code and vector behind EAX, no R8 to R15. */
  cpu_user_regs: layout(68, {
    ebx: [0, 4],
    ecx: [4, 4],
    edx: [8, 4],
    esi: [12, 4],
    edi: [16, 4],
    ebp: [20, 4],
    eax: [24, 4],
    error_code: [28, 2],
    entry_vector: [30, 2],
    eip: [32, 4],
    cs: [36, 2],
    saved_upcall_mask: [38, 1],
    eflags: [40, 4],
    esp: [44, 4],
    ss: [48, 2],
    es: [52, 2],
    ds: [56, 2],
    fs: [60, 2],
    gs: [64, 2],
  }),
  /** struct vcpu_guest_context of i386: callbacks have selectors, and there are no bases. */
  vcpu_guest_context: layout(2800, {
    fpu_ctxt: [0, 512],
    flags: [512, 4, 'flags'],
    user_regs: [516, 68],
    trap_ctxt: [584, 2048],
    ldt_base: [2632, 4, 'vaddr'],
    ldt_ents: [2636, 4],
    gdt_frames: [2640, 64, 'mfn'],
    gdt_ents: [2704, 4],
    kernel_ss: [2708, 4],
    kernel_sp: [2712, 4, 'vaddr'],
    ctrlreg: [2716, 32],
    debugreg: [2748, 32],
    event_callback_cs: [2780, 4],
    event_callback_eip: [2784, 4, 'vaddr'],
    failsafe_callback_cs: [2788, 4],
    failsafe_callback_eip: [2792, 4, 'vaddr'],
    vm_assist: [2796, 4, 'flags'],
  }),
  runstate_info: layout(44, { state: [0, 4], state_entry_time: [4, 8, 'time'], time: [12, 32, 'time'] }),
  vcpu_info: layout(64, {
    evtchn_upcall_pending: [0, 1],
    evtchn_upcall_mask: [1, 1],
    evtchn_pending_sel: [4, 4],
    cr2: [8, 4, 'vaddr'],
    time_version: [32, 4, 'time'],
    tsc_timestamp: [40, 8, 'time'],
    system_time: [48, 8, 'time'],
    tsc_to_system_mul: [56, 4, 'time'],
    tsc_shift: [60, 1, 'time'],
    time_flags: [61, 1, 'flags'],
  }),
  /** The seconds' upper half stands behind the architecture's part. */
  shared_info: layout(2344, {
    vcpu_info: [0, 2048],
    evtchn_pending: [2048, 128],
    evtchn_mask: [2176, 128],
    wc_version: [2304, 4, 'time'],
    wc_sec: [2308, 4, 'time'],
    wc_nsec: [2312, 4, 'time'],
    max_pfn: [2316, 4],
    pfn_to_mfn_frame_list_list: [2320, 4, 'mfn'],
    nmi_reason: [2324, 4],
    p2m_cr3: [2328, 4],
    p2m_vaddr: [2332, 4],
    p2m_generation: [2336, 4],
    wc_sec_hi: [2340, 4, 'time'],
  }),
} as const;

/** Selectors of Xen's descriptors that a 32-bit guest starts on: its kernel in ring 1, its programs in ring 3. */
export const FLAT_COMPAT = {
  KERNEL_CS: 0xe019,
  KERNEL_DS: 0xe021,
  KERNEL_SS: 0xe021,
  USER_CS: 0xe02b,
  USER_DS: 0xe033,
  USER_SS: 0xe033,
} as const;

/** The software interrupt that is a hypercall, from ring 1. */
export const HYPERCALL_VECTOR = 0x82;
/** From here up a 32-bit address space is Xen's, unless the kernel leaves it more (ELF note HV_START_LOW); and where the M2P ends. */
export const HYPERVISOR_COMPAT_VIRT_START = 0xf5800000;
export const MACH2PHYS_COMPAT_VIRT_END = 0xffe00000;
/** Ports of the two-level ABI with words of 32 bits. */
export const COMPAT_EVTCHN_2L_NR_CHANNELS = 1024;

/**
 * Where Xen lays out structures of a 32-bit caller as the 64-bit rules want them, and how many bytes there are room for. No address of such a
 * caller reaches there.
 */
export const TRANSLATION_AREA = { base: 0x20080000000n, size: 0x2000 } as const;

/** Arguments that a 32-bit guest gives in another number, where a 64-bit one takes fewer registers. */
export const COMPAT_HYPERCALL_ARGS = {
  set_callbacks: 4,
  update_descriptor: 4,
  update_va_mapping: 4,
  update_va_mapping_otherdomain: 5,
  set_timer_op: 2,
} as const;
