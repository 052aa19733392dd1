/** Xen's ELF notes: what an image tells the domain builder about itself. */
import { ELFNOTE } from '#spec/abi/elfnote.ts';
import { XENFEAT } from '#spec/abi/version.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { ElfFile, Range, Reader } from './elf.ts';

/** Names that a FEATURES note may use. */
const FEATURE_NAMES = [
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'supervisor_mode_kernel',
  'pae_pgdir_above_4gb',
  'hvm_callback_vector',
  'dom0',
] as const;
/** Xen reads no further: notes of a file, characters of a string, characters of a feature's name with its `!`. */
const MOST_NOTES = 65536;
const MOST_TEXT = 4096;
const MOST_NAME = 63;

export type XenNotes = {
  /** Absent values are null. */
  readonly entry: bigint | null;
  readonly hypercallPage: bigint | null;
  readonly virtBase: bigint | null;
  readonly paddrOffset: bigint | null;
  readonly p2mBase: bigint | null;
  /** The kernel finds its initrd by page number, so Xen need not map it. */
  readonly initrdByPfn: boolean;
  /** Where a 32-bit kernel lets Xen begin, at the lowest. */
  readonly hvStartLow: bigint | null;
  /** PAE_MODE is exactly "yes", or the kernel is a 32-bit one with either mode. */
  readonly extendedCr3: boolean;
  /** PAE_MODE is "yes" or names "bimodal". */
  readonly pae: boolean;
};

/** A number that stands for "not given". */
const UNSET = (1n << 64n) - 1n;

/** The description's place in the file and its stated size. */
type XenNote = { readonly type: number; readonly place: bigint; readonly size: number };

const align4 = (size: number): bigint => BigInt(((size + 3) & ~3) >>> 0);

/** Notes whose name, read up to its NUL, is "Xen". A note goes on where it says, whatever the segment's end; the walk stops past the file. */
const notesIn = (reader: Reader, ranges: readonly Range[]): XenNote[] => {
  const found: XenNote[] = [];
  let left = MOST_NOTES;
  for (const { from, to } of ranges) {
    let at = from;
    while (at < to && at < reader.length) {
      if (left-- === 0) return found;
      const place = at + 12n + align4(Number(reader.number(at, 4)));
      const size = Number(reader.number(at + 4n, 4));
      if (reader.text(at + 12n, 3) === 'Xen') found.push({ type: Number(reader.number(at + 8n, 4)), place, size });
      at = place + align4(size);
    }
  }
  return found;
};

/** A little-endian number of 1, 2, 4 or 8 bytes; other sizes read as 0. */
const numberIn = (reader: Reader, { place, size }: XenNote): bigint =>
  size === 1 || size === 2 || size === 4 || size === 8 ? reader.number(place, size) : 0n;

/** A feature list's items, cut as Xen's buffer cuts them. */
const featuresIn = (list: string): string[] => list.split('|').flatMap((item) => item.match(new RegExp(`.{1,${MOST_NAME}}`, 'gs')) ?? []);

/** Throws BadInput when a feature is required that Xen does not know, or that a PV domain cannot have. */
const checkFeatures = (list: string): void => {
  for (const feature of featuresIn(list)) {
    if (!feature.startsWith('!')) continue;
    const name = feature.slice(1);
    if (!(FEATURE_NAMES as readonly string[]).includes(name))
      throw new BadInput(`ELF image: requires the unknown feature ${JSON.stringify(name.slice(0, 40))}`);
    if (name === 'supervisor_mode_kernel') throw new BadInput('ELF image: requires supervisor mode execution');
  }
};

/** The last note of a type counts; a text without end is none. Throws BadInput for an image that Xen would not load. */
export const xenNotes = (elf: ElfFile, isDom0: boolean): XenNotes => {
  const { reader } = elf;
  const fromSegments = notesIn(reader, elf.noteSegments);
  const notes = fromSegments.length > 0 ? fromSegments : notesIn(reader, elf.noteSections);
  if (notes.length === 0) throw new BadInput('ELF image: not for Xen (no Xen notes)');
  const textsOf = (type: number): string[] =>
    notes.flatMap((note) => (note.type === type ? (reader.text(note.place, MOST_TEXT) ?? []) : []));
  const textOf = (type: number): string => textsOf(type).at(-1) ?? '';
  const numberOf = (type: number): bigint | null => {
    const found = notes.findLast((note) => note.type === type);
    const value = found === undefined ? UNSET : numberIn(reader, found);
    return value === UNSET ? null : value;
  };

  if (!textOf(ELFNOTE.LOADER).startsWith('generic') && !textOf(ELFNOTE.GUEST_OS).startsWith('linux'))
    throw new BadInput('ELF image: neither for the generic loader nor Linux');
  if (!textOf(ELFNOTE.XEN_VERSION).startsWith('xen-3.0')) throw new BadInput('ELF image: not for the xen-3.0 interface');
  const features = textsOf(ELFNOTE.FEATURES);
  features.forEach(checkFeatures);
  if (textsOf(ELFNOTE.BSD_SYMTAB).includes('yes')) throw new NotModelled('domain_builder/bsd_symtab');
  if (isDom0 && !mayBeDom0(reader, notes, features)) throw new BadInput('ELF image: the kernel does not support dom0 operation');

  const initrdNote = notes.findLast((note) => note.type === ELFNOTE.MOD_START_PFN);
  // "yes" and "bimodal" last until the other one comes.
  const modes = textsOf(ELFNOTE.PAE_MODE).filter((mode) => mode === 'yes' || mode.includes('bimodal'));
  if (elf.is32 && modes.length === 0) throw new BadInput('ELF image: a 32-bit kernel without PAE_MODE does not fit Xen');
  return {
    entry: numberOf(ELFNOTE.ENTRY),
    hypercallPage: numberOf(ELFNOTE.HYPERCALL_PAGE),
    virtBase: numberOf(ELFNOTE.VIRT_BASE),
    paddrOffset: numberOf(ELFNOTE.PADDR_OFFSET),
    // Of no use to a 32-bit kernel.
    p2mBase: elf.is32 ? null : numberOf(ELFNOTE.INIT_P2M),
    hvStartLow: numberOf(ELFNOTE.HV_START_LOW),
    initrdByPfn: initrdNote !== undefined && numberIn(reader, initrdNote) !== 0n,
    extendedCr3: elf.is32 || modes.at(-1) === 'yes',
    pae: modes.length > 0,
  };
};

/** Only a kernel with a SUPPORTED_FEATURES note, an array of 32-bit words, can fail to support it. FEATURES may name it as well. */
const mayBeDom0 = (reader: Reader, notes: readonly XenNote[], features: readonly string[]): boolean => {
  const supported = notes.filter((note) => note.type === ELFNOTE.SUPPORTED_FEATURES);
  if (supported.length === 0) return true;
  if (features.flatMap(featuresIn).some((name) => name === 'dom0' || name === '!dom0')) return true;
  return supported.some(({ place, size }) => size > 0 && size % 4 === 0 && ((reader.number(place, 4) >> BigInt(XENFEAT.dom0)) & 1n) !== 0n);
};
