/** platform_op: what domain 0 asks about the machine. Source: Xen public header `platform.h`. */
import { layout } from './layout.ts';

export const XENPF_INTERFACE_VERSION = 0x03000001;
/** Bytes of struct xen_platform_op: Xen reads all of them, whatever the operation. */
export const PLATFORM_OP_BYTES = 136;

const HEAD = { cmd: [0, 4], interface_version: [4, 4] } as const;

/** Each operation's structure, with the command and the version of the interface that stand before all of them. */
export const platform = {
  head: layout(8, HEAD),
  /** The whole structure, for whoever calls: the operation's own words have no names here. */
  call: layout(PLATFORM_OP_BYTES, {
    cmd: [0, 4],
    interface_version: [4, 4],
    word0: [8, 4, 'number', 'inout'],
    word1: [12, 4, 'number', 'inout'],
    word2: [16, 4, 'number', 'inout'],
    word3: [20, 4, 'number', 'inout'],
    word4: [24, 4, 'number', 'inout'],
    word5: [28, 4, 'number', 'inout'],
    word6: [32, 4, 'number', 'inout'],
    word7: [36, 4, 'number', 'inout'],
  }),
  settime32: layout(24, { secs: [8, 4], nsecs: [12, 4], system_time: [16, 8] }),
  settime64: layout(32, { secs: [8, 8], nsecs: [16, 4], mbz: [20, 4], system_time: [24, 8] }),
  platform_quirk: layout(12, { quirk_id: [8, 4] }),
  firmware_info: layout(24, { type: [8, 4], index: [12, 4], kbd_shift_flags: [16, 1, 'number', 'out'] }),
  get_cpuinfo: layout(28, {
    xen_cpuid: [8, 4],
    max_present: [12, 4, 'number', 'out'],
    flags: [16, 4, 'flags', 'out'],
    apic_id: [20, 4, 'number', 'out'],
    acpi_id: [24, 4, 'number', 'out'],
  }),
  get_cpu_version: layout(40, {
    xen_cpuid: [8, 4],
    max_present: [12, 4, 'number', 'out'],
    /** 12 characters: this word and the next two. */
    vendor_id: [16, 4, 'number', 'out'],
    vendor_id_middle: [20, 4, 'number', 'out'],
    vendor_id_end: [24, 4, 'number', 'out'],
    family: [28, 4, 'number', 'out'],
    model: [32, 4, 'number', 'out'],
    stepping: [36, 4, 'number', 'out'],
  }),
  cpu_online: layout(12, { cpuid: [8, 4] }),
  add_memtype: layout(40, {
    mfn: [8, 8],
    nr_mfns: [16, 8],
    type: [24, 4],
    handle: [28, 4, 'number', 'out'],
    reg: [32, 4, 'number', 'out'],
  }),
  del_memtype: layout(16, { handle: [8, 4], reg: [12, 4] }),
  read_memtype: layout(40, { reg: [8, 4], mfn: [16, 8, 'mfn', 'out'], nr_mfns: [24, 8, 'number', 'out'], type: [32, 4, 'number', 'out'] }),
  microcode_update: layout(24, { data: [8, 8, 'pointer'], length: [16, 4] }),
  enter_acpi_sleep: layout(20, { ...HEAD, val_a: [8, 2], val_b: [10, 2], sleep_state: [12, 4], flags: [16, 4, 'flags'] }),
  /** `pdc`, `states`: of one type each; the others have structures of their own there. */
  set_processor_pminfo: layout(PLATFORM_OP_BYTES, {
    ...HEAD,
    id: [8, 4],
    type: [12, 4],
    pdc: [16, 8, 'pointer'],
    states: [24, 8, 'pointer'],
  }),
  cpu_hotadd: layout(20, { ...HEAD, apic_id: [8, 4], acpi_id: [12, 4], pxm: [16, 4] }),
  mem_hotadd: layout(32, { spfn: [8, 8], epfn: [16, 8], pxm: [24, 4], flags: [28, 4] }),
  core_parking: layout(16, { type: [8, 4], idle_nums: [12, 4, 'number', 'inout'] }),
  resource_op: layout(24, { ...HEAD, nr_entries: [8, 4], cpu: [12, 4], entries: [16, 8, 'pointer'] }),
  /** An entry of resource_op; the answer to one that is refused takes the place of `cmd`. */
  resource_entry: layout(24, { cmd: [0, 4, 'number', 'inout'], rsvd: [4, 4], idx: [8, 8], val: [16, 8, 'number', 'inout'] }),
  get_symbol: layout(40, {
    namelen: [8, 4, 'number', 'inout'],
    symnum: [12, 4, 'number', 'inout'],
    name: [16, 8, 'pointer'],
    address: [24, 8, 'number', 'out'],
    type: [32, 1, 'number', 'out'],
  }),
} as const;

/** Types that a range of memory may be given. */
export const MTRR = { TYPES: 7 } as const;
/** The variable memory type registers as the firmware of the reference machine leaves them: one of them counts. */
export const MEMORY_TYPES: readonly { readonly mfn: number; readonly nr_mfns: number; readonly type: number }[] = [
  { mfn: 0x80000, nr_mfns: 0x80000, type: 0 },
  ...Array.from({ length: 7 }, () => ({ mfn: 0, nr_mfns: 0, type: 0 })),
];
/** Bit of `flags`, and of the values for the two control registers. */
export const ACPI_SLEEP = { EXTENDED: 1, ENABLE: 0x2000 } as const;
export const XEN_PM = { CX: 0, PX: 1, TX: 2, PDC: 3 } as const;
/** First word of what _PDC is told. */
export const PDC_REVISION = 1;
/** Numbers below these can be a processor's in the firmware's tables, its local APIC's, a node's. */
export const HOTADD_LIMITS = { acpi_ids: 512, apic_ids: 1024, nodes: 256 } as const;
export const CORE_PARKING = { SET: 1, GET: 2 } as const;
export const RESOURCE = { MSR_READ: 0, MSR_WRITE: 1, MOST_ENTRIES: 3, TIME_STAMP: 0x10n } as const;
/** Xen has fewer symbols. */
export const SYMBOLS_AT_MOST = 0x2000;

export const XEN_FW = { DISK_INFO: 1, DISK_MBR_SIGNATURE: 2, VBEDDC_INFO: 3, EFI_INFO: 4, KBD_SHIFT_FLAGS: 5 } as const;
export const XEN_PCPU_FLAGS = { ONLINE: 1, INVALID: 2 } as const;
/** Quirks of the platform that domain 0 may report. */
export const QUIRK = { NOIRQBALANCING: 1, IOAPIC_BAD_REGSEL: 2, IOAPIC_GOOD_REGSEL: 3 } as const;
