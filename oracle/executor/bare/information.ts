/** What an image is told at entry: multiboot information or PVH's start info, in the frame that spec/bare/boot.ts reserves. */
import { INFO, MEM_LOWER_KIB, MEMORY_MAP, MULTIBOOT, PVH } from '#spec/bare/boot.ts';
import { BadInput } from '#spec/failure.ts';
import type { Memory } from '../memory.ts';

const FRAME_KIB = 4;

const put = (memory: Memory, at: number, text: string): void =>
  memory.writeBytes(at, Uint8Array.from([...text].map((char) => char.charCodeAt(0)).concat(0)));

/** The map's entries with ends that fit this machine. */
const ranges = (memory: Memory): readonly { readonly start: number; readonly length: number; readonly type: number }[] =>
  MEMORY_MAP.map(({ start, end, type }) => ({ start, length: (end ?? memory.frames * FRAME_KIB * 1024) - start, type }));

const putCommandLine = (memory: Memory, text: string): void => {
  if (text.length + 1 > INFO.end - INFO.cmdline) throw new BadInput('bare image: the command line is too long');
  put(memory, INFO.cmdline, text);
};

export const writeMultiboot = (memory: Memory, cmdline: string): void => {
  putCommandLine(memory, cmdline);
  put(memory, INFO.loader_name, MULTIBOOT.LOADER_NAME);
  const map = ranges(memory);
  map.forEach(({ start, length, type }, n) => {
    const at = INFO.map + n * MULTIBOOT.MMAP_ENTRY_BYTES;
    memory.write32(at + MULTIBOOT.MMAP_ENTRY.size, MULTIBOOT.MMAP_ENTRY_BYTES - 4);
    memory.write64(at + MULTIBOOT.MMAP_ENTRY.base, BigInt(start));
    memory.write64(at + MULTIBOOT.MMAP_ENTRY.length, BigInt(length));
    memory.write32(at + MULTIBOOT.MMAP_ENTRY.type, type);
  });
  const fields: Readonly<Record<keyof typeof MULTIBOOT.INFO, number>> = {
    flags: MULTIBOOT.INFO_FLAGS,
    mem_lower: MEM_LOWER_KIB,
    mem_upper: memory.frames * FRAME_KIB - 1024,
    cmdline: INFO.cmdline,
    mods_count: 0,
    mods_addr: 0,
    mmap_length: map.length * MULTIBOOT.MMAP_ENTRY_BYTES,
    mmap_addr: INFO.map,
    boot_loader_name: INFO.loader_name,
  };
  for (const [name, offset] of Object.entries(MULTIBOOT.INFO))
    memory.write32(INFO.info + offset, fields[name as keyof typeof MULTIBOOT.INFO]);
};

export const writeStartInfo = (memory: Memory, cmdline: string): void => {
  putCommandLine(memory, cmdline);
  const map = ranges(memory);
  map.forEach(({ start, length, type }, n) => {
    const at = INFO.map + n * PVH.MEMMAP_ENTRY_BYTES;
    memory.write64(at + PVH.MEMMAP_ENTRY.addr, BigInt(start));
    memory.write64(at + PVH.MEMMAP_ENTRY.size, BigInt(length));
    memory.write32(at + PVH.MEMMAP_ENTRY.type, type);
  });
  memory.write32(INFO.info + PVH.START_INFO.magic, PVH.MAGIC);
  memory.write32(INFO.info + PVH.START_INFO.version, PVH.VERSION);
  memory.write64(INFO.info + PVH.START_INFO.cmdline_paddr, BigInt(INFO.cmdline));
  memory.write64(INFO.info + PVH.START_INFO.memmap_paddr, BigInt(INFO.map));
  memory.write32(INFO.info + PVH.START_INFO.memmap_entries, map.length);
};
