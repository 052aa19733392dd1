/** Trace files: gzip-compressed JSON Lines (`.trace.gz`), plain JSON Lines accepted too. Reading streams. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { BadInput } from '#spec/failure.ts';
import type { Trace, TraceHeader, TraceRecord } from './format.ts';
import { printTrace, TraceParser } from './text.ts';

/** Most bytes that a trace may unpack to: a small hostile file must not fill the memory. */
export const MAX_UNPACKED = 256 * 1024 * 1024;

const limit = (where: string): Transform => {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      seen += chunk.length;
      if (seen > MAX_UNPACKED) done(new BadInput(`${where}: unpacks to more than ${MAX_UNPACKED} bytes`));
      else done(null, chunk);
    },
  });
};

/** Whether the file begins as gzip files do. Throws the system's error when it cannot be read. */
const isGzip = (path: string): boolean => {
  const file = openSync(path, 'r');
  try {
    const magic = new Uint8Array(2);
    readSync(file, magic);
    return magic[0] === 0x1f && magic[1] === 0x8b;
  } finally {
    closeSync(file);
  }
};

/** Read a trace record by record. Throws BadInput with one line for anything that is not a whole, valid trace. */
export const streamTrace = async (
  path: string,
  onHeader: (header: TraceHeader) => void,
  onRecord: (record: TraceRecord) => void,
): Promise<void> => {
  const parser = new TraceParser(path);
  try {
    const unpack = isGzip(path) ? createGunzip() : new PassThrough();
    const bounded = limit(path);
    const lines = createInterface({ input: bounded, crlfDelay: Number.POSITIVE_INFINITY });
    const pumping = pipeline(createReadStream(path), unpack, bounded);
    // A failure is reported by the await below; the early handler only keeps it from being unhandled meanwhile.
    pumping.catch(() => lines.close());
    let announced = false;
    for await (const line of lines) {
      const record = parser.push(line);
      if (!announced && parser.header) {
        announced = true;
        verifyImages(parser.header, path);
        onHeader(parser.header);
      }
      if (record) onRecord(record);
    }
    await pumping;
    parser.finish();
  } catch (error) {
    throw asBadInput(error, path);
  }
};

/** Read a whole trace. */
export const readTrace = async (path: string): Promise<Trace> => {
  const records: TraceRecord[] = [];
  let header: TraceHeader | null = null;
  await streamTrace(
    path,
    (h) => {
      header = h;
    },
    (r) => records.push(r),
  );
  return { header: header!, records };
};

/** Write a trace, compressed; the same trace gives the same bytes. */
export const writeTrace = (path: string, trace: Trace): void => {
  writeFileSync(path, gzipSync(printTrace(trace), { level: 9 }));
};

/** The images of a trace as bytes, in the order of its header. */
export const imagesOf = (header: TraceHeader): readonly Uint8Array[] =>
  header.images.map((i) => new Uint8Array(Buffer.from(i.elf, 'base64')));

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const verifyImages = (header: TraceHeader, where: string): void => {
  if (header.images.length !== header.machine.domains.length)
    throw new BadInput(`${where}: line 1: ${header.images.length} images for ${header.machine.domains.length} domains`);
  for (const [i, image] of header.images.entries()) {
    if (sha256(Buffer.from(image.elf, 'base64')) !== image.sha256)
      throw new BadInput(`${where}: line 1: images.${i}: the ELF does not have the stated sha256`);
    if (image.domid !== header.machine.domains[i]!.domid)
      throw new BadInput(`${where}: line 1: images.${i}: not for the domain at its place`);
  }
};

const asBadInput = (error: unknown, path: string): Error => {
  if (error instanceof BadInput) return error;
  const e = error as NodeJS.ErrnoException;
  if (e.code === 'ENOENT') return new BadInput(`${path}: no such file`);
  if (e.code === 'EISDIR') return new BadInput(`${path}: a directory, not a trace`);
  if (e.code?.startsWith('Z_')) return new BadInput(`${path}: damaged or truncated gzip data (${e.code})`);
  return e.code ? new BadInput(`${path}: ${e.code}`) : e;
};
