/** Which clauses decided one event of a performance: the inputs again, and the one that brought the event step by step. */
import type { MachineConfig } from '#spec/config.ts';
import type { Boot } from '#spec/engine.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import type { Performance } from './perform.ts';

/** Inputs that do in single steps what `input` does. */
const stepwise = function* (input: Input): Generator<Input> {
  if (input.kind === 'execute') for (let i = 0; i < input.steps; i++) yield { ...input, steps: 1 };
  else yield input;
};

/** Empty for an engine that cites nothing, and for an event that never came. */
export const clausesOfEvent = (
  boot: Boot,
  machine: MachineConfig,
  images: readonly Uint8Array[],
  seen: Pick<Performance, 'inputs' | 'eventsBefore'>,
  event: number,
): readonly string[] => {
  const last = seen.eventsBefore.findLastIndex((before) => before <= event);
  if (last < 0) return [];
  const engine = boot(machine, images);
  let count = seen.eventsBefore[last]!;
  try {
    for (const input of seen.inputs.slice(0, last)) engine.apply(input);
    for (const input of stepwise(seen.inputs[last]!)) {
      const report = engine.apply(input);
      count += report.events.length;
      if (count > event) return report.clauses ?? [];
    }
  } catch (error) {
    // The performance ended here, too.
    if (!(error instanceof NotModelled)) throw error;
  } finally {
    engine.dispose?.();
  }
  return [];
};
