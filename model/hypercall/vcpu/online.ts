/** VCPUOP_up, VCPUOP_down, VCPUOP_is_up. */
import { SHUTDOWN } from '#spec/abi/xen.ts';
import { cite } from '../../journal.ts';
import { domainOf, pcpuOf, updateVcpu, vcpuOf } from '../../lens.ts';
import { changeRunstate } from '../../sched/runstate.ts';
import { leavePcpu } from '../../sched/shutdown.ts';
import { vcpuWake } from '../../sched/wake.ts';
import { ZERO } from '../../word/word.ts';
import { done, fail } from '../result.ts';
import type { VcpuOperation } from './vcpu_op.ts';

export const up: VcpuOperation = (machine, _caller, target) => {
  const vcpu = vcpuOf(machine, target);
  if (!vcpu.initialised) return fail(machine, 'EINVAL', 'vcpu/up-uninitialised');
  if (vcpu.online) return done(machine, 'vcpu/up-already');
  return done(vcpuWake(updateVcpu(machine, target, { online: true }), target), 'vcpu/up-done');
};

/** The last one to go takes the domain with it. */
export const down: VcpuOperation = (machine, caller, target) => {
  const others = domainOf(machine, caller.domid).vcpus.some(({ id, online }) => id !== target.vcpu && online);
  if (!others)
    return {
      kind: 'reply',
      machine: { ...cite(machine, 'vcpu/down-last'), reschedule: true },
      value: ZERO,
      ending: { kind: 'shutdown', reason: SHUTDOWN.poweroff },
    };
  if (!vcpuOf(machine, target).online) return done(machine, 'vcpu/down-already');
  const m = updateVcpu(machine, target, { online: false });
  // The caller itself goes at the end of this step.
  if (target.vcpu === caller.vcpu) return done({ ...m, reschedule: true }, 'vcpu/down-self');
  if (pcpuOf(m, target) >= 0) return done(leavePcpu(m, target), 'vcpu/down-done');
  return done(vcpuOf(m, target).runstate.state === 'runnable' ? changeRunstate(m, target, 'offline') : m, 'vcpu/down-done');
};

export const isUp: VcpuOperation = (machine, _caller, target) => done(machine, 'vcpu/is_up', vcpuOf(machine, target).online ? 1 : 0);
