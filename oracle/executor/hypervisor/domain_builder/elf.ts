/** Taking an x86-64 ELF file apart as Xen's domain builder does. Every offset in the file is suspect: what lies outside is BadInput. */
import { BadInput } from '#spec/failure.ts';

const PT_LOAD = 1n;
const PT_NOTE = 4n;
const SHT_NOTE = 7n;
/** Read, write or execute: a PT_LOAD with none of them is not loaded. */
const ANY_ACCESS = 7n;
const PROGRAM_HEADER_BYTES = 56n;
const SECTION_HEADER_BYTES = 64n;

export type Segment = { readonly paddr: bigint; readonly memsz: bigint; readonly data: Uint8Array };
export type ElfFile = {
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  /** Lowest and one past the highest physical address of the segments. */
  readonly start: bigint;
  readonly end: bigint;
  /** Bytes of the note segments, or of the note sections when there is no note segment. */
  readonly noteSegments: readonly Uint8Array[];
  readonly noteSections: readonly Uint8Array[];
};

/** Bounded little-endian reads. */
class Reader {
  private readonly view: DataView;
  private readonly file: Uint8Array;

  constructor(file: Uint8Array) {
    this.file = file;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  number(at: bigint, size: 2 | 4 | 8, what: string): bigint {
    this.within(at, BigInt(size), what);
    const offset = Number(at);
    if (size === 8) return this.view.getBigUint64(offset, true);
    return BigInt(size === 4 ? this.view.getUint32(offset, true) : this.view.getUint16(offset, true));
  }

  bytes(at: bigint, size: bigint, what: string): Uint8Array {
    this.within(at, size, what);
    return this.file.subarray(Number(at), Number(at + size));
  }

  within(at: bigint, size: bigint, what: string): void {
    if (at + size > BigInt(this.file.length)) throw new BadInput(`ELF image: ${what} lies outside the file`);
  }
}

const checkIdentity = (file: Uint8Array): void => {
  if (file.length < 64 || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46)
    throw new BadInput('image is not an ELF file');
  if (file[4] !== 2 || file[5] !== 1) throw new BadInput('ELF image: not 64-bit little-endian');
};

/** Throws BadInput with one line that says what is wrong. */
export const parseElf = (file: Uint8Array): ElfFile => {
  checkIdentity(file);
  const reader = new Reader(file);
  if (reader.number(18n, 2, 'machine') !== 62n) throw new BadInput('ELF image: not for x86-64');
  const segments: Segment[] = [];
  const noteSegments: Uint8Array[] = [];
  for (const at of table(reader, 32n, 54n, 56n, PROGRAM_HEADER_BYTES, 'program header')) {
    const type = reader.number(at, 4, 'program header');
    const offset = reader.number(at + 8n, 8, 'program header');
    const filesz = reader.number(at + 32n, 8, 'program header');
    if (type === PT_NOTE && offset !== 0n) noteSegments.push(reader.bytes(offset, filesz, 'note segment'));
    if (type !== PT_LOAD || (reader.number(at + 4n, 4, 'program header') & ANY_ACCESS) === 0n) continue;
    const paddr = reader.number(at + 24n, 8, 'program header');
    const memsz = reader.number(at + 40n, 8, 'program header');
    if (filesz > memsz) throw new BadInput('ELF image: a segment is larger in the file than in memory');
    if (paddr + memsz > 1n << 64n) throw new BadInput('ELF image: a segment goes past the end of the address space');
    segments.push({ paddr, memsz, data: reader.bytes(offset, filesz, 'segment') });
  }
  if (segments.length === 0) throw new BadInput('ELF image: nothing to load');
  return {
    entry: reader.number(24n, 8, 'header'),
    segments,
    start: segments.reduce((low, { paddr }) => (paddr < low ? paddr : low), segments[0]!.paddr),
    end: segments.reduce((high, { paddr, memsz }) => (paddr + memsz > high ? paddr + memsz : high), 0n),
    noteSegments,
    noteSections: noteSections(reader),
  };
};

/** File offsets of the headers in a table that the ELF header describes by the offsets of three of its fields. */
const table = (reader: Reader, offsetField: bigint, sizeField: bigint, countField: bigint, least: bigint, what: string): bigint[] => {
  const offset = reader.number(offsetField, 8, 'header');
  const size = reader.number(sizeField, 2, 'header');
  const count = reader.number(countField, 2, 'header');
  if (count === 0n) return [];
  if (size < least) throw new BadInput(`ELF image: ${what} size ${size} is too small`);
  reader.within(offset, size * count, what);
  return Array.from({ length: Number(count) }, (_, i) => offset + size * BigInt(i));
};

const noteSections = (reader: Reader): Uint8Array[] =>
  table(reader, 40n, 58n, 60n, SECTION_HEADER_BYTES, 'section header')
    .slice(1)
    .filter((at) => reader.number(at + 4n, 4, 'section header') === SHT_NOTE)
    .map((at) => reader.bytes(reader.number(at + 24n, 8, 'section header'), reader.number(at + 32n, 8, 'section header'), 'note section'));
