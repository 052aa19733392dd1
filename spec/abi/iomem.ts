/**
 * Device memory of the reference machine, in frames. Source: Xen's rules for what domain 0 may map, and the tables of
 * `qemu-system-x86_64 -M pc`. Frames beyond the end of RAM, and those of the first MiB, are device memory (owner DOMID_IO).
 */
export const LOW_MIB_FRAMES = 0x100;

/** Domain 0 may map frames below this: 40 bits of physical address. No other domain may map any. */
export const IOMEM_FRAMES = 1 << 28;

/** What domain 0 may not map at all: [first, last]. Message-signalled interrupts, whose first frame is the local APIC's; HyperTransport. */
export const IOMEM_MESSAGES = [0xfee00, 0xfeeff] as const;
export const IOMEM_HYPERTRANSPORT = [0xfd00000, 0xfffffff] as const;

/** What domain 0 may only read: I/O APIC, HPET. */
export const IOMEM_READ_ONLY: readonly number[] = [0xfec00, 0xfed00];

/** The I/O APIC, which Xen keeps out of the memory map that it shows domain 0. */
export const IOAPIC_FRAME = 0xfec00;

/** The frame number of an entry whose address bits are all set: Xen reads it as "no frame". */
export const NO_FRAME = 2 ** 40 - 1;
