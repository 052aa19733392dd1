/**
 * A small machine to be explored to its end: its states as values of slots, and what can happen in each. The slots hold the part of the machine
 * that its transitions change; `encode` looks after the rest and throws ModelBug when something outside changed.
 */
import type { Machine } from '#model/machine.ts';
import type { Step } from '#spec/program.ts';
import type { Slot, Symmetry, Values } from './slots.ts';

/** One thing that can happen: a call by a domain, an act of the guest on its own memory, or something that Xen does. */
export type Action = {
  /** Reads as `d0 close(1)`. */
  readonly name: string;
  /** By the model's own function; the same machine when nothing changes. Null when it cannot happen in this state. */
  readonly apply: (machine: Machine) => Machine | null;
  /** What breaks a rule about transitions, in one line. It may look at what changed, and at what the action itself looked at. */
  readonly oversteps?: (before: Machine, after: Machine) => string | null;
  /** The same as a step of a program, or as several; null when programs have no such step. `id`: of the first step that is made. */
  readonly asStep?: (before: Machine, id: number, made: Made) => Step | readonly Step[] | null;
};

/** By `domain:port` or `domain:handle`, the step that made it: what a program's later steps name it by. */
export type Made = Map<string, { readonly step: number; readonly of: string }>;

/** A machine that tells which slots are touched. `settle`: of what came of it, touch what was replaced without being looked at. */
export type Watched = { readonly machine: Machine; readonly settle: (after: Machine) => void };

export type Core = {
  readonly name: string;
  /** What there is of everything, for people. */
  readonly scope: string;
  readonly slots: readonly Slot[];
  readonly initial: readonly Machine[];
  readonly actions: readonly Action[];
  /** Fill in the state's values; false when the state is beyond the scope. */
  readonly encode: (machine: Machine, into: Values) => boolean;
  readonly decode: (values: Values) => Machine;
  /** The machine of a state, in which every access to what the slots hold is told. */
  readonly watch: (values: Values, onTouch: (slot: number) => void) => Watched;
  /** Other names for the same: with each of these, all of them made one after another must be here too. */
  readonly symmetries: readonly Symmetry[];
  /** What must hold in every state: one line for what does not. */
  readonly broken: (values: Values) => string | null;
  /** What must hold in some state. */
  readonly sometimes: Readonly<Record<string, (values: Values) => boolean>>;
  /** Clauses that some transition must cite. */
  readonly clauses: readonly string[];
  /** vCPUs of each domain, for programs. */
  readonly vcpus: 1 | 2;
  /** Its states mean something to the thread alone that found them: no other can help, and no later search can go on. */
  readonly alone?: true;
  /** Steps with which a program begins, before the way. */
  readonly prelude?: readonly Step[];
};
