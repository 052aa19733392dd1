/** Writes the ELF file of a PV64 guest: program headers and Xen's notes, nothing else. */
import { ELFNOTE } from '#spec/abi/elfnote.ts';

/** Bytes at a virtual address; memory past them up to `size` is zero. */
export type Segment = { readonly address: number; readonly bytes: Uint8Array; readonly size: number };

export type PvImage = {
  readonly segments: readonly Segment[];
  readonly entry: number;
  readonly virtBase: number;
  readonly hypercallPage: number;
};

const EHDR = 64;
const PHDR = 56;

const text = (value: string): Uint8Array => Uint8Array.from(`${value}\0`, (c) => c.charCodeAt(0));
const quad = (value: number): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
};

const note = (type: number, body: Uint8Array): Uint8Array => {
  const out = new Uint8Array(12 + 4 + ((body.length + 3) & ~3));
  const view = new DataView(out.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, body.length, true);
  view.setUint32(8, type, true);
  out.set(text('Xen'), 12);
  out.set(body, 16);
  return out;
};

const notesOf = (image: PvImage): Uint8Array => {
  const list = [
    note(ELFNOTE.GUEST_OS, text('xenspec')),
    note(ELFNOTE.GUEST_VERSION, text('1')),
    note(ELFNOTE.XEN_VERSION, text('xen-3.0')),
    note(ELFNOTE.LOADER, text('generic')),
    note(ELFNOTE.VIRT_BASE, quad(image.virtBase)),
    note(ELFNOTE.PADDR_OFFSET, quad(image.virtBase)),
    note(ELFNOTE.ENTRY, quad(image.entry)),
    note(ELFNOTE.HYPERCALL_PAGE, quad(image.hypercallPage)),
    note(ELFNOTE.PAE_MODE, text('yes')),
    note(ELFNOTE.FEATURES, text('!writable_page_tables|pae_pgdir_above_4gb')),
  ];
  const out = new Uint8Array(list.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of list) {
    out.set(one, at);
    at += one.length;
  }
  return out;
};

/** The file. Segments must not overlap; empty ones take no place in it. */
export const writeElf = (image: PvImage): Uint8Array => {
  const notes = notesOf(image);
  const headers = EHDR + PHDR * (image.segments.length + 1);
  const total = headers + notes.length + image.segments.reduce((sum, s) => sum + s.bytes.length, 0);
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);

  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, 62, true); // x86-64
  view.setUint32(20, 1, true);
  u64(24, image.entry);
  u64(32, EHDR);
  view.setUint16(52, EHDR, true);
  view.setUint16(54, PHDR, true);
  view.setUint16(56, image.segments.length + 1, true);
  view.setUint16(58, 64, true);

  let offset = headers;
  const header = (at: number, type: number, flags: number, address: number, filesz: number, memsz: number) => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    u64(at + 8, offset);
    u64(at + 16, address);
    u64(at + 24, address);
    u64(at + 32, filesz);
    u64(at + 40, memsz);
    u64(at + 48, 1);
  };
  header(EHDR, 4, 4, 0, notes.length, notes.length);
  file.set(notes, offset);
  offset += notes.length;
  image.segments.forEach((segment, i) => {
    header(EHDR + PHDR * (i + 1), 1, 7, segment.address, segment.bytes.length, segment.size);
    file.set(segment.bytes, offset);
    offset += segment.bytes.length;
  });
  return file;
};
