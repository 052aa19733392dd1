/** HYPERVISOR_sysctl(u_sysctl): what is looked at before the operation itself. Chapter: spec/chapters/privileged.md. */
import { control, XEN_SYSCTL_INTERFACE_VERSION } from '#spec/abi/control.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { isControlDomain } from '../domids.ts';
import { fieldOf } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { fail, type Perform } from '../result.ts';

export const sysctl: Perform = (machine, caller, [uSysctl]) => {
  const read = copyFromGuest(machine, caller, uSysctl, control.sysctl.size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'sysctl/argument-fault');
  if (fieldOf(read.bytes, control.sysctl.fields.interface_version) !== XEN_SYSCTL_INTERFACE_VERSION)
    return fail(read.machine, 'EACCES', 'sysctl/version');
  return isControlDomain(caller) ? notModelled(read.machine, caller, 'sysctl') : fail(read.machine, 'EPERM', 'sysctl/privilege');
};
