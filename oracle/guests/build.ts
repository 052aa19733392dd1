/** Builds the guest in C with the system's gcc: for tests, and to show that an image of any origin runs. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const FLAGS = [
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-mno-sse',
  '-mno-mmx',
  '-mno-red-zone',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-fno-asynchronous-unwind-tables',
  '-fno-pic',
  '-no-pie',
  '-static',
  '-nostdlib',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wl,-Ttext-segment=0x800000',
  '-Wl,--build-id=none',
  '-Wl,-z,noseparate-code',
  '-Wl,--no-warn-rwx-segments',
];

/** Whether there is a gcc that makes x86-64 code. */
export const hasCompiler = (): boolean => {
  try {
    return execFileSync('gcc', ['-dumpmachine'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).startsWith('x86_64');
  } catch {
    return false;
  }
};

/** The ELF file of the example guest. Throws when the compiler fails. */
export const buildExample = (): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'guest-'));
  try {
    const out = join(folder, 'example.elf');
    execFileSync('gcc', [...FLAGS, '-o', out, join(HERE, 'start.S'), join(HERE, 'example.c')], { stdio: ['ignore', 'pipe', 'pipe'] });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
