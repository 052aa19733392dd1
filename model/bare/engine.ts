/** The model's bare machine behind the face that all bare machines show (spec/bare/machine.ts): it keeps the newest machine. */
import type { BareMachine, BootBare } from '#spec/bare/machine.ts';
import { populated, readPage } from '../memory/access.ts';
import { bootBareMachine } from './boot.ts';
import type { Machine } from './machine.ts';
import { observe, statusOf } from './observe.ts';
import { step } from './step.ts';

/** A face on a machine that exists already. */
export const bareOn = (first: Machine): BareMachine & { readonly machine: () => Machine } => {
  let machine = first;
  return {
    name: 'model',
    machine: () => machine,
    apply: (input) => {
      const outcome = step(machine, input);
      machine = outcome.machine;
      return { events: outcome.events, retired: outcome.retired, clauses: outcome.clauses };
    },
    status: () => statusOf(machine),
    observe: () => observe(machine),
    page: (mfn) => readPage(machine.memory, mfn),
    populated: () => populated(machine.memory),
  };
};

/** Build a machine with a multiboot or PVH image loaded. Throws BadInput. */
export const bootBare: BootBare = (config, image) => bareOn(bootBareMachine(config, image));
