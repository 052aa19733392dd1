/** ELF files of 32-bit guests with Xen notes. */
import { BASE, BSS_PAGES, CODE, CODE_PAGES, HYPERCALL_PAGE, PAGE } from './layout.ts';

const HEADER_BYTES = 52;
const PROGRAM_BYTES = 32;
const NOTES_AT = 0x200;
const NOTE = {
  entry: 1,
  hypercall_page: 2,
  virt_base: 3,
  paddr_offset: 4,
  xen_version: 5,
  loader: 8,
  pae_mode: 9,
  hv_start_low: 12,
} as const;

const note = (type: number, value: number | string): readonly number[] => {
  const bytes =
    typeof value === 'string' ? [...new TextEncoder().encode(`${value}\0`)] : [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
  const padding = Array.from({ length: -bytes.length & 3 }, () => 0);
  return [...[4, 0, 0, 0, bytes.length, 0, 0, 0, type, 0, 0, 0], ...new TextEncoder().encode('Xen\0'), ...bytes, ...padding];
};

/** `xenStart`: how low Xen may begin, 0 for no such note. Throws when the code is longer than its pages. */
export const image32 = (code: readonly number[], xenStart: number): Uint8Array => {
  if (code.length > CODE_PAGES * PAGE) throw new RangeError('the program is longer than its pages');
  const file = new Uint8Array(PAGE + CODE_PAGES * PAGE);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(24, CODE, true);
  view.setUint32(28, HEADER_BYTES, true);
  view.setUint16(42, PROGRAM_BYTES, true);
  view.setUint16(44, 2, true);
  const notes = [
    ...note(NOTE.entry, CODE),
    ...note(NOTE.hypercall_page, HYPERCALL_PAGE),
    ...note(NOTE.virt_base, BASE),
    ...note(NOTE.paddr_offset, BASE),
    ...note(NOTE.xen_version, 'xen-3.0'),
    ...note(NOTE.loader, 'generic'),
    ...note(NOTE.pae_mode, 'yes'),
    ...(xenStart === 0 ? [] : note(NOTE.hv_start_low, xenStart)),
  ];
  file.set(notes, NOTES_AT);
  const header = (index: number, ...words: readonly number[]): void => {
    words.forEach((word, i) => {
      view.setUint32(HEADER_BYTES + PROGRAM_BYTES * index + 4 * i, word, true);
    });
  };
  header(0, 1, PAGE, BASE, BASE, CODE_PAGES * PAGE, BSS_PAGES * PAGE, 7, 0);
  header(1, 4, NOTES_AT, 0, 0, notes.length, notes.length, 4, 0);
  file.set(code, PAGE);
  return file;
};
