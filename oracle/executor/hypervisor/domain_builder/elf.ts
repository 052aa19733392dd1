/**
 * Taking an ELF file for x86-64 or the 80386 apart as Xen's domain builder does. Every offset in the file is suspect: fields outside it read as 0, tables and
 * segments outside it are BadInput.
 */
import { BadInput } from '#spec/failure.ts';

const PT_LOAD = 1n;
const PT_NOTE = 4n;
const SHT_NOTE = 7n;
/** Read, write or execute: a PT_LOAD with none of them is not loaded. */
const ANY_ACCESS = 7n;
/** Xen takes no count of section headers that a file of its size could not hold, were they the smallest there are. */
const SMALLEST_SECTION_HEADER = 40;

/** Offset and size of a field. */
type Place = readonly [at: bigint, size: 2 | 4 | 8];
/** The fields of the ELF header, a program header, and a section header that count. */
type Format = Readonly<
  Record<
    | 'entry'
    | 'programs'
    | 'sections'
    | 'programSize'
    | 'programCount'
    | 'sectionSize'
    | 'sectionCount'
    | 'access'
    | 'offset'
    | 'paddr'
    | 'filesz'
    | 'memsz'
    | 'sectionOffset'
    | 'sectionBytes',
    Place
  >
>;
const ELF64: Format = {
  entry: [24n, 8],
  programs: [32n, 8],
  sections: [40n, 8],
  programSize: [54n, 2],
  programCount: [56n, 2],
  sectionSize: [58n, 2],
  sectionCount: [60n, 2],
  access: [4n, 4],
  offset: [8n, 8],
  paddr: [24n, 8],
  filesz: [32n, 8],
  memsz: [40n, 8],
  sectionOffset: [24n, 8],
  sectionBytes: [32n, 8],
};
const ELF32: Format = {
  entry: [24n, 4],
  programs: [28n, 4],
  sections: [32n, 4],
  programSize: [42n, 2],
  programCount: [44n, 2],
  sectionSize: [46n, 2],
  sectionCount: [48n, 2],
  access: [24n, 4],
  offset: [4n, 4],
  paddr: [12n, 4],
  filesz: [16n, 4],
  memsz: [20n, 4],
  sectionOffset: [16n, 4],
  sectionBytes: [20n, 4],
};
const MACHINE = { X86_64: 62n, I386: 3n } as const;

export type Segment = { readonly paddr: bigint; readonly memsz: bigint; readonly data: Uint8Array };
/** A stretch of the file; `to` need not lie in it. */
export type Range = { readonly from: bigint; readonly to: bigint };
export type ElfFile = {
  readonly reader: Reader;
  /** A file of 32 bits. */
  readonly is32: boolean;
  readonly entry: bigint;
  readonly segments: readonly Segment[];
  /** Lowest and one past the highest physical address of the segments. */
  readonly start: bigint;
  readonly end: bigint;
  /** Note segments, and the note sections that stand in when no segment has a Xen note. */
  readonly noteSegments: readonly Range[];
  readonly noteSections: readonly Range[];
};

/** Bounded little-endian reads. */
export class Reader {
  readonly length: bigint;
  private readonly view: DataView;
  private readonly file: Uint8Array;

  constructor(file: Uint8Array) {
    this.file = file;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.length = BigInt(file.byteLength);
  }

  /** 0 when any byte of it lies outside the file. */
  number(at: bigint, size: 1 | 2 | 4 | 8): bigint {
    if (at + BigInt(size) > this.length) return 0n;
    const offset = Number(at);
    if (size === 8) return this.view.getBigUint64(offset, true);
    if (size === 4) return BigInt(this.view.getUint32(offset, true));
    return BigInt(size === 2 ? this.view.getUint16(offset, true) : this.view.getUint8(offset));
  }

  /** Throws BadInput when some of them lie outside the file; none lie nowhere. */
  bytes(at: bigint, size: bigint, what: string): Uint8Array {
    if (size === 0n) return new Uint8Array();
    if (at + size > this.length) throw new BadInput(`ELF image: ${what} lies outside the file`);
    return this.file.subarray(Number(at), Number(at + size));
  }

  /** Characters up to a NUL that comes before the end of the file and after `most` characters at the latest; null when none does. */
  text(at: bigint, most: number): string | null {
    if (at >= this.length) return null;
    const from = Number(at);
    const nul = this.file.subarray(from, from + most + 1).indexOf(0);
    return nul < 0 ? null : String.fromCharCode(...this.file.subarray(from, from + nul));
  }
}

const checkIdentity = (file: Uint8Array): void => {
  if (file.length < 64 || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46)
    throw new BadInput('image is not an ELF file');
  if ((file[4] !== 1 && file[4] !== 2) || file[5] !== 1) throw new BadInput('ELF image: neither 32-bit nor 64-bit little-endian');
};

/** A range whose end goes round the top of the address space is empty. */
const range = (from: bigint, size: bigint): Range => ({ from, to: BigInt.asUintN(64, from + size) });

/** Throws BadInput with one line that says what is wrong. */
export const parseElf = (file: Uint8Array): ElfFile => {
  checkIdentity(file);
  const reader = new Reader(file);
  const is32 = file[4] === 1;
  const format = is32 ? ELF32 : ELF64;
  const field = ([at, size]: Place, base = 0n): bigint => reader.number(base + at, size);
  if (reader.number(18n, 2) !== (is32 ? MACHINE.I386 : MACHINE.X86_64)) throw new BadInput('ELF image: not for x86');
  const segments: Segment[] = [];
  const noteSegments: Range[] = [];
  const programs = table(reader, field(format.programs), field(format.programSize), Number(field(format.programCount)), 'program headers');
  for (const at of programs) {
    const type = reader.number(at, 4);
    const offset = field(format.offset, at);
    const filesz = field(format.filesz, at);
    if (type === PT_NOTE && offset !== 0n) noteSegments.push(range(offset, filesz));
    if (type !== PT_LOAD || (field(format.access, at) & ANY_ACCESS) === 0n) continue;
    const paddr = field(format.paddr, at);
    const memsz = field(format.memsz, at);
    if (filesz > memsz) throw new BadInput('ELF image: a segment is larger in the file than in memory');
    if (paddr + memsz >= 1n << 64n) throw new BadInput('ELF image: a segment goes to the end of the address space');
    segments.push({ paddr, memsz, data: reader.bytes(offset, filesz, 'segment') });
  }
  if (segments.length === 0) throw new BadInput('ELF image: nothing to load');
  const sectionCount = Math.min(Math.floor(file.length / SMALLEST_SECTION_HEADER), Number(field(format.sectionCount)));
  const noteSections = table(reader, field(format.sections), field(format.sectionSize), sectionCount, 'section headers')
    .slice(1)
    .filter((at) => reader.number(at + 4n, 4) === SHT_NOTE)
    .map((at) => range(field(format.sectionOffset, at), field(format.sectionBytes, at)));
  return {
    reader,
    is32,
    entry: field(format.entry),
    segments,
    start: segments.reduce((low, { paddr }) => (paddr < low ? paddr : low), segments[0]!.paddr),
    end: segments.reduce((high, { paddr, memsz }) => (paddr + memsz > high ? paddr + memsz : high), 0n),
    noteSegments,
    noteSections,
  };
};

/** File offsets of `count` headers of a stated size, which may be any, even 0. */
const table = (reader: Reader, place: bigint, size: bigint, count: number, what: string): bigint[] => {
  if (place + size * BigInt(count) > reader.length) throw new BadInput(`ELF image: ${what} lie outside the file`);
  return Array.from({ length: count }, (_, i) => place + size * BigInt(i));
};
