/** The shape of platform_op's rules, and how they tell what they found. */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { addInt, type Word } from '../../word/word.ts';
import { done, fail, type HypercallResult } from '../result.ts';

/** `bytes`: the whole structure, which lies at `argument`. */
export type Asked = { readonly caller: VcpuRef; readonly argument: Word; readonly bytes: Uint8Array };
export type Platform = (machine: Machine, asked: Asked) => HypercallResult;

/** Success, once the structure's bytes [from, to) are the guest's. */
export const tell = (machine: Machine, asked: Asked, after: Uint8Array, from: number, to: number, clause: ClauseId): HypercallResult => {
  const written = copyToGuest(machine, asked.caller, addInt(asked.argument, from), after.slice(from, to));
  return written.ok ? done(written.machine, clause) : fail(written.machine, 'EFAULT', 'platform/argument');
};
