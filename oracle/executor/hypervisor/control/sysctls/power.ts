/** get_pmstat, pm_op, cpu_hotplug: power that nobody governs. */
import { ERRNO } from '#spec/abi/errno.ts';
import { XEN_SYSCTL_CPU_HOTPLUG as HOTPLUG, IDLE_STATES, XEN_SYSCTL_PM_OP as PM_OP, PMSTAT, sysctl } from '#spec/abi/sysctl.ts';
import { CALL_STATE } from '../../hypercall/continuation.ts';
import { stops, u32, type Work } from './asker.ts';

export const getPmStat: Work = (asker) => {
  const { machine, op } = asker;
  const { type, cpuid, nr } = sysctl.get_pmstat.fields;
  const kind = u32(op, type.at);
  if (u32(op, cpuid.at) >= machine.config.pcpus) return -ERRNO.EINVAL;
  if ((kind & PMSTAT.category) !== PMSTAT.CX) return -ERRNO.ENODEV;
  switch (kind) {
    case PMSTAT.get_max_cx:
      op.setUint32(nr.at, IDLE_STATES, true);
      return 0;
    case PMSTAT.get_cxstat:
      return stops(asker);
    case PMSTAT.reset_cxstat:
      return 0;
    default:
      return -ERRNO.ENOSYS;
  }
};

const SMT_CPU = 0;

export const pmOp: Work = ({ machine, op }) => {
  const { question, cpuid, value } = sysctl.pm_op.fields;
  const kind = u32(op, question.at);
  const cpu = u32(op, cpuid.at);
  const given = u32(op, value.at);
  const limits = machine.cstates;
  switch (kind) {
    case PM_OP.set_sched_opt_smt:
      if (cpu !== SMT_CPU) return -ERRNO.EINVAL;
      op.setUint32(value.at, machine.prefersThreads ? 1 : 0, true);
      machine.prefersThreads = given !== 0;
      return 0;
    case PM_OP.get_max_cstate:
      if (cpu >= limits.length) return -ERRNO.EINVAL;
      op.setUint32(value.at, limits[cpu], true);
      return 0;
    case PM_OP.set_max_cstate:
      if (cpu >= limits.length) return -ERRNO.EINVAL;
      limits[cpu] = given;
      return 0;
  }
  if (cpu >= machine.config.pcpus || (kind & PM_OP.category) === PM_OP.CPUFREQ) return -ERRNO.EINVAL;
  return kind === PM_OP.enable_turbo || kind === PM_OP.disable_turbo ? -ERRNO.EACCES : -ERRNO.ENOSYS;
};

export const cpuHotplug: Work = (asker) => {
  const { machine, op } = asker;
  const { cpu, op: question } = sysctl.cpu_hotplug.fields;
  const which = u32(op, cpu.at);
  const isThere = which < machine.config.pcpus;
  switch (u32(op, question.at)) {
    case HOTPLUG.ONLINE:
      if (CALL_STATE.inMulticall) return stops(asker);
      return isThere ? -ERRNO.EEXIST : -ERRNO.EINVAL;
    case HOTPLUG.OFFLINE:
      if (CALL_STATE.inMulticall) return stops(asker);
      return which === 0 || !isThere ? -ERRNO.EINVAL : stops(asker);
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};
