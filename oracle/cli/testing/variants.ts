/** Bootable images for tests that damage them: the same kernels with their notes given in different ways. */
import { buildImages, EXAMPLES } from '../../image/index.ts';

/** Where the program header of the notes stands in images of this project: the first one. */
const FIRST_HEADER = 64;
const NOTE_INIT_P2M = 15;
const SHT_NOTE = 7;

const copyOf = (image: Uint8Array, room = 0): { readonly bytes: Uint8Array; readonly view: DataView } => {
  const bytes = new Uint8Array(image.length + room);
  bytes.set(image);
  return { bytes, view: new DataView(bytes.buffer) };
};

/** The first note, GUEST_OS with eight bytes, becomes INIT_P2M. */
export const withP2mBase = (image: Uint8Array, base: bigint): Uint8Array => {
  const { bytes, view } = copyOf(image);
  const notes = Number(view.getBigUint64(FIRST_HEADER + 8, true));
  view.setUint32(notes + 8, NOTE_INIT_P2M, true);
  view.setBigUint64(notes + 16, base, true);
  return bytes;
};

/** The notes are in a section instead of a segment. */
export const withNoteSection = (image: Uint8Array): Uint8Array => {
  const { bytes, view } = copyOf(image, 128);
  view.setUint32(FIRST_HEADER, 0, true);
  view.setBigUint64(40, BigInt(image.length), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 2, true);
  const section = image.length + 64;
  view.setUint32(section + 4, SHT_NOTE, true);
  view.setBigUint64(section + 24, view.getBigUint64(FIRST_HEADER + 8, true), true);
  view.setBigUint64(section + 32, view.getBigUint64(FIRST_HEADER + 32, true), true);
  return bytes;
};

const images = Object.fromEntries(
  (['hello', 'compute', 'events', 'memory'] as const).map((name) => [name, buildImages(EXAMPLES[name])[0]!]),
) as Record<'hello' | 'compute' | 'events' | 'memory', Uint8Array>;

export const IMAGES: Readonly<Record<string, Uint8Array>> = {
  ...images,
  p2m_high: withP2mBase(images.hello, 0xffffff8000000000n),
  p2m_low: withP2mBase(images.hello, 0x40000000n),
  note_section: withNoteSection(images.memory),
};
