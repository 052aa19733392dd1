/** VCPUOP_set_periodic_timer, VCPUOP_stop_periodic_timer, VCPUOP_set_singleshot_timer, VCPUOP_stop_singleshot_timer. */
import { vcpu as abi, VCPU_SSHOTTMR_future } from '#spec/abi/sched.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { wordIn } from '../../memory/guest.ts';
import { setSingleshot as setDeadline, setPeriodic as setPeriod } from '../../time/timers.ts';
import { below, bitMask, fromNumber, toNumber, toSigned, type Word } from '../../word/word.ts';
import { sendGuestVcpuVirq } from '../event_channel/virq.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

const SHORTEST_NS = 1_000_000;
/** Xen's limit for differences of time: a quarter of the 64-bit range. */
const TOO_LONG = bitMask(62);

export const setPeriodic: VcpuOperation = (machine, caller, target, arg) => {
  const copied = copyFromGuest(machine, caller, arg, abi.set_periodic_timer.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/set_periodic_timer-fault');
  const asked = wordIn(copied.bytes, abi.set_periodic_timer.fields.period_ns.at);
  const period = toNumber(asked);
  if (period < SHORTEST_NS) return fail(copied.machine, 'EINVAL', 'vcpu/set_periodic_timer-short');
  if (!below(asked, TOO_LONG)) return fail(copied.machine, 'EINVAL', 'vcpu/set_periodic_timer-long');
  return done(setPeriod(copied.machine, target, period), 'vcpu/set_periodic_timer-set');
};

export const stopPeriodic: VcpuOperation = (machine, _caller, target) =>
  done(setPeriod(machine, target, 0), 'vcpu/stop_periodic_timer-stopped');

/** vcpu/set_singleshot_timer-past: a time that is over raises the interrupt at once. */
export const setSingleshot: VcpuOperation = (machine, caller, target, arg) => {
  if (target.vcpu !== caller.vcpu) return fail(machine, 'EINVAL', 'vcpu/set_singleshot_timer-other');
  const copied = copyFromGuest(machine, caller, arg, abi.set_singleshot_timer.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'vcpu/set_singleshot_timer-fault');
  const deadline = wordIn(copied.bytes, abi.set_singleshot_timer.fields.timeout_abs_ns.at);
  return armSingleshot(copied.machine, target, deadline, fieldOf(copied.bytes, abi.set_singleshot_timer.fields.flags));
};

export const armSingleshot = (machine: Machine, target: VcpuRef, deadline: Word, flags: number): HypercallResult => {
  const isPast = below(deadline, fromNumber(machine.now));
  const minded = waysOf(machine.config.release)['set_singleshot_timer-future'] === 'ETIME';
  if (minded && isPast && (flags & VCPU_SSHOTTMR_future) !== 0) return fail(machine, 'ETIME', 'vcpu/set_singleshot_timer-past');
  // Compared without a sign, but armed with one: a negative time is due as soon as the timer is armed.
  if (!isPast) return done(setDeadline(machine, target, toSigned(deadline)), 'vcpu/set_singleshot_timer-set');
  return done(sendGuestVcpuVirq(setDeadline(machine, target, null), target, VIRQ.TIMER), 'vcpu/set_singleshot_timer-past');
};

export const stopSingleshot: VcpuOperation = (machine, caller, target) =>
  target.vcpu === caller.vcpu
    ? done(setDeadline(machine, target, null), 'vcpu/stop_singleshot_timer-stopped')
    : fail(machine, 'EINVAL', 'vcpu/stop_singleshot_timer-other');
