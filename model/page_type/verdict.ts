/** What comes of an attempt to use a frame. A refusal carries a machine too, because Xen may have touched entries on the way. */
import type { Errno } from '#spec/abi/errno.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { cite } from '../journal.ts';
import type { Machine } from '../machine.ts';

export type Verdict = {
  readonly machine: Machine;
  readonly errno: Errno | null;
  /** Entries of a level 2, 3 or 4 table were written (`tlb/table-entry`). */
  readonly tableChanged?: boolean;
};

export const allow = (machine: Machine): Verdict => ({ machine, errno: null });

export const refuse = (machine: Machine, errno: Errno, clause: ClauseId): Verdict => ({ machine: cite(machine, clause), errno });
