/**
 * Unpacking a kernel. The last four bytes say how large it is unpacked: gzip has them of itself, Linux's build adds them to the other
 * kinds. They bound what is unpacked, so that a small hostile file does not fill the memory.
 */
import * as zlib from 'node:zlib';
import { BadInput } from '#spec/failure.ts';
import { unlz4 } from './lz4.ts';
import { unxz } from './xz.ts';

/** More than any kernel, less than a machine's memory. */
const MOST_BYTES = 256 * 1024 * 1024;
const SIZE_BYTES = 4;

type Unpack = (packed: Uint8Array, size: number) => Uint8Array | Promise<Uint8Array>;

const bounded = (size: number): zlib.ZlibOptions => ({ maxOutputLength: Math.max(size, 1) });

const gunzip: Unpack = (packed, size) => zlib.gunzipSync(packed, bounded(size));

const unzstd: Unpack = (packed, size) => {
  const { zstdDecompressSync } = zlib;
  if (zstdDecompressSync === undefined) throw new BadInput('compressed kernel: this Node cannot read zstd; 22.15 and later can');
  return zstdDecompressSync(packed.subarray(0, -SIZE_BYTES), { maxOutputLength: Math.max(size, 1) });
};

const KINDS: readonly { readonly name: string; readonly magic: readonly number[]; readonly unpack: Unpack | null }[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], unpack: gunzip },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], unpack: (packed, size) => unxz(packed.subarray(0, -SIZE_BYTES), size) },
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: unzstd },
  { name: 'lz4', magic: [0x02, 0x21], unpack: (packed, size) => unlz4(packed.subarray(0, -SIZE_BYTES), size) },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], unpack: null },
  { name: 'lzma', magic: [0x5d, 0x00], unpack: null },
  { name: 'lzo', magic: [0x89, 0x4c, 0x5a, 0x4f], unpack: null },
];

/** What the bytes hold unpacked; null when they are not compressed in any way that Xen knows. Throws BadInput. */
export const unpack = async (packed: Uint8Array): Promise<Uint8Array | null> => {
  const kind = KINDS.find(({ magic }) => magic.every((byte, i) => packed[i] === byte));
  if (!kind) return null;
  const { name } = kind;
  if (!kind.unpack) throw new BadInput(`compressed kernel: ${name} is not read here (gzip, xz, zstd and lz4 are)`);
  if (packed.length < kind.magic.length + SIZE_BYTES) throw new BadInput(`compressed kernel: ${name} data that ends at once`);
  const size = new DataView(packed.buffer, packed.byteOffset + packed.length - SIZE_BYTES).getUint32(0, true);
  if (size > MOST_BYTES) throw new BadInput(`compressed kernel: ${size} bytes unpacked, which is too much`);
  let bytes: Uint8Array;
  try {
    bytes = await kind.unpack(packed, size);
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`compressed kernel: damaged ${name} data (${(error as Error).message})`);
  }
  if (bytes.length !== size) throw new BadInput(`compressed kernel: ${size} bytes announced, and ${bytes.length} come out`);
  return bytes;
};
