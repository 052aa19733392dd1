/** SCHEDOP_pin_override: dom0 pins the calling vCPU to a pCPU for a while. */
import { sched } from '#spec/abi/sched.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { pcpuOf, updateVcpu, vcpuOf } from '../../lens.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type Perform } from '../result.ts';

/** pCPUs that Debian's Xen is built for. */
const NR_CPUS = 256;

export const pinOverride: Perform = (machine, caller, [arg]) => {
  if (caller.domid !== 0) return fail(machine, 'EPERM', 'sched/pin_override-permission');
  const copied = copyFromGuest(machine, caller, arg, sched.pin_override.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/pin_override-fault');
  const m = copied.machine;
  const pcpu = fieldOf(copied.bytes, sched.pin_override.fields.pcpu) | 0;
  const pinned = vcpuOf(m, caller).pinnedTo !== null;
  if (pcpu >= NR_CPUS) return fail(m, 'EINVAL', 'sched/pin_override-number');
  if (pcpu < 0)
    return pinned
      ? done(updateVcpu(m, caller, { pinnedTo: null }), 'sched/pin_override-released')
      : fail(m, 'EINVAL', 'sched/pin_override-not_pinned');
  if (pcpu >= m.cpus.length) return fail(m, 'EINVAL', 'sched/pin_override-absent');
  if (pinned) return fail(m, 'EBUSY', 'sched/pin_override-pinned');
  // From elsewhere it has to move there, and whatever it is in the middle of stops for that.
  const moves = pcpuOf(m, caller) !== pcpu;
  const set = updateVcpu(m, caller, { pinnedTo: pcpu });
  return done(moves ? { ...set, reschedule: true } : set, 'sched/pin_override-set');
};
