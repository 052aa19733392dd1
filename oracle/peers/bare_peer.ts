/** Peers that run bare images: emulators of a whole PC. They give back the bytes of debugcon, and how they came to their end. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Payload } from '../image/bare/image.ts';

export type BareRun = {
  /** What was written to port 0xe9. */
  readonly debugcon: Uint8Array;
  /**
   * `exit`: the image ended the machine. `reset`: it went away by itself (a triple fault). `timeout`: it was stopped. `failed`: the
   * emulator did not start or died, and `why` says so.
   */
  readonly end: 'exit' | 'reset' | 'timeout' | 'failed';
  readonly why: string;
};

export type BarePeer = {
  readonly available: true;
  readonly name: string;
  readonly version: string;
  readonly details: Readonly<Record<string, string>>;
  /** CPUID's names of the features that it lacks, of those that the default machine has. */
  readonly lacks: readonly string[];
  run(payload: Payload, timeoutSeconds: number): Promise<BareRun>;
};

/** Where a program lies; null when it is not installed. */
export const programPath = (name: string): string | null => {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && existsSync(path)) return path;
  }
  return null;
};

export type Finished = {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly timedOut: boolean;
};

/** An emulator that floods its output is stopped here. */
const MOST_BYTES = 64 * 1024 * 1024;
const running = new Set<{ kill(signal: 'SIGKILL'): unknown }>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a program in a folder of its own, which `prepare` fills and `read` looks at before it goes away. */
export const runInFolder = async <T>(
  program: string,
  args: readonly string[],
  timeoutSeconds: number,
  prepare: (folder: string) => Promise<unknown>,
  read: (folder: string, finished: Finished) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'xenspec-bare-'));
  try {
    await prepare(folder);
    return await read(folder, await finish(program, args, folder, timeoutSeconds));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const finish = (program: string, args: readonly string[], cwd: string, timeoutSeconds: number): Promise<Finished> =>
  new Promise((resolve) => {
    // In a locale of UTF-8 Debian's Bochs ends in a buffer overflow of its own when it opens its display.
    const env = { ...process.env, LC_ALL: 'C' };
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const out: Buffer[] = [];
    let [bytes, stderr, timedOut] = [0, '', false];
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, timeoutSeconds * 1000);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MOST_BYTES) out.push(chunk);
      else child.kill('SIGKILL');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < 4096) stderr += text;
    });
    const done = (code: number | null): void => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ code, stdout: Buffer.concat(out), stderr, timedOut });
    };
    child.on('error', (error) => {
      stderr += error.message;
      done(null);
    });
    child.on('close', (code) => done(code));
  });
