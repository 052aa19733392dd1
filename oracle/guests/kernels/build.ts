/** Compiles the kernels with the machine's gcc: natively and for the bare machine, in 64 and 32 bits, with and without SSE. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const KERNELS = ['sieve', 'sha256', 'quicksort', 'xorshift', 'calls'] as const;
export type Kernel = (typeof KERNELS)[number];
export type Variant = { readonly bits: 64 | 32; readonly sse: boolean };
export const VARIANTS: readonly Variant[] = [64, 32].flatMap((bits) => [true, false].map((sse) => ({ bits: bits as 64 | 32, sse })));
export const variantName = ({ bits, sse }: Variant): string => `${bits}-bit ${sse ? 'SSE' : 'no SSE'}`;

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const source = (name: string): string => join(FOLDER, name);

const COMMON = ['-O2', '-ffreestanding', '-fno-stack-protector', '-fno-pic', '-no-pie', '-nostdlib', '-static', '-fcf-protection=none'];
/** gcc must not turn loops into calls of a library that is not there. */
const ALONE = ['-fno-tree-loop-distribute-patterns', '-fno-asynchronous-unwind-tables', '-Wl,--build-id=none'];

const flagsOf = ({ bits, sse }: Variant): readonly string[] => [
  ...COMMON,
  ...ALONE,
  ...(bits === 32 ? ['-m32', '-march=i686'] : []),
  ...(sse ? ['-msse2', ...(bits === 32 ? ['-mfpmath=sse'] : [])] : ['-mno-sse', '-mno-mmx', '-mno-80387']),
  // An interrupt might come on the same stack.
  ...(bits === 64 ? ['-mno-red-zone'] : []),
];

const gcc = (args: readonly string[]): void => {
  execFileSync('gcc', args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 60_000 });
};

/** Whether gcc is there and makes programs of this kind; one line that says why not, else null. */
export const missingCompiler = (): string | null => {
  try {
    execFileSync('gcc', ['-dumpfullversion'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'no C compiler (Debian 12: apt-get install --no-install-recommends gcc libc6-dev)';
  }
};

/** A program for this computer's system, which prints its result. */
export const buildNative = (kernel: Kernel, variant: Variant, program: string): void =>
  gcc([...flagsOf(variant), '-o', program, source(`${kernel}.c`), source('native.c')]);

/** An image for the bare machine: 32 bits by multiboot, 64 bits by PVH. */
export const buildBare = (kernel: Kernel, variant: Variant, image: string): void =>
  gcc([
    ...flagsOf(variant),
    ...['-Wl,-T', source('bare.ld'), '-Wl,--no-warn-rwx-segments', '-o', image],
    ...[source(`start${variant.bits}.S`), source('bare.c'), source(`${kernel}.c`)],
  ]);
