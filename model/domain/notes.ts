/** What a PV kernel tells Xen about itself in ELF notes named "Xen". */

import { ELFNOTE } from '#spec/abi/elfnote.ts';
import { XENFEAT } from '#spec/abi/version.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { type Area, type Elf, field } from './elf.ts';

/** Xen looks at no more notes of a file, and at no more characters of a string. */
const MOST_NOTES = 0x10000;
const MOST_CHARACTERS = 0x1000n;
/** A feature's name is cut after so many characters. */
const MOST_FEATURE_CHARACTERS = 63;

export type KernelParams = {
  readonly virtBase: bigint;
  readonly kernelStart: bigint;
  readonly kernelEnd: bigint;
  readonly entry: bigint;
  /** Virtual minus physical address of a loaded byte. */
  readonly virtOffset: bigint;
  readonly hypercallPage: bigint | null;
  readonly initP2m: bigint | null;
  /** The note MOD_START_PFN: an initial RAM disk need not be mapped. */
  readonly unmappedInitrd?: boolean;
  /** The note PAE_MODE: it shows in the magic of start_info, and "yes" also as an assist. */
  readonly pae: 'no' | 'yes' | 'bimodal';
  /** A 32-bit kernel, and the note HV_START_LOW: where it wants Xen's part of its addresses to begin at the earliest. */
  readonly bits: 32 | 64;
  readonly hvStartLow: bigint | null;
};

const MASK = (1n << 64n) - 1n;
const bad = (what: string): never => {
  throw new BadInput(`image: ${what}`);
};

/** Where the description of a note named "Xen" stands in the file. */
type XenNote = { readonly type: number; readonly at: bigint; readonly size: number };

/** Round up to whole words, as an unsigned 32-bit number. */
const words = (size: bigint): bigint => (size + 3n) & 0xfffffffcn;

/** Notes named "Xen" in the areas. A note's name ends with its NUL whatever its stated size, which only says where the description begins. */
const xenNotes = (file: Uint8Array, areas: readonly Area[]): readonly XenNote[] => {
  const found: XenNote[] = [];
  let seen = 0;
  for (const { start, end } of areas) {
    for (let at = start; at < end && at < BigInt(file.length); ) {
      if (seen++ >= MOST_NOTES) return found;
      const description = at + 12n + words(field(file, at, 4));
      const size = field(file, at + 4n, 4);
      if (field(file, at + 12n, 4) === 0x6e6558n)
        found.push({ type: Number(field(file, at + 8n, 4)), at: description, size: Number(size) });
      at = description + words(size);
    }
  }
  return found;
};

/** A note's string: up to its NUL, wherever in the file that is. Null, as if the note were absent, when there is none. */
const stringOf = (file: Uint8Array, { at }: XenNote): string | null => {
  let text = '';
  for (let i = at; i < BigInt(file.length) && i <= at + MOST_CHARACTERS; i++) {
    const byte = file[Number(i)];
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
  return null;
};

const numberOf = (file: Uint8Array, { at, size }: XenNote): bigint => ([1, 2, 4, 8].includes(size) ? field(file, at, size) : 0n);

/** The names of a feature list. Names that are too long go on as the next one. */
const featureNames = function* (list: string): Generator<string> {
  for (const part of list.split('|'))
    for (let at = 0; at === 0 || at < part.length; at += MOST_FEATURE_CHARACTERS) yield part.slice(at, at + MOST_FEATURE_CHARACTERS);
};

/** Features that the kernel asks for: `name`, or `!name` when it cannot run without. Unknown required ones are refused. Answers whether dom0 is one. */
const checkFeatures = (list: string): boolean => {
  let dom0 = false;
  for (const feature of featureNames(list)) {
    const name = feature.replace(/^!/, '');
    if (name === 'dom0') dom0 = true;
    if (!feature.startsWith('!')) continue;
    if (!Object.hasOwn(KNOWN_FEATURES, name)) bad(`the kernel requires the unknown feature "${printable(name)}"`);
    if (name === 'supervisor_mode_kernel') bad('the kernel requires supervisor mode');
  }
  return dom0;
};
/** Names that the notes use for XENFEAT bits. */
const KNOWN_FEATURES = {
  writable_page_tables: XENFEAT.writable_page_tables,
  writable_descriptor_tables: XENFEAT.writable_descriptor_tables,
  auto_translated_physmap: XENFEAT.auto_translated_physmap,
  supervisor_mode_kernel: XENFEAT.supervisor_mode_kernel,
  pae_pgdir_above_4gb: XENFEAT.pae_pgdir_above_4gb,
  hvm_callback_vector: XENFEAT.hvm_callback_vector,
  dom0: XENFEAT.dom0,
};
const printable = (name: string): string => name.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');

/** The note type's last value; of numbers, all ones mean that there is none. */
const valuesIn = (file: Uint8Array, notes: readonly XenNote[]) => {
  const last = (type: number): XenNote | undefined => notes.findLast((note) => note.type === type);
  return {
    string: (type: number): string => {
      const texts = notes.filter((note) => note.type === type).map((note) => stringOf(file, note));
      return texts.findLast((text) => text !== null) ?? '';
    },
    number: (type: number): bigint | null => {
      const note = last(type);
      const value = note ? numberOf(file, note) : MASK;
      return value === MASK ? null : value;
    },
  };
};

/** What SUPPORTED_FEATURES and FEATURES together say of running as dom0; true when the former is absent. */
const supportsDom0 = (file: Uint8Array, notes: readonly XenNote[], named: boolean): boolean => {
  const supported = notes.filter((note) => note.type === ELFNOTE.SUPPORTED_FEATURES);
  // An array of 32-bit words, of which the first counts.
  const bits = supported.reduce((all, { at, size }) => (size % 4 === 0 && size > 0 ? all | field(file, at, 4) : all), 0n);
  return supported.length === 0 || named || ((bits >> BigInt(XENFEAT.dom0)) & 1n) === 1n;
};

/** "yes" and "bimodal" stay in force when a later note says something else. */
const paeMode = (file: Uint8Array, notes: readonly XenNote[]): KernelParams['pae'] => {
  let pae: KernelParams['pae'] = 'no';
  for (const note of notes) {
    const text = note.type === ELFNOTE.PAE_MODE ? stringOf(file, note) : null;
    if (text === 'yes') pae = 'yes';
    else if (text?.includes('bimodal')) pae = 'bimodal';
  }
  return pae;
};

/** domain/build-initrd: the last MOD_START_PFN says so with any number but 0. */
const mayLeaveInitrdUnmapped = (file: Uint8Array, notes: readonly XenNote[]): boolean => {
  const last = notes.findLast(({ type }) => type === ELFNOTE.MOD_START_PFN);
  return last !== undefined && numberOf(file, last) !== 0n;
};

/** Read the notes as Xen 4.17 does for a PV kernel. Throws BadInput for a file that Xen would refuse. */
export const kernelParams = (elf: Elf, privileged: boolean): KernelParams => {
  const { file } = elf;
  const inSegments = xenNotes(file, elf.noteSegments);
  const notes = inSegments.length > 0 ? inSegments : xenNotes(file, elf.noteSections);
  if (notes.length === 0) bad('no Xen ELF notes');
  const { string, number } = valuesIn(file, notes);
  const lists = notes.filter((note) => note.type === ELFNOTE.FEATURES).map((note) => stringOf(file, note) ?? '');
  const namesDom0 = lists.map(checkFeatures).includes(true);

  if (!string(ELFNOTE.LOADER).startsWith('generic') && !string(ELFNOTE.GUEST_OS).startsWith('linux'))
    bad('neither made for the generic loader nor Linux (ELF notes LOADER, GUEST_OS)');
  if (!string(ELFNOTE.XEN_VERSION).startsWith('xen-3.0')) bad('not made for Xen 3.0 and later (ELF note XEN_VERSION)');
  if (notes.some((note) => note.type === ELFNOTE.BSD_SYMTAB && stringOf(file, note) === 'yes'))
    throw new NotModelled('domain_builder/bsd_symtab');
  if (privileged && !supportsDom0(file, notes, namesDom0)) bad('the kernel does not support running as dom0');

  const base = number(ELFNOTE.VIRT_BASE);
  const offset = number(ELFNOTE.PADDR_OFFSET);
  if (offset !== null && base === null) bad('ELF note PADDR_OFFSET without VIRT_BASE');
  const virtBase = base ?? 0n;
  const virtOffset = (virtBase - (offset ?? 0n)) & MASK;
  const low = elf.segments.reduce((least, s) => (s.paddr < least ? s.paddr : least), MASK);
  const high = elf.segments.reduce((most, s) => (s.paddr + s.memsz > most ? s.paddr + s.memsz : most), 0n);
  const kernelStart = (low + virtOffset) & MASK;
  const kernelEnd = (high + virtOffset) & MASK;
  const entry = number(ELFNOTE.ENTRY) ?? elf.entry;
  if (kernelStart > kernelEnd || entry < kernelStart || entry > kernelEnd || virtBase > kernelStart) bad('start or entry is out of bounds');
  // Xen knows no list of its own for 32-bit kernels, and says that it ignores the note.
  const initP2m = elf.bits === 32 ? null : number(ELFNOTE.INIT_P2M);
  const pae = paeMode(file, notes);
  // compat/build-pae
  if (elf.bits === 32 && pae === 'no') bad('a 32-bit kernel without PAE (ELF note PAE_MODE)');
  if (initP2m !== null && initP2m >= kernelStart && initP2m < kernelEnd) bad('the p2m table (ELF note INIT_P2M) overlaps the kernel');
  return {
    virtBase,
    kernelStart,
    kernelEnd,
    entry,
    virtOffset,
    initP2m,
    hypercallPage: number(ELFNOTE.HYPERCALL_PAGE),
    pae,
    bits: elf.bits,
    hvStartLow: number(ELFNOTE.HV_START_LOW),
    ...(mayLeaveInitrdUnmapped(file, notes) && { unmappedInitrd: true }),
  };
};
