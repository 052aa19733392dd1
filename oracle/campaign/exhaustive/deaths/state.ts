/**
 * A machine in which domains die, as a state: too much of it changes to be told by slots. Each content that a machine was found with has a number, and the
 * state is that number. Nothing is left out but what nothing here depends on: times of flushes, questions, and which handle comes next.
 */
import { grantsOf, updateGrants } from '#model/hypercall/grant_table/handles.ts';
import type { Machine } from '#model/machine.ts';
import { populated } from '#model/memory/access.ts';
import { pageOf } from '#model/memory/memory.ts';
import { itemsOf } from '#model/numbered.ts';
import { ModelBug } from '#spec/failure.ts';
import { contents } from '../content.ts';
import type { Core } from '../core.ts';
import { HANDLES } from './scope.ts';

/** Sums of digests that were asked for, and times of flushes. */
const SKIPPED = ['known', 'knownFree', 'sums', 'usedUntil'];
const MOST = 1 << 20;

/** Handles are names: those that are free come lowest first. */
const settled = (machine: Machine): Machine =>
  machine.domains.reduce((m, { domid }) => {
    const { freeHandles } = grantsOf(m, domid);
    if (freeHandles.every((free) => free.every((handle, i) => i === 0 || free[i - 1]! < handle))) return m;
    return updateGrants(m, domid, { freeHandles: freeHandles.map((free) => [...free].sort((a, b) => a - b)) });
  }, machine);

const isWithin = ({ domains }: Machine, ports: number): boolean =>
  domains.every(
    ({ channels, grants }) =>
      itemsOf(channels).every(([port]) => port <= ports) &&
      grants.maptrack.every((mapping, handle) => handle < HANDLES || mapping === null),
  );

export const numberedMachines = (ports: number): Pick<Core, 'slots' | 'encode' | 'decode' | 'watch'> => {
  const contentOf = contents(SKIPPED);
  const machines: Machine[] = [];
  const numbers = new Map<string, number>();
  const keyOf = ({ memory, tlb: _tlb, journal: _journal, questions: _questions, ...rest }: Machine): string => {
    const pages = [...populated(memory)].map((mfn) => `${mfn}:${contentOf(pageOf(memory, mfn))}`);
    return `${contentOf(rest)} ${pages.join()}`;
  };
  const decode = ([number]: Int32Array): Machine => ({ ...machines[number!]!, journal: { events: null, clauses: [], work: null } });
  return {
    slots: [{ name: 'machine', size: MOST }],
    encode: (machine, into) => {
      if (!isWithin(machine, ports)) return false;
      const state = settled(machine);
      const key = keyOf(state);
      const number = numbers.get(key) ?? machines.length;
      if (number === MOST) throw new ModelBug('more machines than there are numbers');
      if (number === machines.length) {
        numbers.set(key, number);
        machines.push(state);
      }
      into[0] = number;
      return true;
    },
    decode,
    watch: (values, onTouch) => {
      onTouch(0);
      return { machine: decode(values), settle: () => {} };
    },
  };
};
