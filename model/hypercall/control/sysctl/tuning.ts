/** Sysctls that set what only domain 0 sees again: trace events, power. */
import {
  CSTATES_AT_FIRST,
  XEN_SYSCTL_CPU_HOTPLUG as HOTPLUG,
  IDLE_STATES,
  XEN_SYSCTL_PM_OP as PM,
  PMSTAT,
  sysctl,
  XEN_SYSCTL_TBUFOP as TBUF,
  TRC_ALL,
} from '#spec/abi/sysctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import type { Machine, Tuning } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fieldOf, fieldsOf, withFields } from '../../guest_struct.ts';
import { fail } from '../../result.ts';
import { readBitmap } from '../domctl/bitmap.ts';
import { type Rule, tell } from './rule.ts';

const tuned = (machine: Machine, change: Tuning): Machine => ({ ...machine, tuning: { ...machine.tuning, ...change } });
const isThere = ({ config }: Machine, cpu: number): boolean => cpu < config.pcpus;

/** Trace buffers are not modelled. */
export const tbufOp: Rule = (machine, asked) => {
  const { bytes, caller } = asked;
  const { cpu_mask, cpu_bits, evt_mask, size } = sysctl.tbuf_op.fields;
  switch (fieldOf(bytes, sysctl.tbuf_op.fields.question)) {
    case TBUF.get_info: {
      const told = { evt_mask: machine.tuning?.traced ?? TRC_ALL, buffer_mfn: 0, size: 0 };
      return tell(machine, asked, withFields(bytes, sysctl.tbuf_op, told), 'sysctl/tbuf_op-info');
    }
    case TBUF.set_cpu_mask: {
      const from = { bitmap: wordIn(bytes, cpu_mask.at), bits: fieldOf(bytes, cpu_bits) };
      const read = readBitmap(machine, caller, from, machine.config.pcpus);
      return read.ok
        ? tell(read.machine, asked, bytes, 'sysctl/tbuf_op-cpu_mask')
        : fail(read.machine, 'EFAULT', 'sysctl/tbuf_op-cpu_mask');
    }
    case TBUF.set_evt_mask:
      return tell(tuned(machine, { traced: fieldOf(bytes, evt_mask) }), asked, bytes, 'sysctl/tbuf_op-evt_mask');
    case TBUF.set_size:
      return fieldOf(bytes, size) === 0 ? fail(machine, 'EINVAL', 'sysctl/tbuf_op-size') : null;
    case TBUF.disable:
      return tell(machine, asked, bytes, 'sysctl/tbuf_op-enable');
    default:
      return fail(machine, 'EINVAL', 'sysctl/tbuf_op-enable');
  }
};

export const getPmstat: Rule = (machine, asked) => {
  const { type, cpuid } = fieldsOf(asked.bytes, sysctl.get_pmstat);
  if (!isThere(machine, cpuid)) return fail(machine, 'EINVAL', 'sysctl/get_pmstat-cpu');
  if ((type & PMSTAT.category) !== PMSTAT.CX) return fail(machine, 'ENODEV', 'sysctl/get_pmstat-none');
  switch (type) {
    case PMSTAT.get_max_cx:
      return tell(machine, asked, withFields(asked.bytes, sysctl.get_pmstat, { nr: IDLE_STATES }), 'sysctl/get_pmstat-idle');
    case PMSTAT.get_cxstat:
      return null;
    case PMSTAT.reset_cxstat:
      return tell(machine, asked, asked.bytes, 'sysctl/get_pmstat-idle');
    default:
      return fail(machine, 'ENOSYS', 'sysctl/get_pmstat-idle');
  }
};

export const pmOp: Rule = (machine, asked) => {
  const { question, cpuid, value } = fieldsOf(asked.bytes, sysctl.pm_op);
  const told = (m: Machine, number: number, clause: 'sysctl/pm_op-smt' | 'sysctl/pm_op-cstate') =>
    tell(m, asked, withFields(asked.bytes, sysctl.pm_op, { value: number }), clause);
  const states = machine.tuning?.cstates ?? CSTATES_AT_FIRST[waysOf(machine.config.release)['pm_op-states']];
  switch (question) {
    case PM.set_sched_opt_smt: {
      if (cpuid !== 0) return fail(machine, 'EINVAL', 'sysctl/pm_op-smt');
      return told(tuned(machine, { smt: value === 0 ? 0 : 1 }), machine.tuning?.smt ?? 0, 'sysctl/pm_op-smt');
    }
    case PM.get_max_cstate:
      return cpuid < states.length ? told(machine, states[cpuid], 'sysctl/pm_op-cstate') : fail(machine, 'EINVAL', 'sysctl/pm_op-cstate');
    case PM.set_max_cstate:
      if (cpuid >= states.length) return fail(machine, 'EINVAL', 'sysctl/pm_op-cstate');
      return tell(tuned(machine, { cstates: states.with(cpuid, value) }), asked, asked.bytes, 'sysctl/pm_op-cstate');
  }
  if (!isThere(machine, cpuid)) return fail(machine, 'EINVAL', 'sysctl/pm_op-cpu');
  if ((question & PM.category) === PM.CPUFREQ) return fail(machine, 'EINVAL', 'sysctl/pm_op-none');
  const turbo = question === PM.enable_turbo || question === PM.disable_turbo;
  return fail(machine, turbo ? 'EACCES' : 'ENOSYS', 'sysctl/pm_op-none');
};

/** Taking a processor off line is not modelled, nor what becomes of an answer by another processor's hands in a multicall. */
export const cpuHotplug: Rule = (machine, { bytes, depth }) => {
  const { cpu, op } = fieldsOf(bytes, sysctl.cpu_hotplug);
  if (depth > 0 && (op === HOTPLUG.ONLINE || op === HOTPLUG.OFFLINE)) return null;
  if (op === HOTPLUG.ONLINE) return fail(machine, isThere(machine, cpu) ? 'EEXIST' : 'EINVAL', 'sysctl/cpu_hotplug-state');
  if (op !== HOTPLUG.OFFLINE) return fail(machine, 'EOPNOTSUPP', 'sysctl/cpu_hotplug-threads');
  return cpu === 0 || !isThere(machine, cpu) ? fail(machine, 'EINVAL', 'sysctl/cpu_hotplug-state') : null;
};
