/** What the rules of sysctl have in common. Chapter: spec/chapters/sysctl.md. */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import type { Word } from '../../../word/word.ts';
import { done, fail, type HypercallResult } from '../../result.ts';

/** `bytes`: the whole structure, which lies at `at`. */
export type Asked = { readonly caller: VcpuRef; readonly at: Word; readonly bytes: Uint8Array; readonly depth: number };
/** null: it is not modelled. */
export type Rule = (machine: Machine, asked: Asked) => HypercallResult | null;

/** sysctl/told: the structure goes back; `clause` is what it says. */
export const tell = (machine: Machine, { caller, at }: Asked, bytes: Uint8Array, clause: ClauseId): HypercallResult => {
  const stored = copyToGuestUnchecked(machine, caller, at, bytes);
  return stored.ok ? done(stored.machine, clause) : fail(stored.machine, 'EFAULT', 'sysctl/told');
};
