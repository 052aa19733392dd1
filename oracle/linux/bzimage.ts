/**
 * What a kernel file holds, as Xen takes it for dom0: an ELF file as it is, a compressed ELF file, or Linux's bzImage, whose setup header
 * says where the compressed ELF file lies. Source: the Linux/x86 boot protocol, version 2.08 (payload_offset, payload_length).
 */
import { BadInput } from '#spec/failure.ts';
import { unpack } from './unpack.ts';

/** Offsets of the setup header's fields in the file, and where it ends. */
const SETUP_SECTS = 0x1f1;
const MAGIC = 0x202;
const VERSION = 0x206;
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const HEADER_END = 0x250;
/** "HdrS" */
const HDRS = 0x53726448;
/** The first version whose header names a payload. */
const VERSION_2_08 = 0x208;
const SECTOR = 512;
/** 0x7f "ELF" */
const ELF = 0x464c457f;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const isElf = (bytes: Uint8Array): boolean => bytes.length >= 4 && viewOf(bytes).getUint32(0, true) === ELF;

/** The part of a file that is kernel: a bzImage's payload, else all of it. Throws BadInput. */
export const payloadOf = (file: Uint8Array): Uint8Array => {
  const view = viewOf(file);
  if (file.length < HEADER_END || view.getUint32(MAGIC, true) !== HDRS) return file;
  const version = view.getUint16(VERSION, true);
  if (version < VERSION_2_08) throw new BadInput(`bzImage of boot protocol ${version >> 8}.${version & 0xff}; Xen needs 2.8 or later`);
  const from = (file[SETUP_SECTS]! + 1) * SECTOR + view.getUint32(PAYLOAD_OFFSET, true);
  const length = view.getUint32(PAYLOAD_LENGTH, true);
  if (from + length > file.length) throw new BadInput(`bzImage: the payload (${length} bytes at ${from}) does not lie in the file`);
  return file.subarray(from, from + length);
};

/** The ELF file in a kernel file; one that holds nothing of the kind is given back as it is, for the engines to refuse. Throws BadInput. */
export const kernelElf = async (file: Uint8Array): Promise<Uint8Array> => {
  const payload = payloadOf(file);
  if (isElf(payload)) return payload;
  const unpacked = await unpack(payload);
  if (unpacked === null) {
    if (payload === file) return file;
    throw new BadInput('bzImage: the payload is neither an ELF file nor compressed in a way that is read here (gzip, xz, zstd, lz4)');
  }
  if (!isElf(unpacked)) throw new BadInput('compressed kernel: what comes out is not an ELF file');
  return unpacked;
};
