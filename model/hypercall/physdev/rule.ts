/** The shape of physdev_op's rules. Chapter: spec/chapters/physdev.md. */
import { NR_PIRQS } from '#spec/abi/event_channel.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyFromGuest, storeToGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { type Fields, fieldsOf, withFields } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';

/** One operation; `arg` is the address of its structure. */
export type PhysdevOperation = (machine: Machine, caller: VcpuRef, arg: Word) => HypercallResult;

/** What was asked: the structure's fields and bytes, which lie at `arg`. */
export type Asked<L extends Layout> = {
  readonly caller: VcpuRef;
  readonly arg: Word;
  readonly fields: Fields<L>;
  readonly bytes: Uint8Array;
};
export type Rule<L extends Layout> = (machine: Machine, asked: Asked<L>) => HypercallResult;

/** An operation that begins by reading its structure. */
export const reading =
  <L extends Layout>(structure: L, rule: Rule<L>): PhysdevOperation =>
  (machine, caller, arg) => {
    const read = copyFromGuest(machine, caller, arg, structure.size);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'physdev/argument');
    return rule(read.machine, { caller, arg, fields: fieldsOf(read.bytes, structure), bytes: read.bytes });
  };

/** A rule that domain 0 alone gets to. */
export const privileged =
  <L extends Layout>(rule: Rule<L>): Rule<L> =>
  (machine, asked) =>
    isControlDomain(asked.caller) ? rule(machine, asked) : fail(machine, 'EPERM', 'physdev/privilege');

/** How many interrupts a domain may have: numbers are below that. */
export const pirqsOf = (caller: Pick<VcpuRef, 'domid'>): number => (isControlDomain(caller) ? NR_PIRQS.dom0 : NR_PIRQS.other);

/** Success, once the structure of 8 bytes is written back with some fields changed. */
export const answer = <L extends Layout>(
  machine: Machine,
  structure: L,
  { caller, arg, bytes }: Asked<L>,
  out: Partial<Fields<L>>,
  clause: ClauseId,
): HypercallResult => {
  const stored = storeToGuest(machine, caller, arg, withFields(bytes, structure, out));
  return stored.ok ? done(stored.machine, clause) : fail(stored.machine, 'EFAULT', clause);
};
