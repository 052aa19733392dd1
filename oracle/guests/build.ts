/** Builds the guests in C with the system's gcc: for tests, and to show that an image of any origin runs. */
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
  '-Wl,-e,start',
];

/** Whether there is a gcc that makes x86-64 code. */
export const hasCompiler = (): boolean => {
  try {
    return execFileSync('gcc', ['-dumpmachine'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).startsWith('x86_64');
  } catch {
    return false;
  }
};

const build = (flags: readonly string[], sources: readonly string[]): Uint8Array => {
  const folder = mkdtempSync(join(tmpdir(), 'guest-'));
  try {
    const out = join(folder, 'example.elf');
    execFileSync('gcc', [...FLAGS, ...flags, '-o', out, ...sources.map((name) => join(HERE, name))], { stdio: ['ignore', 'pipe', 'pipe'] });
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** The ELF file of the example guest. Throws when the compiler fails. */
export const buildExample = (): Uint8Array => build(['-mno-red-zone'], ['start.S', 'example.c']);

const PAE_SOURCES = ['start.S', 'main.c', 'address_space.c', 'segments.c', 'call_user.c'];
/** That of the 32-bit one. Needs no library of 32 bits. Throws when the compiler fails. */
export const buildPae = (): Uint8Array =>
  build(
    ['-m32', '-march=i686'],
    PAE_SOURCES.map((name) => `pae/${name}`),
  );
