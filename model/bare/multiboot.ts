/** Multiboot 1: its header, what it makes of the file, and the information for the image. Chapter: spec/chapters/bare.md. */
import { INFO, MEM_LOWER_KIB, MULTIBOOT } from '#spec/bare/boot.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import { badImage, fieldAt, isElf, parseElfFile } from './image_file.ts';
import { entriesOf, type Loaded, textBytes } from './loaded.ts';

type Header = { readonly at: number; readonly flags: number };

const headerIn = (file: Uint8Array): Header | null => {
  const last = Math.min(file.length, MULTIBOOT.HEADER_SEARCH_BYTES) - 12;
  for (let at = 0; at <= last; at += 4) {
    const [magic, flags, checksum] = [0, 4, 8].map((n) => fieldAt(file, at + n, 4));
    if (magic === MULTIBOOT.HEADER_MAGIC && (magic + flags + checksum) % 0x1_0000_0000 === 0) return { at, flags };
  }
  return null;
};

/** The image by multiboot; null when it has no header. Throws BadInput. */
export const loadMultiboot = (file: Uint8Array, config: BareConfig): Loaded | null => {
  const header = headerIn(file);
  if (header === null) return null;
  if ((header.flags & 0xffff & ~MULTIBOOT.HEADER_FLAGS_GRANTED) !== 0) badImage('a multiboot header that asks for what is not there');
  const addressed = (header.flags & MULTIBOOT.HEADER_ADDRESSES) !== 0;
  const { entry, pieces } = addressed ? byAddresses(file, header) : byElf(file);
  const clauses = [addressed ? 'bare/multiboot-addresses' : 'bare/multiboot-elf', 'bare/multiboot-info'] as const;
  return { entry, pieces, eax: MULTIBOOT.LOADED_MAGIC, info: information(config), clauses };
};

const byElf = (file: Uint8Array): Pick<Loaded, 'entry' | 'pieces'> => {
  if (!isElf(file)) badImage('a multiboot header without addresses in a file that is no ELF file');
  const elf = parseElfFile(file);
  return elf.bits === 32 ? elf : badImage('a 64-bit ELF file with a multiboot header without addresses');
};

/** A load end of 0 is the end of the file, a bss end of 0 means no bss. */
const byAddresses = (file: Uint8Array, { at }: Header): Pick<Loaded, 'entry' | 'pieces'> => {
  const [header, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((n) => fieldAt(file, at + n, 4));
  const start = at - (header - load);
  const stored = loadEnd === 0 ? file.length - start : loadEnd - load;
  if (start < 0 || stored < 0 || start + stored > file.length) badImage('multiboot addresses outside the file');
  const length = bssEnd === 0 ? stored : Math.max(bssEnd - load, stored);
  return { entry, pieces: [{ at: load, length, bytes: file.subarray(start, start + stored) }] };
};

const information = (config: BareConfig): Uint8Array => {
  const page = new Uint8Array(INFO.end - INFO.first);
  const view = new DataView(page.buffer);
  const { INFO: field, MMAP_ENTRY: entry } = MULTIBOOT;
  const put = (at: number, value: number): void => view.setUint32(INFO.info - INFO.first + at, value, true);
  const map = entriesOf(config);
  put(field.flags, MULTIBOOT.INFO_FLAGS);
  put(field.mem_lower, MEM_LOWER_KIB);
  put(field.mem_upper, (config.frames * 4096 - 0x100000) / 1024);
  put(field.cmdline, INFO.cmdline);
  put(field.mmap_length, map.length * MULTIBOOT.MMAP_ENTRY_BYTES);
  put(field.mmap_addr, INFO.map);
  put(field.boot_loader_name, INFO.loader_name);
  map.forEach(({ start, end, type }, n) => {
    const at = INFO.map - INFO.first + n * MULTIBOOT.MMAP_ENTRY_BYTES;
    view.setUint32(at + entry.size, MULTIBOOT.MMAP_ENTRY_BYTES - 4, true);
    view.setBigUint64(at + entry.base, BigInt(start), true);
    view.setBigUint64(at + entry.length, BigInt(end - start), true);
    view.setUint32(at + entry.type, type, true);
  });
  page.set(textBytes(MULTIBOOT.LOADER_NAME), INFO.loader_name - INFO.first);
  page.set(textBytes(config.cmdline), INFO.cmdline - INFO.first);
  return page;
};
