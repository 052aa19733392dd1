/**
 * Reading an ELF64 file as Xen does: what a header names outside the file reads as zero, and only a table or a segment that does not lie in
 * the file makes it unusable. Chapter: spec/chapters/start_of_day.md.
 */
import { BadInput, NotModelled } from '#spec/failure.ts';

/** Part of the image that is loaded: `bytes` at physical address `paddr`, followed by zeros up to `memsz` bytes. */
export type Segment = { readonly paddr: bigint; readonly memsz: bigint; readonly bytes: Uint8Array };
/** [start, end) in the file; the end may lie beyond it. */
export type Area = { readonly start: bigint; readonly end: bigint };
export type Elf = {
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

/** Parse an ELF64 little-endian x86-64 image. Throws BadInput, and NotModelled for a 32-bit kernel. */
export const parseElf = (file: Uint8Array): Elf => {
  if (file.length < HEADER || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46) bad('not an ELF file');
  const machine = field(file, 18n, 2);
  if (file[4] === 1 && file[5] === 1 && machine === EM_386) throw new NotModelled('domain_builder/32-bit kernel');
  if (file[4] !== 2 || file[5] !== 1) bad('not a 64-bit little-endian ELF file');
  if (machine !== EM_X86_64) bad('not an x86-64 ELF file');

  const segments: Segment[] = [];
  const noteSegments: Area[] = [];
  for (const [i, at] of headers(file, 32n, 54n, field(file, 56n, 2), 'program').entries()) {
    const type = field(file, at, 4);
    const offset = field(file, at + 8n, 8);
    const filesz = field(file, at + 32n, 8);
    if (type === PT_NOTE && offset !== 0n) noteSegments.push({ start: offset, end: BigInt.asUintN(64, offset + filesz) });
    if (type !== PT_LOAD || (field(file, at + 4n, 4) & 7n) === 0n) continue;
    const paddr = field(file, at + 24n, 8);
    const memsz = field(file, at + 40n, 8);
    if (filesz > memsz) bad(`segment ${i} is larger in the file than in memory`);
    if (paddr + memsz >= 1n << 64n) bad(`segment ${i} does not fit into the address space`);
    if (filesz > 0n && offset + filesz > BigInt(file.length)) bad(`segment ${i} lies beyond the end of the file`);
    segments.push({ paddr, memsz, bytes: filesz === 0n ? new Uint8Array() : file.subarray(Number(offset), Number(offset + filesz)) });
  }
  if (segments.length === 0) bad('nothing to load');
  return { file, entry: field(file, 24n, 8), segments, noteSegments, noteSections: noteSections(file) };
};

/** File offsets of the headers of a table that the ELF header describes. Headers may overlap when their stated size is small. */
const headers = (file: Uint8Array, offsetAt: bigint, sizeAt: bigint, count: bigint, what: string): readonly bigint[] => {
  const offset = field(file, offsetAt, 8);
  const size = field(file, sizeAt, 2);
  if (offset + size * count > BigInt(file.length)) bad(`the ${what} header table lies beyond the end of the file`);
  return Array.from({ length: Number(count) }, (_, i) => offset + size * BigInt(i));
};

const noteSections = (file: Uint8Array): Area[] => {
  const most = BigInt(file.length) / LEAST_SECTION_HEADER;
  const stated = field(file, 60n, 2);
  return headers(file, 40n, 58n, stated > most ? most : stated, 'section')
    .slice(1)
    .filter((at) => field(file, at + 4n, 4) === SHT_NOTE)
    .map((at) => {
      const start = field(file, at + 24n, 8);
      return { start, end: BigInt.asUintN(64, start + field(file, at + 32n, 8)) };
    });
};
