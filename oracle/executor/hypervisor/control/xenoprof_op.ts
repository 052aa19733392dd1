/** xenoprof_op: profiles of the machine are not modelled; who may not make them is told so. */
import { XENOPROF_LAST, XENOPROF_UNPRIVILEGED } from '#spec/abi/control.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';

const UNPRIVILEGED: ReadonlySet<number> = new Set(Object.values(XENOPROF_UNPRIVILEGED));

export const xenoprof_op = (machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  if (machine.ways['xenoprof-built'] === 'absent') return -ERRNO.ENOSYS;
  const op = args[0];
  if (op < 0 || op > XENOPROF_LAST) return -ERRNO.EINVAL;
  // There is no primary profiler before domain 0's `init`, which is not modelled.
  if (!UNPRIVILEGED.has(op)) return -ERRNO.EPERM;
  machine.notModelled(vcpu, 'xenoprof_op');
  return -ERRNO.ENOSYS;
};
