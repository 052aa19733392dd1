/**
 * Who answers at which port and physical address of the bare machine. Where nothing stands, reads give all ones and writes vanish.
 * What QEMU's `pc` has and the bare machine lacks is listed too: touching it stops the run with NotModelled, by this name.
 */
export const PORT = {
  PIC1_COMMAND: 0x20,
  PIC1_DATA: 0x21,
  PIT_COUNTER0: 0x40,
  PIT_CONTROL: 0x43,
  KEYBOARD_DATA: 0x60,
  SPEAKER: 0x61,
  KEYBOARD_COMMAND: 0x64,
  RTC_INDEX: 0x70,
  RTC_DATA: 0x71,
  SYSTEM_CONTROL_A: 0x92,
  PIC2_COMMAND: 0xa0,
  PIC2_DATA: 0xa1,
  DEBUGCON: 0xe9,
  DEBUG_EXIT: 0xf4,
  SERIAL: 0x3f8,
  ELCR1: 0x4d0,
  ELCR2: 0x4d1,
  RESET_CONTROL: 0xcf9,
} as const;

/** isa-debug-exit takes four ports; bytes, words and dwords alike. */
export const DEBUG_EXIT_PORTS = 4;

export const ISA_IRQ = { PIT: 0, SERIAL: 4, RTC: 8 } as const;

export const LAPIC_ADDRESS = 0xfee00000;
export const IOAPIC_ADDRESS = 0xfec00000;
export const DEVICE_PAGE_BYTES = 0x1000;

/** [first, last, name]: ports. */
export const PORTS_NOT_MODELLED: readonly (readonly [number, number, string])[] = [
  [0x00, 0x0f, 'hardware/dma'],
  [0x81, 0x8f, 'hardware/dma'],
  [0xc0, 0xdf, 'hardware/dma'],
  [0x170, 0x177, 'hardware/ide'],
  [0x1f0, 0x1f7, 'hardware/ide'],
  [0x376, 0x376, 'hardware/ide'],
  [0x378, 0x37a, 'hardware/parallel'],
  [0x3b0, 0x3df, 'hardware/vga'],
  [0x3f0, 0x3f5, 'hardware/floppy'],
  [0x3f6, 0x3f6, 'hardware/ide'],
  [0x3f7, 0x3f7, 'hardware/floppy'],
  [0x510, 0x51b, 'hardware/fw_cfg'],
  [0x600, 0x63f, 'hardware/acpi_pm'],
  [0xcf8, 0xcf8, 'hardware/pci'],
  [0xcfc, 0xcff, 'hardware/pci'],
];

/** [first, last, name]: physical addresses. */
export const MEMORY_NOT_MODELLED: readonly (readonly [number, number, string])[] = [[0xfed00000, 0xfed003ff, 'hardware/hpet']];

/** Value of the local APIC's and I/O APIC's version registers. */
export const LAPIC_VERSION = 0x50014;
export const IOAPIC_VERSION = 0x170020;
