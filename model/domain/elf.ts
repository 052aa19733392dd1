/**
 * Reading an ELF file as Xen does: what a header names outside the file reads as zero, and only a table or a segment that does not lie in
 * the file makes it unusable. Chapter: spec/chapters/start_of_day.md.
 */
import { BadInput } from '#spec/failure.ts';

/** Part of the image that is loaded: `bytes` at physical address `paddr`, followed by zeros up to `memsz` bytes. */
export type Segment = { readonly paddr: bigint; readonly memsz: bigint; readonly bytes: Uint8Array };
/** [start, end) in the file; the end may lie beyond it. */
export type Area = { readonly start: bigint; readonly end: bigint };
export type Elf = {
  /** ELFCLASS32 or ELFCLASS64. */
  readonly bits: 32 | 64;
  readonly file: Uint8Array;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  /** Where notes are: in segments, and in sections for files whose segments name no Xen. */
  readonly noteSegments: readonly Area[];
  readonly noteSections: readonly Area[];
};

const PT_LOAD = 1n;
const PT_NOTE = 4n;
const SHT_NOTE = 7n;
const EM_386 = 3n;
const EM_X86_64 = 62n;
const HEADER = 64;
/** Xen believes no more section headers than would fit into the file if they were 32-bit ones. */
const LEAST_SECTION_HEADER = 40n;

const bad = (what: string): never => {
  throw new BadInput(`image: ${what}`);
};

/** A little-endian field of 1, 2, 4 or 8 bytes; zero when it is not wholly in the file. */
export const field = (file: Uint8Array, at: bigint, size: number): bigint => {
  if (at + BigInt(size) > BigInt(file.length)) return 0n;
  const view = new DataView(file.buffer, file.byteOffset + Number(at), size);
  if (size === 8) return view.getBigUint64(0, true);
  return BigInt(size === 4 ? view.getUint32(0, true) : size === 2 ? view.getUint16(0, true) : view.getUint8(0));
};

/** Where the fields of the two classes stand: in the file's header, and in the headers of segments and sections. Words have `word` bytes. */
type Shape = {
  readonly bits: 32 | 64;
  readonly word: 4 | 8;
  readonly header: { readonly entry: bigint; readonly segments: bigint; readonly sections: bigint; readonly counts: bigint };
  readonly segment: {
    readonly flags: bigint;
    readonly offset: bigint;
    readonly paddr: bigint;
    readonly filesz: bigint;
    readonly memsz: bigint;
  };
  readonly section: { readonly offset: bigint; readonly size: bigint };
};
const ELF64: Shape = {
  bits: 64,
  word: 8,
  header: { entry: 24n, segments: 32n, sections: 40n, counts: 54n },
  segment: { flags: 4n, offset: 8n, paddr: 24n, filesz: 32n, memsz: 40n },
  section: { offset: 24n, size: 32n },
};
const ELF32: Shape = {
  bits: 32,
  word: 4,
  header: { entry: 24n, segments: 28n, sections: 32n, counts: 42n },
  segment: { flags: 24n, offset: 4n, paddr: 12n, filesz: 16n, memsz: 20n },
  section: { offset: 16n, size: 20n },
};

const shapeOf = (file: Uint8Array): Shape => {
  const machine = field(file, 18n, 2);
  if (file[4] === 1 && file[5] === 1 && machine === EM_386) return ELF32;
  if (file[4] !== 2 || file[5] !== 1) bad('neither a 64-bit nor a 32-bit x86 little-endian ELF file');
  if (machine !== EM_X86_64) bad('not an x86-64 ELF file');
  return ELF64;
};

/** Parse a little-endian image for x86-64 or i386. Throws BadInput. */
export const parseElf = (file: Uint8Array): Elf => {
  if (file.length < HEADER || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46) bad('not an ELF file');
  const shape = shapeOf(file);
  const { bits, word, header, segment } = shape;
  const segments: Segment[] = [];
  const noteSegments: Area[] = [];
  for (const [i, at] of headers(file, shape, header.segments, header.counts, field(file, header.counts + 2n, 2), 'program').entries()) {
    const type = field(file, at, 4);
    const offset = field(file, at + segment.offset, word);
    const filesz = field(file, at + segment.filesz, word);
    if (type === PT_NOTE && offset !== 0n) noteSegments.push({ start: offset, end: BigInt.asUintN(64, offset + filesz) });
    if (type !== PT_LOAD || (field(file, at + segment.flags, 4) & 7n) === 0n) continue;
    const paddr = field(file, at + segment.paddr, word);
    const memsz = field(file, at + segment.memsz, word);
    if (filesz > memsz) bad(`segment ${i} is larger in the file than in memory`);
    if (paddr + memsz >= 1n << 64n) bad(`segment ${i} does not fit into the address space`);
    if (filesz > 0n && offset + filesz > BigInt(file.length)) bad(`segment ${i} lies beyond the end of the file`);
    segments.push({ paddr, memsz, bytes: filesz === 0n ? new Uint8Array() : file.subarray(Number(offset), Number(offset + filesz)) });
  }
  if (segments.length === 0) bad('nothing to load');
  return { bits, file, entry: field(file, header.entry, word), segments, noteSegments, noteSections: noteSections(file, shape) };
};

/** File offsets of the headers of a table that the ELF header describes. Headers may overlap when their stated size is small. */
const headers = (file: Uint8Array, { word }: Shape, offsetAt: bigint, sizeAt: bigint, count: bigint, what: string): readonly bigint[] => {
  const offset = field(file, offsetAt, word);
  const size = field(file, sizeAt, 2);
  if (offset + size * count > BigInt(file.length)) bad(`the ${what} header table lies beyond the end of the file`);
  return Array.from({ length: Number(count) }, (_, i) => offset + size * BigInt(i));
};

const noteSections = (file: Uint8Array, shape: Shape): Area[] => {
  const { word, header, section } = shape;
  const most = BigInt(file.length) / LEAST_SECTION_HEADER;
  const stated = field(file, header.counts + 6n, 2);
  return headers(file, shape, header.sections, header.counts + 4n, stated > most ? most : stated, 'section')
    .slice(1)
    .filter((at) => field(file, at + 4n, 4) === SHT_NOTE)
    .map((at) => {
      const start = field(file, at + section.offset, word);
      return { start, end: BigInt.asUintN(64, start + field(file, at + section.size, word)) };
    });
};
