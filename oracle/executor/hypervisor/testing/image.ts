/** A smallest bootable image for tests: one segment, Xen's notes, no code to speak of. */

export const BASE = 0x200000;
const PAGE = 4096;
const HEADER_BYTES = 0x78 + 56;
const NOTES_AT = 0x200;

export type ImageOptions = {
  readonly virtBase?: bigint;
  /** First address and size of the segment. */
  readonly start?: bigint;
  readonly bytes?: number;
  /** Notes beyond the usual, by type; null leaves one of the usual ones out. */
  readonly notes?: Readonly<Record<number, string | bigint | null>>;
};

const note = (type: number, value: string | bigint): number[] => {
  const text = typeof value === 'string' ? [...`${value}\0`].map((c) => c.charCodeAt(0)) : [];
  const description = typeof value === 'string' ? text : [...new Uint8Array(BigUint64Array.of(value).buffer)];
  const padded = [...description, ...Array.from({ length: -description.length & 3 }, () => 0)];
  return [4, 0, 0, 0, description.length, 0, 0, 0, type, 0, 0, 0, 0x58, 0x65, 0x6e, 0, ...padded];
};

/** The file starts with the segment's bytes; `start` is the entry point, the hypercall page is the page after it. */
export const image = ({ virtBase = BigInt(BASE), start = virtBase, bytes = 4 * PAGE, notes = {} }: ImageOptions = {}): Uint8Array => {
  const fileBytes = Math.min(bytes, PAGE);
  const file = new Uint8Array(PAGE + fileBytes);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, start, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const header = (at: number, type: number, offset: number, address: bigint, filesz: number, memsz: number): void => {
    view.setUint32(at, type, true);
    view.setUint32(at + 4, 7, true);
    view.setBigUint64(at + 8, BigInt(offset), true);
    view.setBigUint64(at + 16, address, true);
    view.setBigUint64(at + 24, address, true);
    view.setBigUint64(at + 32, BigInt(filesz), true);
    view.setBigUint64(at + 40, BigInt(memsz), true);
  };
  const usual: Record<number, string | bigint | null> = {
    1: start,
    2: start + BigInt(PAGE),
    3: virtBase,
    4: virtBase,
    5: 'xen-3.0',
    8: 'generic',
    9: 'yes',
  };
  const all = Object.entries({ ...usual, ...notes }).flatMap(([type, value]) => (value === null ? [] : note(Number(type), value)));
  file.set(all, NOTES_AT);
  header(64, 1, PAGE, start, fileBytes, bytes);
  header(64 + 56, 4, NOTES_AT, 0n, all.length, all.length);
  if (HEADER_BYTES > NOTES_AT) throw new Error('headers and notes overlap');
  return file;
};
