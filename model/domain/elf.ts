/** Reading an ELF64 file: loadable segments and note areas. Everything is checked against the file's end before it is used. */
import { BadInput } from '#spec/failure.ts';

/** Part of the image that is loaded: `bytes` at physical address `paddr`, followed by zeros up to `memsz` bytes. */
export type Segment = { readonly paddr: bigint; readonly memsz: bigint; readonly bytes: Uint8Array };
export type ElfNote = { readonly name: string; readonly type: number; readonly desc: Uint8Array };
export type Elf = { readonly entry: bigint; readonly segments: readonly Segment[]; readonly notes: readonly ElfNote[] };

const PT_LOAD = 1;
const PT_NOTE = 4;
const SHT_NOTE = 7;
const EM_X86_64 = 62;
const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
/** Xen gives up on files with more notes. */
const MOST_NOTES = 0x1000;

const bad = (what: string): never => {
  throw new BadInput(`image: ${what}`);
};

/** A part of the file, or BadInput naming it. */
const slice = (file: Uint8Array, offset: bigint, size: bigint, what: string): Uint8Array =>
  offset + size > BigInt(file.length)
    ? bad(`${what} lies beyond the end of the file`)
    : file.subarray(Number(offset), Number(offset + size));

/** Parse an ELF64 little-endian x86-64 image. Throws BadInput. */
export const parseElf = (file: Uint8Array): Elf => {
  if (file.length < HEADER || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46) bad('not an ELF file');
  if (file[4] !== 2 || file[5] !== 1) bad('not a 64-bit little-endian ELF file');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (view.getUint16(18, true) !== EM_X86_64) bad('not an x86-64 ELF file');
  const phoff = view.getBigUint64(32, true);
  const phentsize = view.getUint16(54, true);
  const phnum = view.getUint16(56, true);
  if (phnum > 0 && phentsize < PROGRAM_HEADER) bad('the program headers are too small');
  slice(file, phoff, BigInt(phentsize) * BigInt(phnum), 'the program header table');

  const segments: Segment[] = [];
  const areas: Uint8Array[] = [];
  for (let i = 0; i < phnum; i++) {
    const at = Number(phoff) + i * phentsize;
    const type = view.getUint32(at, true);
    const flags = view.getUint32(at + 4, true);
    const offset = view.getBigUint64(at + 8, true);
    const paddr = view.getBigUint64(at + 24, true);
    const filesz = view.getBigUint64(at + 32, true);
    const memsz = view.getBigUint64(at + 40, true);
    if (type === PT_LOAD && (flags & 7) !== 0) {
      if (filesz > memsz) bad(`segment ${i} is larger in the file than in memory`);
      if (paddr + memsz >= 1n << 64n) bad(`segment ${i} does not fit into the address space`);
      segments.push({ paddr, memsz, bytes: slice(file, offset, filesz, `segment ${i}`) });
    } else if (type === PT_NOTE && offset !== 0n) areas.push(slice(file, offset, filesz, `note segment ${i}`));
  }
  if (segments.length === 0) bad('nothing to load');
  const fromSegments = notesIn(areas);
  const notes = fromSegments.some((note) => note.name === 'Xen') ? fromSegments : notesIn(noteSections(file, view));
  return { entry: view.getBigUint64(24, true), segments, notes };
};

/** Note sections, for files whose note segments name no Xen. */
const noteSections = (file: Uint8Array, view: DataView): Uint8Array[] => {
  const shoff = view.getBigUint64(40, true);
  const shentsize = view.getUint16(58, true);
  const shnum = view.getUint16(60, true);
  if (shnum === 0) return [];
  if (shentsize < SECTION_HEADER) bad('the section headers are too small');
  slice(file, shoff, BigInt(shentsize) * BigInt(shnum), 'the section header table');
  const areas: Uint8Array[] = [];
  for (let i = 1; i < shnum; i++) {
    const at = Number(shoff) + i * shentsize;
    if (view.getUint32(at + 4, true) === SHT_NOTE)
      areas.push(slice(file, view.getBigUint64(at + 24, true), view.getBigUint64(at + 32, true), `note section ${i}`));
  }
  return areas;
};

const notesIn = (areas: readonly Uint8Array[]): ElfNote[] => {
  const notes: ElfNote[] = [];
  for (const area of areas) {
    const view = new DataView(area.buffer, area.byteOffset, area.length);
    for (let at = 0; at + 12 <= area.length; ) {
      const namesz = view.getUint32(at, true);
      const descsz = view.getUint32(at + 4, true);
      const desc = at + 12 + Math.ceil(namesz / 4) * 4;
      if (desc + descsz > area.length) bad('an ELF note lies beyond the end of its segment');
      if (notes.length >= MOST_NOTES) bad('too many ELF notes');
      notes.push({
        name: text(area.subarray(at + 12, at + 12 + namesz)),
        type: view.getUint32(at + 8, true),
        desc: area.subarray(desc, desc + descsz),
      });
      at = desc + Math.ceil(descsz / 4) * 4;
    }
  }
  return notes;
};

/** Bytes up to the first zero, one character each. */
export const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  let out = '';
  for (const byte of end < 0 ? bytes : bytes.subarray(0, end)) out += String.fromCharCode(byte);
  return out;
};
