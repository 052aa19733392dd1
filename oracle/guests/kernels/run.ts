/** Runs the kernels natively and on both engines' bare machines. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootBare } from '#spec/bare/machine.ts';
import { barePc } from '#spec/machines/bare_pc.ts';
import { advance, debugconOf, loadBare } from '../../campaign/system/engines.ts';
import { buildBare, buildNative, KERNELS, type Kernel, VARIANTS, type Variant } from './build.ts';

export type KernelRun = {
  readonly kernel: Kernel;
  readonly variant: Variant;
  /** What the program printed; null when this computer does not run programs of this kind. */
  readonly native: string | null;
  readonly model: string;
  readonly executor: string;
  /** Instructions on the bare machine. */
  readonly instructions: number;
};

const MOST_STEPS = 50_000_000;
const SLICE = 1_000_000;

const onEngine = (boot: BootBare, image: Uint8Array): { readonly said: string; readonly instructions: number } => {
  const machine = boot(barePc('', 16), image);
  let said = '';
  for (let steps = 0; steps < MOST_STEPS; steps += SLICE) {
    const { events, stopped } = advance(machine, SLICE);
    said += debugconOf(events);
    if (stopped === null) continue;
    const why = stopped === 'exit' ? '' : `${stopped.kind}: ${stopped.why}`;
    return { said: `${said.trim()}${why}`, instructions: machine.observe().retired };
  }
  return { said: `${said.trim()} more than ${MOST_STEPS} steps`, instructions: MOST_STEPS };
};

/** The program's result; null when it cannot be started (a system without 32-bit programs). */
const natively = (program: string): string | null => {
  try {
    return execFileSync(program, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
};

/** Every kernel in every variant. Throws when gcc fails. */
export const runKernels = async (kernels: readonly Kernel[] = KERNELS): Promise<readonly KernelRun[]> => {
  const [model, executor] = [await loadBare('model'), await loadBare('executor')];
  const folder = mkdtempSync(join(tmpdir(), 'xenspec-kernels-'));
  try {
    return kernels.flatMap((kernel) =>
      VARIANTS.map((variant) => {
        const [program, image] = [join(folder, 'program'), join(folder, 'image')];
        buildNative(kernel, variant, program);
        buildBare(kernel, variant, image);
        const bytes = readFileSync(image);
        const [onModel, onExecutor] = [onEngine(model, bytes), onEngine(executor, bytes)];
        return {
          kernel,
          variant,
          native: natively(program),
          model: onModel.said,
          executor: onExecutor.said,
          instructions: onExecutor.instructions,
        };
      }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
