/** PVH: the note that names the entry, and hvm_start_info. Chapter: spec/chapters/bare.md. */
import { INFO, PVH } from '#spec/bare/boot.ts';
import type { BareConfig } from '#spec/bare/machine.ts';
import { badImage, fieldAt, isElf, parseElfFile } from './image_file.ts';
import { entriesOf, type Loaded, textBytes } from './loaded.ts';

const aligned = (n: number): number => (n + 3) & ~3;

/** The note's value has four or eight bytes. */
const entryIn = (file: Uint8Array, [start, end]: readonly [number, number]): number | null => {
  for (let at = start; at + 12 <= end; ) {
    const [nameBytes, bytes, type] = [0, 4, 8].map((n) => fieldAt(file, at + n, 4));
    const name = String.fromCharCode(...file.subarray(at + 12, at + 12 + nameBytes)).replace(/\0+$/, '');
    const value = at + 12 + aligned(nameBytes);
    if (name === PVH.NOTE_NAME && type === PVH.NOTE_TYPE) {
      if (bytes !== 4 && bytes !== 8) badImage('a PHYS32_ENTRY note of a wrong size');
      return fieldAt(file, value, bytes as 4 | 8);
    }
    at = value + aligned(bytes);
  }
  return null;
};

/** The image by PVH; null when it has no such note. Throws BadInput. */
export const loadPvh = (file: Uint8Array, config: BareConfig): Loaded | null => {
  if (!isElf(file)) return null;
  const elf = parseElfFile(file);
  for (const area of elf.notes) {
    const entry = entryIn(file, area);
    if (entry !== null)
      return { entry, pieces: elf.pieces, eax: 0, info: information(config), clauses: ['bare/pvh-entry', 'bare/pvh-info'] };
  }
  return null;
};

const information = (config: BareConfig): Uint8Array => {
  const page = new Uint8Array(INFO.end - INFO.first);
  const view = new DataView(page.buffer);
  const { START_INFO: field, MEMMAP_ENTRY: entry } = PVH;
  const base = INFO.info - INFO.first;
  const map = entriesOf(config);
  view.setUint32(base + field.magic, PVH.MAGIC, true);
  view.setUint32(base + field.version, PVH.VERSION, true);
  view.setBigUint64(base + field.cmdline_paddr, BigInt(INFO.cmdline), true);
  view.setBigUint64(base + field.memmap_paddr, BigInt(INFO.map), true);
  view.setUint32(base + field.memmap_entries, map.length, true);
  map.forEach(({ start, end, type }, n) => {
    const at = INFO.map - INFO.first + n * PVH.MEMMAP_ENTRY_BYTES;
    view.setBigUint64(at + entry.addr, BigInt(start), true);
    view.setBigUint64(at + entry.size, BigInt(end - start), true);
    view.setUint32(at + entry.type, type, true);
  });
  page.set(textBytes(config.cmdline), INFO.cmdline - INFO.first);
  return page;
};
