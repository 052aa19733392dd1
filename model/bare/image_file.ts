/** ELF files of 32 and 64 bits, as far as a boot loader looks at them. What a header names outside the file makes it unusable. */
import { BadInput } from '#spec/failure.ts';

/** `bytes` at physical address `at`, followed by zeros up to `length` bytes. */
export type Piece = { readonly at: number; readonly length: number; readonly bytes: Uint8Array };
export type ElfFile = {
  readonly bits: 32 | 64;
  readonly entry: number;
  readonly pieces: readonly Piece[];
  /** [start, end) in the file. */
  readonly notes: readonly (readonly [start: number, end: number])[];
};

const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_386 = 3;
const EM_X86_64 = 62;

/** Where the fields of headers stand: file header (entry, program header table), program header. */
const FIELDS = {
  32: { word: 4, entry: 24, table: 28, entrySize: 42, count: 44, offset: 4, paddr: 12, filesz: 16, memsz: 20, header: 52 },
  64: { word: 8, entry: 24, table: 32, entrySize: 54, count: 56, offset: 8, paddr: 24, filesz: 32, memsz: 40, header: 64 },
} as const;

export const badImage = (what: string): never => {
  throw new BadInput(`image: ${what}`);
};

/** A little-endian field of 2, 4 or 8 bytes; 8 bytes as an inexact number when they are large. */
export const fieldAt = (file: Uint8Array, at: number, size: 2 | 4 | 8): number => {
  if (at < 0 || at + size > file.length) return badImage('a header lies beyond the end of the file');
  const view = new DataView(file.buffer, file.byteOffset + at, size);
  if (size === 8) return Number(view.getBigUint64(0, true));
  return size === 4 ? view.getUint32(0, true) : view.getUint16(0, true);
};

export const isElf = (file: Uint8Array): boolean =>
  file.length >= 52 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;

/** Parse a little-endian x86 file. Throws BadInput. */
export const parseElfFile = (file: Uint8Array): ElfFile => {
  if (!isElf(file)) badImage('not an ELF file');
  const bits = file[4] === 2 ? 64 : 32;
  if (file[4] !== 1 && file[4] !== 2) badImage('not a 32-bit or 64-bit ELF file');
  const machine = fieldAt(file, 18, 2);
  if (file[5] !== 1 || (machine !== EM_386 && machine !== EM_X86_64)) badImage('not an x86 ELF file');
  const field = FIELDS[bits];
  const { word } = field;
  const pieces: Piece[] = [];
  const notes: (readonly [number, number])[] = [];
  for (let n = 0; n < fieldAt(file, field.count, 2); n++) {
    const at = fieldAt(file, field.table, word) + n * fieldAt(file, field.entrySize, 2);
    const type = fieldAt(file, at, 4);
    const offset = fieldAt(file, at + field.offset, word);
    const filesz = fieldAt(file, at + field.filesz, word);
    const memsz = fieldAt(file, at + field.memsz, word);
    if ((type === PT_LOAD || type === PT_NOTE) && offset + filesz > file.length) badImage(`segment ${n} lies beyond the end of the file`);
    if (type === PT_NOTE) notes.push([offset, offset + filesz]);
    if (type === PT_LOAD && filesz > memsz) badImage(`segment ${n} is larger in the file than in memory`);
    if (type !== PT_LOAD || memsz === 0) continue;
    pieces.push({ at: fieldAt(file, at + field.paddr, word), length: memsz, bytes: file.subarray(offset, offset + filesz) });
  }
  return { bits, entry: fieldAt(file, field.entry, word), pieces, notes };
};
