/** HYPERVISOR_xenoprof_op(op, arg): profiles by performance counters. Chapter: spec/chapters/privileged.md. */
import { XENOPROF_LAST, XENOPROF_UNPRIVILEGED } from '#spec/abi/control.ts';
import { XENOPROF as OP, XENOPROF_PROCESSOR, XENOPROF_TYPE_AT, xenoprof } from '#spec/abi/xenoprof.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { isAnswered } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

const UNPRIVILEGED: readonly number[] = Object.values(XENOPROF_UNPRIVILEGED);

export const xenoprof_op: Perform = (machine, caller, [op, arg]) => {
  if (waysOf(machine.config.release)['xenoprof-built'] === 'absent') return fail(machine, 'ENOSYS', 'xenoprof/operation');
  if (op.lo < 0 || op.lo > XENOPROF_LAST) return fail(machine, 'EINVAL', 'xenoprof/operation');
  const primary = machine.profiled === true && isControlDomain(caller);
  // What the primary profiler does is not modelled.
  if (!UNPRIVILEGED.includes(op.lo))
    return primary ? notModelled(machine, caller, 'xenoprof_op') : fail(machine, 'EPERM', 'xenoprof/profiler');
  if (!isAnswered(machine.config.release, true)) return notModelled(machine, caller, 'xenoprof_op');
  switch (op.lo) {
    case OP.init:
      return init(machine, caller, arg);
    case OP.get_buffer:
      return notModelled(machine, caller, 'xenoprof_op');
    default:
      return fail(machine, 'EPERM', 'xenoprof/virq');
  }
};

const KIND = Uint8Array.from(`${XENOPROF_PROCESSOR.type}\0`, (c) => c.charCodeAt(0));

const init = (machine: Machine, caller: VcpuRef, arg: Word): HypercallResult => {
  const read = copyFromGuest(machine, caller, arg, xenoprof.init.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'xenoprof/init-argument');
  const primary = isControlDomain(caller);
  const after = withFields(read.bytes, xenoprof.init, { num_events: XENOPROF_PROCESSOR.counters, is_primary: primary ? 1 : 0 });
  after.set(KIND, XENOPROF_TYPE_AT);
  const m = primary ? { ...cite(read.machine, 'xenoprof/init-primary'), profiled: true } : read.machine;
  const stored = copyToGuestUnchecked(m, caller, arg, after);
  return stored.ok ? done(stored.machine, 'xenoprof/init-told') : fail(stored.machine, 'EFAULT', 'xenoprof/init-told');
};
