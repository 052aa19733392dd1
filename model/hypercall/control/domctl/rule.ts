/** What the rules of domctl for domain 0 have in common. */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from '../../../domain.ts';
import { copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import type { Vcpu } from '../../../vcpu.ts';
import type { Word } from '../../../word/word.ts';
import { done, fail, type HypercallResult } from '../../result.ts';

/** `bytes`: the whole structure, which lies at `at`; `target`: the domain that it is about. */
export type Asked = { readonly caller: VcpuRef; readonly at: Word; readonly bytes: Uint8Array; readonly target: Domain };
export type Rule = (machine: Machine, asked: Asked) => HypercallResult;

/** domctl/told: the structure goes back; `clause` is what it says. */
export const tell = (machine: Machine, { caller, at }: Asked, bytes: Uint8Array, clause: ClauseId): HypercallResult => {
  const stored = copyToGuestUnchecked(machine, caller, at, bytes);
  return stored.ok ? done(stored.machine, clause) : fail(stored.machine, 'EFAULT', 'domctl/told');
};

/** The structure goes back although the operation is refused. */
export const refuseAndTell = (asked: Asked, refused: HypercallResult): HypercallResult => {
  const stored = copyToGuestUnchecked(refused.machine, asked.caller, asked.at, asked.bytes);
  return stored.ok ? { ...refused, machine: stored.machine } : fail(stored.machine, 'EFAULT', 'domctl/told');
};

/** The caller cannot be stopped to be looked at. */
export const isCaller = ({ caller }: Asked, vcpu: Vcpu): boolean => vcpu.domid === caller.domid && vcpu.id === caller.vcpu;
