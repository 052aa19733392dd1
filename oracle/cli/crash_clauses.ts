/** Which clauses decided the first crash of a run: what a guest's author wants to read about. Only the model can tell. */
import type { MachineConfig } from '#spec/config.ts';
import type { Engine } from '#spec/engine.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { Input } from '#spec/input.ts';
import { clausesOfEvent } from '#traces/pinpoint.ts';
import { loadEngine } from '../campaign/engines.ts';
import { DEFAULT_POLICY, Environment } from '../campaign/environment.ts';

/** The model runs it twice; nobody waits longer than some seconds for an explanation. */
const MOST_STEPS = 3_000_000;

type Lead = { readonly inputs: readonly Input[]; readonly eventsBefore: readonly number[]; readonly crash: number };

/** The inputs up to the first crash, and its number among the events. */
const leadTo = (engine: Engine): Lead | null => {
  const environment = new Environment(DEFAULT_POLICY, MOST_STEPS);
  const inputs: Input[] = [];
  const eventsBefore: number[] = [];
  let events = 0;
  for (;;) {
    const input = environment.next(engine.status());
    if (typeof input === 'string') return null;
    const report = engine.apply(input);
    environment.account(input, report.retired);
    inputs.push(input);
    eventsBefore.push(events);
    const crash = report.events.findIndex((event) => event.kind === 'crash');
    if (crash >= 0) return { inputs, eventsBefore, crash: events + crash };
    events += report.events.length;
  }
};

/** Empty when the run is too long, or the model does not come to the crash. `retired`: steps of the run. */
export const crashClauses = async (machine: MachineConfig, images: readonly Uint8Array[], retired: number): Promise<readonly string[]> => {
  if (retired > MOST_STEPS) return [];
  const boot = await loadEngine('model');
  try {
    const lead = leadTo(boot(machine, images));
    return lead ? [...new Set(clausesOfEvent(boot, machine, images, lead, lead.crash))] : [];
  } catch (error) {
    if (error instanceof NotModelled || error instanceof BadInput) return [];
    throw error;
  }
};
