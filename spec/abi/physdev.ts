/** Physical devices: virtual IOPL, I/O bitmaps, interrupts. Source: Xen public header `physdev.h`. */
import { layout } from './layout.ts';

export const physdev = {
  eoi: layout(4, { irq: [0, 4] }),
  irq_status_query: layout(8, { irq: [0, 4], flags: [4, 4, 'flags', 'out'] }),
  set_iopl: layout(4, { iopl: [0, 4] }),
  set_iobitmap: layout(16, { bitmap: [0, 8, 'pointer'], nr_ports: [8, 4], padding: [12, 4, 'padding'] }),
  apic: layout(16, { apic_physbase: [0, 8], reg: [8, 4], value: [12, 4, 'number', 'inout'] }),
  irq: layout(8, { irq: [0, 4], vector: [4, 4, 'number', 'inout'] }),
  map_pirq: layout(40, {
    domid: [0, 2, 'domid'],
    type: [4, 4],
    index: [8, 4],
    pirq: [12, 4, 'number', 'inout'],
    bus: [16, 4],
    devfn: [20, 4],
    entry_nr: [24, 4],
    table_base: [32, 8],
  }),
  unmap_pirq: layout(8, { domid: [0, 2, 'domid'], pirq: [4, 4] }),
  manage_pci: layout(2, { bus: [0, 1], devfn: [1, 1] }),
  pirq_eoi_gmfn: layout(8, { gmfn: [0, 8, 'mfn'] }),
  setup_gsi: layout(8, { gsi: [0, 4], triggering: [4, 1], polarity: [5, 1], padding: [6, 2, 'padding'] }),
  get_free_pirq: layout(8, { type: [0, 4], pirq: [4, 4, 'number', 'out'] }),
  pci_device: layout(4, { seg: [0, 2], bus: [2, 1], devfn: [3, 1] }),
  restore_msi: layout(2, { bus: [0, 1], devfn: [1, 1] }),
  manage_pci_ext: layout(16, {
    bus: [0, 1],
    devfn: [1, 1],
    is_extfn: [4, 4],
    is_virtfn: [8, 4],
    physfn_bus: [12, 1],
    physfn_devfn: [13, 1],
  }),
  /** `pxm` follows the structure where the flags say so. */
  pci_device_add: layout(12, { seg: [0, 2], bus: [2, 1], devfn: [3, 1], flags: [4, 4, 'flags'], physfn_bus: [8, 1], physfn_devfn: [9, 1] }),
  pci_mmcfg_reserved: layout(16, { address: [0, 8], segment: [8, 2], start_bus: [10, 1], end_bus: [11, 1], flags: [12, 4, 'flags'] }),
  dbgp_op: layout(6, { op: [0, 1], bus: [1, 1], seg: [2, 2], device_bus: [4, 1], devfn: [5, 1] }),
} as const;

/** What map_pirq is told to map. */
export const MAP_PIRQ_TYPE = { MSI: 0, GSI: 1, UNKNOWN: 2, MSI_SEG: 3, MULTI_MSI: 4 } as const;
/** irq_status_query: the end of the interrupt must be told. */
export const XENIRQSTAT_NEEDS_EOI = 1;
/** pci_mmcfg_reserved: the firmware has set the range aside. */
export const XEN_PCI_MMCFG_RESERVED = 1;
/** pci_device_add: four bytes behind the structure name the device's memory. */
export const XEN_PCI_DEV_PXM = 4;
/** Interrupt lines of the machine's I/O APIC; the first 16 are those of old. */
export const NR_GSIS = 24;
export const NR_ISA_IRQS = 16;
/** Lines that Xen itself has set up: the timer's and its serial port's. */
export const LINES_OF_XEN: readonly number[] = [0, 4];
/** Where the I/O APIC lies in memory. */
export const IO_APIC = 0xfec00000;
/** Interrupts that Xen counts for each processor, lines included. */
export const IRQS_PER_CPU = 208;

/** struct physdev_op, the argument of the old form: command, then the operation's structure at byte 8. */
export const physdev_op_compat = layout(24, { cmd: [0, 4], u: [8, 16] });

/** Bytes of a whole I/O bitmap, and the most ports that it can be about. */
export const IO_BITMAP_BYTES = 8192;
export const IO_PORTS = 65536;
