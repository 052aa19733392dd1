/**
 * The .xz files of Linux's build: one block, its x86 code put through a filter that makes branches compress better. The library unpacks LZMA2
 * and knows no filters, so the block is handed to it in a wrapping of our own without one, and the filter is undone here. Source: the .xz
 * file format, version 1.2.
 */
import xz from 'xz-decompress';
import { undoX86Filter } from './x86_filter.ts';

const HEADER_BYTES = 12;
const CRC_BYTES = 4;
const CHECK_NONE = 0;
const CHECK_CRC32 = 1;
/** Bytes of the check behind a block, by its kind. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
const FILTER_X86 = 4;
const FILTER_LZMA2 = 0x21;
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
const FOOTER_MAGIC = [0x59, 0x5a];

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});
const crc32 = (bytes: Uint8Array | readonly number[]): number => {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
};

const u32 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
const padded = (bytes: readonly number[]): number[] => [...bytes, ...new Array<number>((4 - (bytes.length % 4)) % 4).fill(0)];
const withCrc = (bytes: readonly number[]): number[] => [...bytes, ...u32(crc32(bytes))];
const damaged = (what: string): never => {
  throw new Error(what);
};

/** A file read from front to back. */
class Reader {
  at = 0;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  byte(): number {
    return this.bytes[this.at++] ?? damaged('it ends early');
  }
  /** A number of seven bits a byte, the low ones first. */
  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 42; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return damaged('a size beyond all measure');
  }
}

const numberBytes = (value: number): number[] => (value < 0x80 ? [value] : [(value % 128) | 0x80, ...numberBytes(Math.floor(value / 128))]);

type Block = { readonly isFiltered: boolean; readonly dictionary: number; readonly headerBytes: number };

const blockAt = (file: Uint8Array): Block => {
  const reader = new Reader(file.subarray(HEADER_BYTES));
  const headerBytes = (reader.byte() + 1) * 4;
  const flags = reader.byte();
  if ((flags & 0x40) !== 0) reader.number();
  if ((flags & 0x80) !== 0) reader.number();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = reader.number();
    const properties = Array.from({ length: Math.min(reader.number(), headerBytes) }, () => reader.byte());
    return { id, properties };
  });
  const last = filters.at(-1)!;
  const isFiltered = filters.length === 2 && filters[0]!.id === FILTER_X86 && filters[0]!.properties.length === 0;
  if (last.id !== FILTER_LZMA2 || (filters.length > 1 && !isFiltered)) damaged('filters other than x86 and LZMA2');
  return { isFiltered, dictionary: last.properties[0] ?? damaged('no size of its dictionary'), headerBytes };
};

/** Sizes of the only block, by the index at the end: header with data and check, and unpacked. */
const sizesOf = (file: Uint8Array): { readonly unpadded: number; readonly unpacked: number } => {
  const footer = file.subarray(-HEADER_BYTES);
  if (footer[10] !== FOOTER_MAGIC[0] || footer[11] !== FOOTER_MAGIC[1]) damaged('no end of the file');
  const backward = (new DataView(footer.buffer, footer.byteOffset).getUint32(CRC_BYTES, true) + 1) * 4;
  const from = file.length - HEADER_BYTES - backward;
  const index = new Reader(file.subarray(Math.max(from, 0)));
  if (from < HEADER_BYTES || index.byte() !== 0) damaged('no index');
  if (index.number() !== 1) damaged('several blocks');
  return { unpadded: index.number(), unpacked: index.number() };
};

/** The same data in a file without filter and check. */
const rewrapped = (file: Uint8Array, { dictionary, headerBytes }: Block, unpadded: number, unpacked: number): Uint8Array => {
  const data = file.subarray(HEADER_BYTES + headerBytes, HEADER_BYTES + unpadded - CHECK_BYTES[file[7]! & 15]!);
  const flags = [0, CHECK_NONE];
  const block = withCrc([2, 0, FILTER_LZMA2, 1, dictionary, 0, 0, 0]);
  const index = withCrc(padded([0, 1, ...numberBytes(block.length + data.length), ...numberBytes(unpacked)]));
  const backward = [...u32(index.length / 4 - 1), ...flags];
  const gap = new Array<number>((4 - (data.length % 4)) % 4).fill(0);
  const footer = [...u32(crc32(backward)), ...backward, ...FOOTER_MAGIC];
  const parts = [[...MAGIC, ...flags, ...u32(crc32(flags)), ...block], data, [...gap, ...index, ...footer]];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** @param size bytes unpacked, as announced. Throws an Error when the data is damaged, or is not as Linux's build makes it. */
export const unxz = async (file: Uint8Array, size: number): Promise<Uint8Array> => {
  const block = blockAt(file);
  const { unpadded, unpacked } = sizesOf(file);
  if (unpacked !== size) damaged(`${unpacked} bytes in its index`);
  const wrapped = rewrapped(file, block, unpadded, unpacked);
  const source = new Blob([wrapped as Uint8Array<ArrayBuffer>]).stream();
  const out = new Uint8Array(size);
  let at = 0;
  for await (const chunk of new xz.XzReadableStream(source) as unknown as AsyncIterable<Uint8Array>) {
    if (at + chunk.length > size) damaged('more bytes than announced');
    out.set(chunk, at);
    at += chunk.length;
  }
  if (at < size) damaged('it ends early');
  if (block.isFiltered) undoX86Filter(out);
  // The check stands behind the data's padding.
  const check = HEADER_BYTES + Math.ceil((unpadded - CRC_BYTES) / 4) * 4;
  if (file[7] === CHECK_CRC32 && new DataView(file.buffer, file.byteOffset).getUint32(check, true) !== crc32(out))
    damaged('its check fails');
  return out;
};
