/** HYPERVISOR_sysctl(u_sysctl): what is looked at before the operation itself. Chapter: spec/chapters/privileged.md. */
import { control, XEN_SYSCTL } from '#spec/abi/control.ts';
import { XEN_SYSCTL_TOOLS } from '#spec/abi/sysctl.ts';
import { INTERFACE_VERSIONS, isAnswered } from '#spec/releases/control.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type Perform } from '../result.ts';
import { RULES } from './sysctl/rules.ts';

const TOOLS: readonly number[] = Object.values(XEN_SYSCTL_TOOLS);

export const sysctl: Perform = (machine, caller, [uSysctl], depth = 0) => {
  const read = copyFromGuest(machine, caller, uSysctl, control.sysctl.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'sysctl/argument-fault');
  const m = read.machine;
  const { interface_version, cmd } = control.sysctl.fields;
  if (fieldOf(read.bytes, interface_version) !== INTERFACE_VERSIONS[m.config.release].sysctl) return fail(m, 'EACCES', 'sysctl/version');
  if (!isControlDomain(caller)) return fail(m, 'EPERM', 'sysctl/privilege');
  switch (fieldOf(read.bytes, cmd)) {
    case XEN_SYSCTL.perfc_op:
    case XEN_SYSCTL.lockprof_op:
      return fail(m, 'ENOSYS', 'sysctl/not_built');
    case XEN_SYSCTL.coverage_op: {
      const written = copyToGuestUnchecked(m, caller, uSysctl, read.bytes);
      return fail(written.machine, written.ok ? 'EOPNOTSUPP' : 'EFAULT', 'sysctl/coverage_op');
    }
    case XEN_SYSCTL.psr_cmt_op:
      return fail(m, 'ENODEV', 'sysctl/psr_cmt_op');
    default: {
      const rule = isAnswered(m.config.release, TOOLS.includes(fieldOf(read.bytes, cmd))) ? RULES.get(fieldOf(read.bytes, cmd)) : undefined;
      return rule?.(m, { caller, at: uSysctl, bytes: read.bytes, depth }) ?? notModelled(m, caller, 'sysctl');
    }
  }
};
