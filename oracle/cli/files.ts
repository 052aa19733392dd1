/** Files that users name: one clear line when they cannot be read or written. */
import { closeSync, openSync, readSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';
import { kernelElf } from '../linux/bzimage.ts';

const MAX_IMAGE_BYTES = 64 * 1024 * 1024;
const CHUNK = 1 << 20;

/** What an error of the system means, in plain words. */
export const why = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EISDIR':
      return 'is a directory';
    case 'ENOTDIR':
      return 'part of the path is not a directory';
    case 'EEXIST':
      return 'exists and is no directory';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOSPC':
      return 'no space left';
    default:
      return code ?? String(error);
  }
};

/** All bytes of a file, a pipe or a device, up to a limit that keeps endless ones from filling the memory. */
const readBounded = (path: string, limit: number): Uint8Array => {
  const fd = openSync(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let total = 0;
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const got = readSync(fd, chunk);
      if (got === 0) return new Uint8Array(Buffer.concat(chunks, total));
      total += got;
      if (total > limit) throw new BadInput(`${path}: more than ${limit} bytes, which is too much`);
      chunks.push(chunk.subarray(0, got));
    }
  } finally {
    closeSync(fd);
  }
};

/** A file's bytes. Throws BadInput, also when there are more than `limit`. */
export const readBytes = (path: string, limit: number): Uint8Array => onFile(path, () => readBounded(path, limit));

/** An ELF image's bytes. Throws BadInput. */
export const readImage = (path: string): Uint8Array => readBytes(path, MAX_IMAGE_BYTES);

/** The ELF file of a PV kernel, out of its bzImage or packed file if it is in one. Throws BadInput. */
export const readKernel = async (path: string): Promise<Uint8Array> => {
  const file = readImage(path);
  try {
    return await kernelElf(file);
  } catch (error) {
    throw error instanceof BadInput ? new BadInput(`${path}: ${error.message}`) : error;
  }
};

/** Do something with a file or folder that the user named. Throws BadInput in place of the system's error. */
export const onFile = <T>(path: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw new BadInput(`${path}: ${why(error)}`);
    throw error;
  }
};
