/** Which way an image boots, and what is loaded where. Source: spec/bare/boot.ts. */
import { INFO, MULTIBOOT, PVH, RAM_HOLE } from '#spec/bare/boot.ts';
import { BadInput } from '#spec/failure.ts';
import { type Elf, type Load, parseElf, slice, viewOf } from './elf.ts';

export type Image = { readonly protocol: 'multiboot' | 'pvh'; readonly entry: number; readonly loads: readonly Load[] };

const bad = (what: string): never => {
  throw new BadInput(`bare image: ${what}`);
};

/** Offset of the multiboot header, or null. */
const findHeader = (file: Uint8Array): number | null => {
  const view = viewOf(file);
  const end = Math.min(file.length, MULTIBOOT.HEADER_SEARCH_BYTES) - 12;
  for (let at = 0; at <= end; at += 4) {
    const [magic, flags, checksum] = [0, 4, 8].map((n) => view.getUint32(at + n, true));
    if (magic === MULTIBOOT.HEADER_MAGIC && (magic + flags + checksum) >>> 0 === 0) return at;
  }
  return null;
};

/** The header says itself what is loaded. */
const byAddresses = (file: Uint8Array, header: number): Image => {
  const view = viewOf(slice(file, header, 32, 'the multiboot header'));
  const [headerAt, loadAt, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((n) => view.getUint32(n, true));
  const from = header - (headerAt - loadAt);
  if (from < 0) bad('the multiboot header has addresses that fit no file');
  const length = loadEnd === 0 ? file.length - from : loadEnd - loadAt;
  const bytes = slice(file, from, length, 'what the multiboot header wants loaded');
  return { protocol: 'multiboot', entry, loads: [{ at: loadAt, bytes, size: Math.max(length, bssEnd === 0 ? 0 : bssEnd - loadAt) }] };
};

const byMultiboot = (file: Uint8Array, header: number): Image => {
  const flags = viewOf(file).getUint32(header + 4, true);
  if ((flags & 0xffff & ~MULTIBOOT.HEADER_FLAGS_GRANTED) !== 0) bad('the multiboot header asks for what is not there');
  if ((flags & MULTIBOOT.HEADER_ADDRESSES) !== 0) return byAddresses(file, header);
  const elf = parseElf(file);
  if (elf === null || elf.bits !== 32) return bad('a multiboot image without addresses must be a 32-bit ELF file');
  return { protocol: 'multiboot', entry: elf.entry, loads: elf.loads };
};

const pvhEntry = (elf: Elf): number | null => {
  const note = elf.notes.find(({ name, type }) => name === PVH.NOTE_NAME && type === PVH.NOTE_TYPE);
  if (note === undefined || note.content.length < 4) return null;
  return viewOf(note.content).getUint32(0, true);
};

/** Throws BadInput for what is no image, or does not fit into `frames` frames of RAM. */
export const readImage = (file: Uint8Array, frames: number): Image => {
  const header = findHeader(file);
  const image = header !== null ? byMultiboot(file, header) : byPvh(file);
  for (const load of image.loads) checkPlace(load, frames);
  return image;
};

const byPvh = (file: Uint8Array): Image => {
  const elf = parseElf(file);
  const entry = elf === null ? null : pvhEntry(elf);
  if (elf === null || entry === null) return bad('neither a multiboot header nor a PVH note');
  return { protocol: 'pvh', entry, loads: elf.loads };
};

const checkPlace = ({ at, size }: Load, frames: number): void => {
  if (size === 0) return;
  const end = at + size;
  if (end > frames * 4096) bad(`${size} bytes at 0x${at.toString(16)} do not fit into memory`);
  if (at < RAM_HOLE.end && end > RAM_HOLE.start) bad('something would be loaded where no memory answers');
  if (at < INFO.end && end > INFO.first) bad('something would be loaded over the boot information');
};
