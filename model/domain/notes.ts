/** What a PV kernel tells Xen about itself in ELF notes named "Xen". */

import { XENFEAT } from '#spec/abi/version.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import { type Elf, type ElfNote, text } from './elf.ts';

/** Note types. Source: Xen public header `elfnote.h`. */
const NOTE = {
  ENTRY: 1,
  HYPERCALL_PAGE: 2,
  VIRT_BASE: 3,
  PADDR_OFFSET: 4,
  XEN_VERSION: 5,
  GUEST_OS: 6,
  GUEST_VERSION: 7,
  LOADER: 8,
  PAE_MODE: 9,
  FEATURES: 10,
  BSD_SYMTAB: 11,
  HV_START_LOW: 12,
  SUSPEND_CANCEL: 14,
  INIT_P2M: 15,
  MOD_START_PFN: 16,
  SUPPORTED_FEATURES: 17,
} as const;
// biome-ignore format: one table, read by eye

export type KernelParams = {
  readonly virtBase: bigint;
  readonly kernelStart: bigint;
  readonly kernelEnd: bigint;
  readonly entry: bigint;
  /** Virtual minus physical address of a loaded byte. */
  readonly virtOffset: bigint;
  readonly hypercallPage: bigint | null;
  readonly initP2m: bigint | null;
  /** The note PAE_MODE: it shows in the magic of start_info, and "yes" also as an assist. */
  readonly pae: 'no' | 'yes' | 'bimodal';
};

const MASK = (1n << 64n) - 1n;
const bad = (what: string): never => {
  throw new BadInput(`image: ${what}`);
};

const numeric = ({ desc }: ElfNote): bigint => {
  const view = new DataView(desc.buffer, desc.byteOffset, desc.length);
  switch (desc.length) {
    case 1:
      return BigInt(view.getUint8(0));
    case 2:
      return BigInt(view.getUint16(0, true));
    case 4:
      return BigInt(view.getUint32(0, true));
    case 8:
      return view.getBigUint64(0, true);
    default:
      return 0n;
  }
};

/** Features that the kernel asks for: `name`, or `!name` when it cannot run without. Unknown required ones are refused. */
const checkFeatures = (list: string): void => {
  for (const feature of list.split('|')) {
    if (!feature.startsWith('!')) continue;
    const name = feature.slice(1);
    if (!Object.hasOwn(KNOWN_FEATURES, name)) bad(`the kernel requires the unknown feature "${printable(name)}"`);
    if (name === 'supervisor_mode_kernel') bad('the kernel requires supervisor mode');
  }
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

/** Read the notes as Xen 4.17 does for a PV kernel. Throws BadInput for a file that Xen would refuse. */
export const kernelParams = (elf: Elf, privileged: boolean): KernelParams => {
  const notes = new Map<number, ElfNote>();
  for (const note of elf.notes) {
    if (note.name !== 'Xen') continue;
    notes.set(note.type, note);
    if (note.type === NOTE.FEATURES) checkFeatures(text(note.desc));
  }
  if (notes.size === 0) bad('no Xen ELF notes');
  const string = (type: number): string => (notes.has(type) ? text(notes.get(type)!.desc) : '');
  const number = (type: number): bigint | null => (notes.has(type) ? numeric(notes.get(type)!) : null);

  if (!string(NOTE.LOADER).startsWith('generic') && !string(NOTE.GUEST_OS).startsWith('linux'))
    bad('neither made for the generic loader nor Linux (ELF notes LOADER, GUEST_OS)');
  if (!string(NOTE.XEN_VERSION).startsWith('xen-3.0')) bad('not made for Xen 3.0 and later (ELF note XEN_VERSION)');
  if (string(NOTE.BSD_SYMTAB) === 'yes') throw new NotModelled('domain/bsd_symtab');
  const supported = number(NOTE.SUPPORTED_FEATURES);
  if (privileged && supported !== null && ((supported >> BigInt(XENFEAT.dom0)) & 1n) === 0n)
    bad('the kernel does not support running as dom0');

  const base = number(NOTE.VIRT_BASE);
  const offset = number(NOTE.PADDR_OFFSET);
  if (offset !== null && base === null) bad('ELF note PADDR_OFFSET without VIRT_BASE');
  const virtBase = base ?? 0n;
  const virtOffset = (virtBase - (offset ?? 0n)) & MASK;
  const low = elf.segments.reduce((least, s) => (s.paddr < least ? s.paddr : least), MASK);
  const high = elf.segments.reduce((most, s) => (s.paddr + s.memsz > most ? s.paddr + s.memsz : most), 0n);
  const kernelStart = (low + virtOffset) & MASK;
  const kernelEnd = (high + virtOffset) & MASK;
  const entry = number(NOTE.ENTRY) ?? elf.entry;
  if (kernelStart > kernelEnd || entry < kernelStart || entry > kernelEnd || virtBase > kernelStart) bad('start or entry is out of bounds');
  const initP2m = number(NOTE.INIT_P2M);
  if (initP2m !== null && initP2m >= kernelStart && initP2m < kernelEnd) bad('the p2m table (ELF note INIT_P2M) overlaps the kernel');
  const pae = string(NOTE.PAE_MODE);
  return {
    virtBase,
    kernelStart,
    kernelEnd,
    entry,
    virtOffset,
    initP2m,
    hypercallPage: number(NOTE.HYPERCALL_PAGE),
    pae: pae === 'yes' ? 'yes' : pae.includes('bimodal') ? 'bimodal' : 'no',
  };
};
