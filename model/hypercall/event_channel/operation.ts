/** The shape of an event channel rule: fields in, a refusal or results out. Decoding and replying is event_channel_op's. */
import type { Errno } from '#spec/abi/errno.ts';
import type { Layout } from '#spec/abi/layout.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Machine } from '../../machine.ts';
import type { Fields } from '../guest_struct.ts';

/** A refusal carries a machine too: the choice of a port may have brought a block of ports to life. */
export type Refused = { readonly tag: 'refused'; readonly machine: Machine; readonly errno: Errno; readonly clause: ClauseId };
export type Granted<L extends Layout> = {
  readonly tag: 'granted';
  readonly machine: Machine;
  readonly clause: ClauseId;
  readonly out: Partial<Fields<L>>;
};

/** Stopped half way: the guest issues the call again as this command. */
export type Preempted = { readonly tag: 'preempted'; readonly machine: Machine; readonly clause: ClauseId; readonly cmd: 'reset_cont' };

export type Operation<L extends Layout> = (machine: Machine, caller: VcpuRef, fields: Fields<L>) => Refused | Granted<L> | Preempted;

export const refused = (machine: Machine, errno: Errno, clause: ClauseId): Refused => ({ tag: 'refused', machine, errno, clause });

/** `out`: result fields to write back; without any, the argument is not written. */
export const granted = <L extends Layout>(machine: Machine, clause: ClauseId, out: Partial<Fields<L>> = {}): Granted<L> => ({
  tag: 'granted',
  machine,
  clause,
  out,
});
