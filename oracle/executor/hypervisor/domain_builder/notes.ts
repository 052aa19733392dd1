/** Xen's ELF notes: what an image tells the domain builder about itself. */
import { XENFEAT } from '#spec/abi/version.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { ElfFile } from './elf.ts';

const NOTE = {
  ENTRY: 1,
  HYPERCALL_PAGE: 2,
  VIRT_BASE: 3,
  PADDR_OFFSET: 4,
  XEN_VERSION: 5,
  GUEST_OS: 6,
  LOADER: 8,
  PAE_MODE: 9,
  FEATURES: 10,
  BSD_SYMTAB: 11,
  INIT_P2M: 15,
  MOD_START_PFN: 16,
  SUPPORTED_FEATURES: 17,
} as const;
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
const MOST_NOTES = 4096;

export type XenNotes = {
  /** Absent values are null. */
  readonly entry: bigint | null;
  readonly hypercallPage: bigint | null;
  readonly virtBase: bigint | null;
  readonly paddrOffset: bigint | null;
  readonly p2mBase: bigint | null;
  /** PAE_MODE is exactly "yes". */
  readonly extendedCr3: boolean;
  /** PAE_MODE is "yes" or names "bimodal". */
  readonly pae: boolean;
};

type RawNote = { readonly type: number; readonly description: Uint8Array };

/** A string up to its NUL. */
const text = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
};

/** A little-endian number of 1, 2, 4 or 8 bytes; other sizes read as 0. */
const number = (bytes: Uint8Array): bigint => {
  if (![1, 2, 4, 8].includes(bytes.length)) return 0n;
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
};

const notesIn = (bytes: Uint8Array): RawNote[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: RawNote[] = [];
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    if (count >= MOST_NOTES) throw new BadInput('ELF image: too many notes');
    if (at + 12 > bytes.length) throw new BadInput('ELF image: a note is cut off');
    const nameSize = view.getUint32(at, true);
    const descriptionSize = view.getUint32(at + 4, true);
    const description = (at + 12 + ((nameSize + 3) & ~3)) >>> 0;
    const end = description + descriptionSize;
    if (nameSize > bytes.length || end > bytes.length) throw new BadInput('ELF image: a note is cut off');
    const name = text(bytes.subarray(at + 12, at + 12 + nameSize));
    if (name === 'Xen') found.push({ type: view.getUint32(at + 8, true), description: bytes.subarray(description, end) });
    at = description + ((descriptionSize + 3) & ~3);
  }
  return found;
};

/** Throws BadInput when a feature is required that Xen does not know, or that a PV domain cannot have. */
const checkFeatures = (list: string): void => {
  for (const feature of list.split('|')) {
    if (!feature.startsWith('!')) continue;
    const name = feature.slice(1);
    if (!(FEATURE_NAMES as readonly string[]).includes(name))
      throw new BadInput(`ELF image: requires the unknown feature ${JSON.stringify(name.slice(0, 40))}`);
    if (name === 'supervisor_mode_kernel') throw new BadInput('ELF image: requires supervisor mode execution');
  }
};

/** The last note of a type counts. Throws BadInput for an image that Xen would not load. */
export const xenNotes = (elf: ElfFile, isDom0: boolean): XenNotes => {
  const fromSegments = elf.noteSegments.flatMap(notesIn);
  const notes = fromSegments.length > 0 ? fromSegments : elf.noteSections.flatMap(notesIn);
  if (notes.length === 0) throw new BadInput('ELF image: not for Xen (no Xen notes)');
  const last = (type: number): Uint8Array | null => notes.findLast((note) => note.type === type)?.description ?? null;
  const textOf = (type: number): string => text(last(type) ?? new Uint8Array());
  const numberOf = (type: number): bigint | null => {
    const found = last(type);
    return found === null ? null : number(found);
  };

  if (!textOf(NOTE.LOADER).startsWith('generic') && !textOf(NOTE.GUEST_OS).startsWith('linux'))
    throw new BadInput('ELF image: neither for the generic loader nor Linux');
  if (!textOf(NOTE.XEN_VERSION).startsWith('xen-3.0')) throw new BadInput('ELF image: not for the xen-3.0 interface');
  for (const note of notes) if (note.type === NOTE.FEATURES) checkFeatures(text(note.description));
  const supported = numberOf(NOTE.SUPPORTED_FEATURES);
  const named = notes.some(
    (note) =>
      note.type === NOTE.FEATURES &&
      text(note.description)
        .split('|')
        .some((name) => name === 'dom0' || name === '!dom0'),
  );
  if (isDom0 && supported !== null && !named && (supported & (1n << BigInt(XENFEAT.dom0))) === 0n)
    throw new BadInput('ELF image: the kernel does not support dom0 operation');
  if (textOf(NOTE.BSD_SYMTAB) === 'yes') throw new NotModelled('domain_builder/bsd_symtab');

  const pae = textOf(NOTE.PAE_MODE);
  return {
    entry: numberOf(NOTE.ENTRY),
    hypercallPage: numberOf(NOTE.HYPERCALL_PAGE),
    virtBase: numberOf(NOTE.VIRT_BASE),
    paddrOffset: numberOf(NOTE.PADDR_OFFSET),
    p2mBase: numberOf(NOTE.INIT_P2M),
    extendedCr3: pae === 'yes',
    pae: pae === 'yes' || pae.includes('bimodal'),
  };
};
