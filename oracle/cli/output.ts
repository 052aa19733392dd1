/** Bytes to standard output, standard error and files, all of them, in order, whatever is at the other end. */
import { writeSync } from 'node:fs';
import { BadInput } from '#spec/failure.ts';
import { why } from './files.ts';

/** Nobody reads standard output any more (`xenspec run image | head`): the command ends, and that is no failure. */
export class ReaderGone extends Error {}

const STDOUT = 1;
const STDERR = 2;
const nameOf = (fd: number, path?: string): string => path ?? (fd === STDOUT ? 'standard output' : 'standard error');

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Write all bytes. Throws ReaderGone when standard output was closed, BadInput when it, or the file at `path`, takes no more. */
export const writeAll = (fd: number, bytes: Uint8Array, path?: string): void => {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A pipe that somebody else made non-blocking is full: let its reader run.
      if (code === 'EAGAIN') Atomics.wait(nap, 0, 0, 1);
      else if (code === 'EPIPE' && fd === STDOUT) throw new ReaderGone();
      else if (fd === STDERR) return;
      else throw new BadInput(`${nameOf(fd, path)}: ${why(error)}`);
    }
  }
};

/** Say something on standard error. */
export const say = (line: string): void => writeAll(STDERR, Buffer.from(`xenspec: ${line}\n`));

/**
 * Output that Node buffers fails later, as an event: a reader that went away is no failure, a full disk is one. Must be called once, by the
 * program's main file.
 */
export const guardStandardOutput = (fail: (error: Error) => void): void => {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && stream === process.stdout) fail(new BadInput(`standard output: ${why(error)}`));
    });
};
