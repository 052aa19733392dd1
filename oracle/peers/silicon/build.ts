/** Compiles the helper with the machine's C compiler, once for each state of its source. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('./helper.c', import.meta.url));
/** What it includes. */
const HEADER = fileURLToPath(new URL('./entry.h', import.meta.url));
const FLAGS = ['-O2', '-fno-stack-protector', '-static-pie'] as const;

export type Built = { readonly program: string; readonly compiler: string } | { readonly missing: string };

const compilerVersion = (): string | null => {
  try {
    return execFileSync('gcc', ['-dumpfullversion'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
};

/** The compiled helper, or one line that says why there is none. */
export const buildHelper = (): Built => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: 'needs Linux on a 64-bit x86 processor' };
  const compiler = compilerVersion();
  if (compiler === null) return { missing: 'no C compiler (Debian 12: apt-get install --no-install-recommends gcc libc6-dev)' };
  const name = createHash('sha256')
    .update(readFileSync(SOURCE))
    .update(readFileSync(HEADER))
    .update(compiler)
    .update(FLAGS.join(' '))
    .digest('hex')
    .slice(0, 16);
  const folder = join(tmpdir(), `xenspec-silicon-${process.getuid?.() ?? 0}`);
  const program = join(folder, name);
  if (existsSync(program)) return { program, compiler };
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fresh = `${program}.${process.pid}`;
    execFileSync('gcc', [...FLAGS, '-o', fresh, SOURCE], { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
    renameSync(fresh, program);
    return { program, compiler };
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).split('\n')[0];
    return { missing: `gcc cannot compile the helper (${said}); Debian 12: apt-get install --no-install-recommends gcc libc6-dev` };
  }
};
