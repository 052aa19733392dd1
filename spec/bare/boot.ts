/**
 * How an image starts on the bare machine. Sources: the Multiboot specification 0.6.96; Xen's docs/misc/pvh.pandoc and
 * include/public/arch-x86/hvm/start_info.h. Where those leave something open, this page pins it (looseness `open/boot-state`).
 *
 * An ELF file with a multiboot header (in its first 8192 bytes, at a multiple of 4, checksum right) starts by multiboot; else one with
 * the note PHYS32_ENTRY (name "Xen", type 18, four or eight bytes) starts by PVH; anything else is no image (BadImage). Multiboot asks
 * for a 32-bit ELF file, or for a header with address fields (bit 16 of its flags), which then say what is loaded. PVH takes 32-bit and
 * 64-bit files. ELF files are little-endian, of class 1 or 2, for EM_386 (3) or EM_X86_64 (62); no segment is larger in the file than in
 * memory; else BadImage. Program headers of type PT_LOAD go to p_paddr, the rest of p_memsz is zero. What is loaded must lie in RAM, outside
 * 0xa0000–0xbffff, and leave alone the frames of INFO; else BadImage.
 */
import type { SegmentObservation } from '../isa/x86/cpu_observation.ts';

export const MULTIBOOT = {
  /** In the header: magic, flags, checksum (sum of the three is 0), then with bit 16 header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr. */
  HEADER_MAGIC: 0x1badb002,
  HEADER_SEARCH_BYTES: 8192,
  /** Flags: modules aligned, memory information; both are granted always. Other bits below 16 ask for what is not there: BadImage. */
  HEADER_FLAGS_GRANTED: 0x3,
  HEADER_ADDRESSES: 0x10000,
  /** In EAX at entry; EBX holds the address of the information. */
  LOADED_MAGIC: 0x2badb002,
  /** Bits 0 (mem_lower, mem_upper), 2 (cmdline), 3 (modules, of which there are none), 6 (memory map), 9 (name of the loader). */
  INFO_FLAGS: 0x24d,
  /** Offsets of the 32-bit fields; those without a name are zero. */
  INFO: {
    flags: 0,
    mem_lower: 4,
    mem_upper: 8,
    cmdline: 16,
    mods_count: 20,
    mods_addr: 24,
    mmap_length: 44,
    mmap_addr: 48,
    boot_loader_name: 64,
  },
  INFO_BYTES: 116,
  /** One entry of the map: the size of what follows (20), then base, length (8 bytes each), type (4). */
  MMAP_ENTRY: { size: 0, base: 4, length: 12, type: 20 },
  MMAP_ENTRY_BYTES: 24,
  LOADER_NAME: 'xenspec',
} as const;

export const PVH = {
  NOTE_NAME: 'Xen',
  NOTE_TYPE: 18,
  /** hvm_start_info; EBX holds its address at entry. 64-bit fields but magic, version, flags, nr_modules, memmap_entries. */
  MAGIC: 0x336ec578,
  VERSION: 1,
  START_INFO: {
    magic: 0,
    version: 4,
    flags: 8,
    nr_modules: 12,
    modlist_paddr: 16,
    cmdline_paddr: 24,
    rsdp_paddr: 32,
    memmap_paddr: 40,
    memmap_entries: 48,
  },
  START_INFO_BYTES: 56,
  /** One entry of the map: addr, size (8 bytes each), type, reserved (4 bytes each). */
  MEMMAP_ENTRY: { addr: 0, size: 8, type: 16 },
  MEMMAP_ENTRY_BYTES: 24,
} as const;

/**
 * Where the information lies in physical memory. Nothing else is written there: the page is zero otherwise. `cmdline` is the
 * configuration's text, a byte a character, and a zero byte; longer than the room (to the end of the page) is BadImage.
 */
export const INFO = { first: 0x9000, end: 0xa000, info: 0x9000, map: 0x9200, loader_name: 0x9400, cmdline: 0x9800 } as const;

/** Types of the memory map, the same numbers in both protocols. */
export const MAP_TYPE = { ram: 1, reserved: 2 } as const;

/** The memory map, ascending. `end: null`: the end of RAM. */
export const MEMORY_MAP: readonly { readonly start: number; readonly end: number | null; readonly type: number }[] = [
  { start: 0x0, end: 0x9fc00, type: MAP_TYPE.ram },
  { start: 0x9fc00, end: 0xa0000, type: MAP_TYPE.reserved },
  { start: 0xf0000, end: 0x100000, type: MAP_TYPE.reserved },
  { start: 0x100000, end: null, type: MAP_TYPE.ram },
  { start: 0xfffc0000, end: 0x100000000, type: MAP_TYPE.reserved },
];
/** mem_lower in KiB; mem_upper is RAM above 1 MiB in KiB. */
export const MEM_LOWER_KIB = 639;

/** The window of RAM addresses at which nothing answers. */
export const RAM_HOLE = { start: 0xa0000, end: 0xc0000 } as const;

const flat = (selector: number, rights: number): SegmentObservation => ({ selector, base: '0x0', limit: 0xffffffff, rights, usable: true });

/**
 * The processor at entry, by both protocols; registers that have no line are 0, RIP is the entry point. x87 and SSE state is as after
 * FNINIT and with MXCSR 0x1f80. MSRs and XCR0 have their reset values (spec/isa/x86).
 */
export const ENTRY = {
  rflags: 0x2,
  cr0: 0x11,
  cr4: 0,
  cs: flat(0x08, 0xc09b),
  /** ES SS DS FS GS. */
  data: flat(0x10, 0xc093),
  ldtr: { selector: 0, base: '0x0', limit: 0, rights: 0, usable: false },
  tr: { selector: 0, base: '0x0', limit: 0x67, rights: 0x8b, usable: true },
  gdtr: { base: '0x0', limit: 0 },
  idtr: { base: '0x0', limit: 0 },
} as const satisfies Record<string, number | SegmentObservation | { readonly base: string; readonly limit: number }>;
