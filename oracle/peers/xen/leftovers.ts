/** Machines under way, and the folders that hold their memory: neither may outlive this process, however it ends. */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';

const machines = new Map<ChildProcess, string>();
let watching = false;

const clear = (): void => {
  for (const [child, folder] of machines) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
  machines.clear();
};

/** From here on, the end of this process is the machine's too. */
export const register = (child: ChildProcess, folder: string): void => {
  machines.set(child, folder);
  if (watching) return;
  watching = true;
  process.on('exit', clear);
  // A signal that nobody handles ends a process without a word.
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const)
    if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(128 + number));
};

/** End a machine, and remove its folder. */
export const dismiss = async (child: ChildProcess, folder: string): Promise<void> => {
  child.kill('SIGKILL');
  machines.delete(child);
  await rm(folder, { recursive: true, force: true });
};
