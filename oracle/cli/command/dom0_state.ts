/** The file in which `check --dom0 --state` keeps how far it came. One line of JSON says of which run; the model's machine follows. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { MachineConfig } from '#spec/config.ts';
import { BadInput } from '#spec/failure.ts';
import { sha256 } from '#traces/file.ts';
import type { Dom0Options, Dom0Pair, Kept } from '../../campaign/dom0/lockstep.ts';
import { onFile } from '../files.ts';

const NEWLINE = 0x0a;
/** Between two writes while the run goes on, ms. */
const WRITE_EVERY = 120_000;

type Head = { readonly run: string; readonly inputs: number };

/** What makes two runs the same. */
export const runName = (config: MachineConfig, image: Uint8Array): string =>
  sha256(new TextEncoder().encode(JSON.stringify(config) + sha256(image)));

/** Where the run of this name was left; undefined when there is no such file. Throws BadInput for a file of another run. */
export const readState = (path: string, run: string, pair: Dom0Pair): Dom0Options['from'] => {
  if (!existsSync(path)) return undefined;
  const bytes = onFile(path, () => new Uint8Array(readFileSync(path)));
  const end = bytes.indexOf(NEWLINE);
  let head: Head;
  try {
    head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(end, 0)))) as Head;
  } catch {
    throw new BadInput(`${path}: holds no state of a run`);
  }
  if (head.run !== run) throw new BadInput(`${path}: the state of a run with another kernel, command line or memory`);
  try {
    return { reference: pair.restore(bytes.subarray(end + 1)), inputs: head.inputs };
  } catch (error) {
    throw new BadInput(`${path}: ${(error as Error).message}`);
  }
};

/** Keeps the newest checkpoint, and writes it now and then, beside the file first: what was kept before is never lost halfway. */
export class StateFile {
  private readonly path: string;
  private readonly run: string;
  private readonly part: string;
  private newest: { readonly reference: Kept; readonly inputs: number } | null = null;
  private written = Date.now();

  constructor(path: string, run: string) {
    this.path = path;
    this.run = run;
    this.part = `${path}.part`;
  }

  /** Throws BadInput when nothing can be written there, before a long run and not after it. */
  tryPath(): void {
    onFile(this.path, () => {
      writeFileSync(this.part, '');
      rmSync(this.part);
    });
  }

  readonly add = (reference: Kept, inputs: number): void => {
    this.newest = { reference, inputs };
    if (Date.now() - this.written > WRITE_EVERY) this.write();
  };

  write(): void {
    if (!this.newest) return;
    const { reference, inputs } = this.newest;
    const head: Head = { run: this.run, inputs };
    onFile(this.path, () => {
      writeFileSync(this.part, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), reference.save()]));
      renameSync(this.part, this.path);
    });
    this.written = Date.now();
  }
}
