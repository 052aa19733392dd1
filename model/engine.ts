/** The model behind the face that all engines show (spec/engine.ts): it keeps the newest machine. */
import type { Boot, Engine, Status } from '#spec/engine.ts';
import { bootMachine } from './domain/boot.ts';
import { framesOf } from './frame_table.ts';
import { refOf } from './lens.ts';
import type { Machine } from './machine.ts';
import { populated, readPage } from './memory/access.ts';
import { observe } from './observe.ts';
import { isSchedulable } from './sched/runstate.ts';
import { step } from './step.ts';
import { nextDeadline } from './time/timers.ts';

/** What a driver must know to choose the next input. */
export const statusOf = (machine: Machine): Status => {
  const runnable =
    machine.halted === null ? machine.domains.flatMap(({ vcpus }) => vcpus.filter((vcpu) => isSchedulable(machine, vcpu))) : [];
  const pinned = runnable.flatMap((vcpu) => (vcpu.pinnedTo === null ? [] : [{ vcpu: refOf(vcpu), cpu: vcpu.pinnedTo }]));
  return {
    now: machine.now,
    halted: machine.halted,
    current: machine.cpus.map(({ current }) => current),
    runnable: runnable.map(refOf),
    ...(pinned.length === 0 ? {} : { pinned }),
    deadline: nextDeadline(machine),
  };
};

/** The one thing of a call that a machine keeps from rule to rule and does not begin each transition with. */
const OPEN_AREA = ['the area for structures of 32-bit guests is open'] as const;

/** An engine on a machine that exists already. */
export const engineOn = (first: Machine): Engine & { readonly machine: () => Machine } => {
  let machine = first;
  return {
    name: 'model',
    machine: () => machine,
    apply: (input) => {
      const outcome = step(machine, input);
      machine = outcome.machine;
      const { events, retired, questions, clauses, work } = outcome;
      return {
        events,
        retired,
        questions,
        clauses,
        ...(work.length === 0 ? {} : { work }),
        ...(machine.translation === null ? {} : { left: OPEN_AREA }),
      };
    },
    status: () => statusOf(machine),
    observe: () => observe(machine),
    frames: () => framesOf(machine.frames),
    page: (mfn) => readPage(machine.memory, mfn),
    populated: () => populated(machine.memory),
  };
};

/** Build a machine from images. Throws BadInput. */
export const boot: Boot = (config, images) => engineOn(bootMachine(config, images));
