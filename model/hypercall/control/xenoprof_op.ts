/** HYPERVISOR_xenoprof_op(op, arg): what is looked at before the operation itself. Chapter: spec/chapters/privileged.md. */
import { XENOPROF_LAST, XENOPROF_UNPRIVILEGED } from '#spec/abi/control.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type Perform } from '../result.ts';

const UNPRIVILEGED: readonly number[] = Object.values(XENOPROF_UNPRIVILEGED);

export const xenoprof_op: Perform = (machine, caller, [op]) => {
  if (waysOf(machine.config.release)['xenoprof-built'] === 'absent') return fail(machine, 'ENOSYS', 'xenoprof/operation');
  if (op.lo < 0 || op.lo > XENOPROF_LAST) return fail(machine, 'EINVAL', 'xenoprof/operation');
  // Nobody has become the primary profiler: `init` is not modelled.
  if (!UNPRIVILEGED.includes(op.lo)) return fail(machine, 'EPERM', 'xenoprof/profiler');
  return notModelled(machine, caller, 'xenoprof_op');
};
