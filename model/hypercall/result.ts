/**
 * What a hypercall comes to. Each kind carries a machine, because a call that fails may still have changed state.
 */
import { ERRNO, type Errno } from '#spec/abi/errno.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { CrashReason, VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';
import { fromNumber, type Word } from '../word/word.ts';

export type HypercallResult =
  /** The call returns: RAX = `value`. `ending`: the caller's domain ends after the call. */
  | { readonly kind: 'reply'; readonly machine: Machine; readonly value: Word; readonly ending?: Ending }
  /**
   * The call stopped half way because something is to be delivered first: the guest runs the hypercall instruction again, with
   * these arguments (RDI RSI RDX R10 R8; missing ones keep their value).
   */
  | { readonly kind: 'preempted'; readonly machine: Machine; readonly args: readonly Word[]; readonly ending?: Ending }
  /** The call has set all registers itself (iret); the way back is `exit`. */
  | { readonly kind: 'no_reply'; readonly machine: Machine; readonly exit: 'sysret' | 'iret' };

/** How a call ends the caller's domain once it is over. */
export type Ending = { readonly kind: 'shutdown'; readonly reason: number } | { readonly kind: 'crash'; readonly why: CrashReason };

/** The one shape of a hypercall's rule. `args`: RDI RSI RDX R10 R8 [R9]. `depth`: 1 for an entry of a multicall, which few rules mind. */
export type Perform = (machine: Machine, caller: VcpuRef, args: readonly Word[], depth?: number) => HypercallResult;

/** Refuse with -errno. */
export const fail = (machine: Machine, errno: Errno, clause: ClauseId): HypercallResult => ({
  kind: 'reply',
  machine: cite(machine, clause),
  value: fromNumber(-ERRNO[errno]),
});

/** Succeed with a small signed number, 0 unless said. */
export const done = (machine: Machine, clause: ClauseId, value = 0): HypercallResult => ({
  kind: 'reply',
  machine: cite(machine, clause),
  value: fromNumber(value),
});

/** Succeed with a 64-bit value. */
export const doneWord = (machine: Machine, clause: ClauseId, value: Word): HypercallResult => ({
  kind: 'reply',
  machine: cite(machine, clause),
  value,
});
