/** The command line in tests: in this process with its output caught, or as users start it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { xenspec } from '../program.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** As `npm run` does it: what Node makes of TypeScript is kept. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../../node_modules/.cache/node', import.meta.url));

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** Runs a command here; only for commands whose output goes through `process.stdout` and `process.stderr`. */
export const here = async (...args: readonly string[]): Promise<Ended> => {
  const caught = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      caught[name] += String(text);
      return true;
    }),
  );
  try {
    return { code: await xenspec(args), ...caught };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
};

export type Bytes = { readonly code: number | null; readonly stdout: Buffer; readonly stderr: string };
export type StartOptions = {
  readonly cwd?: string;
  /** Close standard output as soon as so many bytes have come. */
  readonly closeAfter?: number;
};

/** Starts the program as users do. Standard output as the bytes that it is. */
export const start = (args: readonly string[], { cwd, closeAfter }: StartOptions = {}): Promise<Bytes> =>
  new Promise((settle, refuse) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      env: { NODE_COMPILE_CACHE, ...process.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks: Buffer[] = [];
    let stderr = '';
    let seen = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      seen += chunk.length;
      if (closeAfter !== undefined && seen >= closeAfter) child.stdout.destroy();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', refuse);
    child.on('close', (code) => settle({ code, stdout: Buffer.concat(chunks), stderr }));
  });

/** Start many, a few at once. */
export const startAll = async (all: readonly (readonly string[])[], options: StartOptions = {}): Promise<readonly Bytes[]> => {
  const results: Bytes[] = [];
  const queue = all.entries();
  const serve = async (): Promise<void> => {
    for (const [i, args] of queue) results[i] = await start(args, options);
  };
  await Promise.all(Array.from({ length: 2 }, serve));
  return results;
};
