/** One boot: QEMU in a folder of its own, watched through Xen's serial log until domain 0's end. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MachineConfig } from '#spec/config.ts';
import { dismiss, register } from './leftovers.ts';
import { FILES, qemuArguments } from './qemu.ts';
import { mayHaveEnded, readSerialLog } from './serial_log.ts';

const POLL_MS = 20;
/** A guest that floods the console is stopped here. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

/** Where files that are memory live: in memory, where there is such a folder. */
const MEMORY_FOLDER = '/dev/shm';

export type BootResult = {
  /** The serial log, one character a byte. */
  readonly log: string;
  /** Why it was stopped when the log does not hold the end. */
  readonly stopped: 'timeout' | 'flood' | 'exited';
  /** What QEMU wrote to standard error, and how it exited. */
  readonly complaint: string;
};

/** Looks into the machine's memory, in a file: while it runs (at every change the time that is left begins anew), and after its end. */
export type Watcher = {
  readonly progress: (memory: string, log: string) => Promise<string>;
  readonly end: (memory: string, log: string) => Promise<void>;
};

/** Boot `images` (domain 0, and the module that it builds domain 1 from) as `machine`, checked before, and wait for the end. */
export const bootXen = async (
  qemu: string,
  xen: Uint8Array,
  images: readonly Uint8Array[],
  machine: MachineConfig,
  timeoutSeconds: number,
  watcher?: Watcher,
): Promise<BootResult> => {
  const folder = await mkdtemp(join(watcher && existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'xenspec-boot-'));
  const memory = join(folder, FILES.memory);
  try {
    for (const [i, name] of [FILES.image, FILES.module].entries()) if (images[i]) await writeFile(join(folder, name), images[i]);
    await writeFile(join(folder, FILES.xen), xen);
    await writeFile(join(folder, FILES.serial), '');
    const child = spawn(qemu, qemuArguments(machine, watcher !== undefined), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    register(child, folder);
    let complaint = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint += complaint.length < 4096 ? text : '';
    });
    let gone = false;
    const exit = new Promise<void>((done) => {
      child.on('error', (error) => {
        complaint += error.message;
        gone = true;
        done();
      });
      child.on('close', (code, signal) => {
        if (code) complaint += ` (exit ${code})`;
        else if (signal) complaint += ` (${signal})`;
        gone = true;
        done();
      });
    });
    try {
      const progress = watcher && ((log: string) => watcher.progress(memory, log));
      const seen = await watch(join(folder, FILES.serial), () => gone, timeoutSeconds, progress);
      await watcher?.end(memory, seen.log);
      return { ...seen, complaint: complaint.trim() };
    } finally {
      child.kill('SIGKILL');
      await exit;
      await dismiss(child, folder);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const watch = async (
  path: string,
  gone: () => boolean,
  timeoutSeconds: number,
  progress?: (log: string) => Promise<string>,
): Promise<Omit<BootResult, 'complaint'>> => {
  let deadline = performance.now() + timeoutSeconds * 1000;
  let reached = '';
  const file = await open(path, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  let log = '';
  try {
    for (;;) {
      // Asked before the file is read: what a machine that is gone has written is all there.
      const last = gone();
      const before = log.length;
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, buffer.length, log.length);
        if (bytesRead === 0) break;
        log += buffer.toString('latin1', 0, bytesRead);
      }
      if (last) return { log, stopped: 'exited' };
      if (log.length > before && mayHaveEnded(log, before) && readSerialLog(log).ended) return { log, stopped: 'exited' };
      if (log.length > MAX_LOG_BYTES) return { log, stopped: 'flood' };
      if (performance.now() > deadline) {
        const now = (await progress?.(log)) ?? '';
        if (now === reached) return { log, stopped: 'timeout' };
        reached = now;
        deadline = performance.now() + timeoutSeconds * 1000;
      }
      await pause(POLL_MS);
    }
  } finally {
    await file.close();
  }
};
