/** platform_op: what domain 0 asks about the machine. Source: Xen public header `platform.h`. */
import { layout } from './layout.ts';

export const XENPF_INTERFACE_VERSION = 0x03000001;
/** Bytes of struct xen_platform_op: Xen reads all of them, whatever the operation. */
export const PLATFORM_OP_BYTES = 136;

/** Each operation's structure, with the command and the version of the interface that stand before all of them. */
export const platform = {
  head: layout(8, { cmd: [0, 4], interface_version: [4, 4] }),
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
} as const;

export const XEN_FW = { DISK_INFO: 1, DISK_MBR_SIGNATURE: 2, VBEDDC_INFO: 3, EFI_INFO: 4, KBD_SHIFT_FLAGS: 5 } as const;
export const XEN_PCPU_FLAGS = { ONLINE: 1, INVALID: 2 } as const;
/** Quirks of the platform that domain 0 may report. */
export const QUIRK = { NOIRQBALANCING: 1, IOAPIC_BAD_REGSEL: 2, IOAPIC_GOOD_REGSEL: 3 } as const;
