/** ELF files of 32 and 64 bits as far as booting one needs: entry, what is loaded, notes. Source: System V ABI, chapter 4 and 5. */
import { BadInput } from '#spec/failure.ts';

const PT_LOAD = 1;
const PT_NOTE = 4;
const CLASS32 = 1;
const CLASS64 = 2;
const LITTLE_ENDIAN = 1;
/** e_machine: i386 and x86-64. */
const MACHINE = 18;
const MACHINES: readonly number[] = [3, 62];

/** What goes to a physical address: the file's bytes, then zeros up to `size`. */
export type Load = { readonly at: number; readonly bytes: Uint8Array; readonly size: number };
export type Note = { readonly name: string; readonly type: number; readonly content: Uint8Array };
export type Elf = { readonly bits: 32 | 64; readonly entry: number; readonly loads: readonly Load[]; readonly notes: readonly Note[] };

const bad = (what: string): never => {
  throw new BadInput(`bare image: ${what}`);
};

/** Part of a file; BadInput when it lies outside. */
export const slice = (file: Uint8Array, from: number, length: number, what: string): Uint8Array => {
  if (from < 0 || length < 0 || from + length > file.length) bad(`${what} lies outside the file`);
  return file.subarray(from, from + length);
};

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the fields of headers are; each of `word` bytes. */
type Layout = {
  readonly word: 4 | 8;
  readonly header: number;
  readonly entry: number;
  readonly phoff: number;
  readonly phentsize: number;
  readonly offset: number;
  readonly paddr: number;
  readonly filesz: number;
  readonly memsz: number;
  readonly programHeader: number;
};
const LAYOUT32: Layout = {
  word: 4,
  header: 52,
  entry: 24,
  phoff: 28,
  phentsize: 42,
  offset: 4,
  paddr: 12,
  filesz: 16,
  memsz: 20,
  programHeader: 32,
};
const LAYOUT64: Layout = {
  word: 8,
  header: 64,
  entry: 24,
  phoff: 32,
  phentsize: 54,
  offset: 8,
  paddr: 24,
  filesz: 32,
  memsz: 40,
  programHeader: 56,
};

const isElf = (file: Uint8Array): boolean => file.length >= 16 && [0x7f, 0x45, 0x4c, 0x46].every((byte, n) => file[n] === byte);

/** Null when it is no ELF file at all. Throws BadInput for one that is damaged. */
export const parseElf = (file: Uint8Array): Elf | null => {
  if (!isElf(file)) return null;
  const [kind, order] = [file[4], file[5]];
  if ((kind !== CLASS32 && kind !== CLASS64) || order !== LITTLE_ENDIAN) return bad('not a little-endian ELF file of 32 or 64 bits');
  const layout = kind === CLASS32 ? LAYOUT32 : LAYOUT64;
  const view = viewOf(slice(file, 0, layout.header, 'the ELF header'));
  const number = (from: DataView, at: number): number =>
    layout.word === 4 ? from.getUint32(at, true) : Number(from.getBigUint64(at, true));
  const size = view.getUint16(layout.phentsize, true);
  const count = view.getUint16(layout.phentsize + 2, true);
  if (!MACHINES.includes(view.getUint16(MACHINE, true))) bad('an ELF file of another machine');
  const loads: Load[] = [];
  const notes: Note[] = [];
  for (let n = 0; n < count; n++) {
    const header = viewOf(slice(file, number(view, layout.phoff) + n * size, layout.programHeader, `program header ${n}`));
    const type = header.getUint32(0, true);
    if (type !== PT_LOAD && type !== PT_NOTE) continue;
    const bytes = slice(file, number(header, layout.offset), number(header, layout.filesz), `segment ${n}`);
    if (type === PT_NOTE) notes.push(...parseNotes(bytes));
    else loads.push(loadOf(number(header, layout.paddr), bytes, number(header, layout.memsz)));
  }
  return { bits: kind === CLASS32 ? 32 : 64, entry: number(view, layout.entry), loads, notes };
};

const loadOf = (at: number, bytes: Uint8Array, size: number): Load => {
  if (size < bytes.length) bad('a segment is larger in the file than in memory');
  return { at, bytes, size };
};

const align4 = (n: number): number => (n + 3) & ~3;

/** Notes one after another; a damaged one ends the list. */
const parseNotes = (bytes: Uint8Array): readonly Note[] => {
  const view = viewOf(bytes);
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const nameBytes = view.getUint32(at, true);
    const contentBytes = view.getUint32(at + 4, true);
    const content = at + 12 + align4(nameBytes);
    if (content + contentBytes > bytes.length) break;
    const name = String.fromCharCode(...bytes.subarray(at + 12, at + 12 + Math.max(0, nameBytes - 1)));
    notes.push({ name, type: view.getUint32(at + 8, true), content: bytes.subarray(content, content + contentBytes) });
    at = content + align4(contentBytes);
  }
  return notes;
};
