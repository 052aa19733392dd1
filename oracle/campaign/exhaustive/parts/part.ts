/** A part of a machine that slots tell: how it is read, made and watched. Small machines are put together from such parts. */
import type { Machine } from '#model/machine.ts';
import { ModelBug } from '#spec/failure.ts';
import { constantBut } from '../constant.ts';
import type { Core, Watched } from '../core.ts';
import type { Slot, Values } from '../slots.ts';

export type Part = {
  readonly slots: readonly Slot[];
  /** Fill in the values of its slots, which begin at `first`; false when they are beyond the scope. Throws ModelBug when what no slot tells changed. */
  readonly read: (machine: Machine, into: Values, first: number) => boolean;
  readonly write: (machine: Machine, values: Values, first: number) => Machine;
  /** `onTouch` is told slots by their numbers within the part. */
  readonly watch: (machine: Machine, onTouch: (slot: number) => void) => Watched;
};

type Told = Parameters<typeof constantBut>[1];

/** A machine whose state is what the parts tell. `told`: the fields that they look after, and those that are left out. */
export const wholeOf = (base: Machine, parts: readonly Part[], told: Told): Pick<Core, 'slots' | 'encode' | 'decode' | 'watch'> => {
  const check = constantBut(base, told);
  let count = 0;
  const placed = parts.map((part) => {
    const first = count;
    count += part.slots.length;
    return { part, first };
  });
  const decode = (values: Values): Machine => {
    // Journals are written over: each machine has its own.
    const machine: Machine = { ...base, journal: { events: null, clauses: [], work: null } };
    return placed.reduce((made, { part, first }) => part.write(made, values, first), machine);
  };
  return {
    slots: parts.flatMap(({ slots }) => slots),
    encode: (machine, into) => {
      check(machine);
      let isWithin = true;
      // Every part looks for what changed outside, whatever the others find.
      for (const { part, first } of placed) isWithin = part.read(machine, into, first) && isWithin;
      return isWithin;
    },
    decode,
    watch: (values, onTouch) => {
      let machine = decode(values);
      const settlers = placed.map(({ part, first }) => {
        const watched = part.watch(machine, (slot) => onTouch(first + slot));
        machine = watched.machine;
        return watched.settle;
      });
      return {
        machine,
        settle: (after) => {
          for (const settle of settlers) settle(after);
        },
      };
    },
  };
};

export const outside = (what: string): ModelBug => new ModelBug(`outside the scope, ${what} changed`);
