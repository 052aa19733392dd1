/** A boot of domain 0 on one engine, until it has said what the recording ends with. */
import type { MachineConfig } from '#spec/config.ts';
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import { DEFAULT_POLICY, Environment, type Finish } from '../environment.ts';
import { linesOf } from './console.ts';

export type Dom0Boot = {
  readonly console: string;
  readonly steps: number;
  readonly hypercalls: number;
  /** Operations that a lenient machine answered with -ENOSYS, and how often. */
  readonly refused: Readonly<Record<string, number>>;
  readonly end: Finish | 'said' | { readonly notModelled: string };
};

export type Dom0BootOptions = {
  readonly config: MachineConfig;
  readonly image: Uint8Array;
  readonly steps: number;
  /** The recording; its last line ends the run. */
  readonly recording: string;
  readonly onSteps?: (steps: number) => void;
};

export const bootDom0 = (boot: Boot, { config, image, steps, recording, onSteps }: Dom0BootOptions): Dom0Boot => {
  const last = linesOf(recording).at(-1);
  const engine = boot(config, [image]);
  const environment = new Environment(DEFAULT_POLICY, steps);
  const refused: Record<string, number> = {};
  let console = '';
  let line = '';
  let hypercalls = 0;
  const finish = (end: Dom0Boot['end']): Dom0Boot => {
    engine.dispose?.();
    return { console, steps: environment.retired, hypercalls, refused, end };
  };
  for (;;) {
    const input = environment.next(engine.status());
    if (typeof input === 'string') return finish(input);
    try {
      const { events, retired } = engine.apply(input);
      environment.account(input, retired);
      onSteps?.(retired);
      for (const event of events) {
        if (event.kind === 'hypercall') hypercalls++;
        else if (event.kind === 'not_modelled') refused[event.what] = (refused[event.what] ?? 0) + 1;
        else if (event.kind === 'console' && event.domid === 0) {
          console += event.bytes;
          line += event.bytes;
        }
      }
    } catch (thrown) {
      if (!(thrown instanceof NotModelled)) throw thrown;
      return finish({ notModelled: thrown.what });
    }
    if (!line.includes('\n')) continue;
    if (last !== undefined && linesOf(line).includes(last)) return finish('said');
    line = line.slice(line.lastIndexOf('\n') + 1);
  }
};
