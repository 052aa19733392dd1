/** A payload as a 32-bit ELF file with a multiboot header (Multiboot specification 0.6.96). */
import { MULTIBOOT } from '#spec/bare/boot.ts';
import type { Payload } from './image.ts';
import { LOAD } from './layout.ts';

const EHDR = 52;
const PHDR = 32;
const HEADER_AT = EHDR + PHDR;
const CONTENT_AT = 0x80;
const EM_386 = 3;

export const multibootElf = ({ bytes, entry }: Payload): Uint8Array => {
  const file = new Uint8Array(CONTENT_AT + bytes.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value >>> 0, true);
  u16(16, 2);
  u16(18, EM_386);
  u32(20, 1);
  u32(24, entry);
  u32(28, EHDR);
  u16(40, EHDR);
  u16(42, PHDR);
  u16(44, 1);
  // PT_LOAD: offset, virtual and physical address, sizes, RWX, alignment.
  [1, CONTENT_AT, LOAD, LOAD, bytes.length, bytes.length, 7, 4].forEach((value, i) => {
    u32(EHDR + 4 * i, value);
  });
  u32(HEADER_AT, MULTIBOOT.HEADER_MAGIC);
  u32(HEADER_AT + 4, 0);
  u32(HEADER_AT + 8, -MULTIBOOT.HEADER_MAGIC);
  file.set(bytes, CONTENT_AT);
  return file;
};
