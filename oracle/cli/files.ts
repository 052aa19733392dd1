/** Files that users name: one clear line when they cannot be read or written. */
import { readFileSync, statSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';

const MAX_IMAGE_BYTES = 64 * 1024 * 1024;

const why = (error: unknown): string => {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT'
    ? 'no such file'
    : code === 'EISDIR'
      ? 'is a directory'
      : code === 'EACCES'
        ? 'permission denied'
        : (code ?? String(error));
};

/** An ELF image's bytes. Throws BadInput. */
export const readImage = (path: string): Uint8Array => {
  try {
    const { size } = statSync(path);
    if (size > MAX_IMAGE_BYTES) throw new BadInput(`${path}: ${size} bytes, an image has at most ${MAX_IMAGE_BYTES}`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    if (error instanceof BadInput) throw error;
    throw new BadInput(`${path}: ${why(error)}`);
  }
};

/** Do something that writes at a place the user named. Throws BadInput. */
export const writing = <T>(path: string, action: () => T): T => {
  try {
    return action();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw new BadInput(`${path}: ${why(error)}`);
    throw error;
  }
};
