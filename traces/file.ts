/** Trace files: gzip-compressed JSON Lines (`.trace.gz`), plain JSON Lines accepted too. Reading streams. */
import { createHash } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, gzipSync } from 'node:zlib';
import { BadInput } from '#spec/failure.ts';
import type { Trace, TraceHeader, TraceRecord } from './format.ts';
import { printTrace, TraceParser } from './text.ts';

/** Most bytes that a trace may unpack to: a small hostile file must not fill the memory. */
export const MAX_UNPACKED = 256 * 1024 * 1024;

/** Lines of a stream of bytes, of any length; counts the bytes. Throws BadInput when there are too many of them. */
async function* linesOf(source: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let seen = 0;
  let open: string[] = [];
  for await (const chunk of source) {
    seen += chunk.length;
    if (seen > MAX_UNPACKED) throw new BadInput(`${where}: unpacks to more than ${MAX_UNPACKED} bytes`);
    const [first, ...rest] = decoder.decode(chunk, { stream: true }).split('\n') as [string, ...string[]];
    open.push(first);
    for (const next of rest) {
      yield open.join('');
      open = [next];
    }
  }
  yield open.join('') + decoder.decode();
}

/** A file's bytes from its beginning, and how the first of them look. It is opened and read once, so that it can be a pipe. */
const openFile = async (path: string): Promise<{ readonly gzip: boolean; readonly bytes: () => AsyncGenerator<Uint8Array> }> => {
  const file: AsyncIterator<Buffer> = createReadStream(path)[Symbol.asyncIterator]();
  const first = await file.next();
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => file };
  };
  return { gzip: !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b, bytes };
};

/** Read a trace record by record. Throws BadInput with one line for anything that is not a whole, valid trace. */
export const streamTrace = async (
  path: string,
  onHeader: (header: TraceHeader) => void,
  onRecord: (record: TraceRecord) => void,
): Promise<void> => {
  const parser = new TraceParser(path);
  let announced = false;
  const parse = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const line of linesOf(source, path)) {
      const record = parser.push(line);
      if (!announced && parser.header) {
        announced = true;
        verifyImages(parser.header, path);
        onHeader(parser.header);
      }
      if (record) onRecord(record);
    }
    parser.finish();
  };
  try {
    const { gzip, bytes } = await openFile(path);
    await pipeline(bytes, gzip ? createGunzip() : new PassThrough(), parse);
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
