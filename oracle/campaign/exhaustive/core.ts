/**
 * A small machine to be explored to its end: its states as numbers, and what can happen in each. The numbers hold the part of the machine
 * that its transitions change; `encode` looks after the rest and throws ModelBug when something outside changed.
 */
import type { Machine } from '#model/machine.ts';
import type { Step } from '#spec/program.ts';

/** One thing that can happen: a call by a domain, an act of the guest on its own memory, or something that Xen does. */
export type Action = {
  /** Reads as `d0 close(1)`. */
  readonly name: string;
  /** By the model's own function; the same machine when nothing changes. Null when it cannot happen in this state. */
  readonly apply: (machine: Machine) => Machine | null;
  /** What breaks a rule about transitions, in one line. */
  readonly oversteps?: (before: Machine, after: Machine) => string | null;
  /** The same as a step of a program; null when programs have no such step. `id`: of the step that is made. */
  readonly asStep?: (before: Machine, id: number, made: Made) => Step | null;
};

/** By `domain:port` or `domain:handle`, the step that made it: what a program's later steps name it by. */
export type Made = Map<string, { readonly step: number; readonly of: string }>;

export type Core = {
  readonly name: string;
  /** What there is of everything, for people. */
  readonly scope: string;
  /** Every state's number is below this, which is at most 2^53. */
  readonly bound: number;
  readonly initial: readonly Machine[];
  readonly actions: readonly Action[];
  /** The state's number, the same for states that differ in names alone; CUT when the state is beyond the scope. */
  readonly encode: (machine: Machine) => number;
  readonly decode: (state: number) => Machine;
  /** What must hold in every state: one line for what does not. */
  readonly broken: (machine: Machine) => string | null;
  /** What must hold in some state. */
  readonly sometimes: Readonly<Record<string, (machine: Machine) => boolean>>;
  /** Clauses that some transition must cite. */
  readonly clauses: readonly string[];
  /** vCPUs of each domain, for programs. */
  readonly vcpus: 1 | 2;
};

export const CUT = -1;
