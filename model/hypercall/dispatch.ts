/** Which rule answers which hypercall, and the telling of each call. */
import { HYPERCALL_ARGS, HYPERCALL_NAME, type HypercallName, suboperation } from '#spec/abi/hypercall.ts';
import type { VcpuRef } from '#spec/event.ts';
import { findDomain } from '../lens.ts';
import { emit } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { toHex, type Word } from '../word/word.ts';
import { notModelled } from './not_modelled.ts';
import { fail, type HypercallResult, type Perform } from './result.ts';

/** The rules of the slice, by Xen's name of the call. */
export const HYPERCALLS: Readonly<Partial<Record<HypercallName, Perform>>> = {
};

/** Carry out call number `number`. `depth` is 1 for an entry of a multicall. */
export const callHypercall = (machine: Machine, caller: VcpuRef, number: Word, args: readonly Word[], depth: number): HypercallResult => {
  const name = number.hi === 0 ? HYPERCALL_NAME.get(number.lo) : undefined;
  const perform = name && HYPERCALLS[name];
  const result = perform
    ? perform(machine, caller, args)
    : name
      ? notModelled(machine, caller, [name, suboperation(name, args[0].lo)].filter(Boolean).join('/'))
      : fail(machine, 'ENOSYS', 'hypercall/number-unknown');
  return tell(result, caller, name ?? `hypercall_${number.lo >>> 0}`, args.slice(0, (name && HYPERCALL_ARGS[name]) ?? 5), depth);
};

const tell = (result: HypercallResult, caller: VcpuRef, call: string, args: readonly Word[], depth: number): HypercallResult => {
  // A preempted call is told when the guest has run it to its end.
  if (result.kind === 'preempted') return result;
  const ended = findDomain(result.machine, caller.domid)?.shutdown !== null;
  const value = result.kind === 'reply' && !ended ? toHex(result.value) : null;
  return { ...result, machine: emit(result.machine, { kind: 'hypercall', at: caller, call, args: args.map(toHex), result: value, depth }) };
};
