/** vm_event_op: rings for what happens in a domain's memory. No PV domain has any. Chapter: spec/chapters/domctl.md. */
import { control, XEN_VM_EVENT, XEN_VM_EVENT_MODE } from '#spec/abi/control.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import type { Work } from './request.ts';

const { op: OP, mode: MODE } = control.vm_event_op.fields;

export const vmEventOp: Work = ({ machine, caller, domain, op }) => {
  if (domain === caller.domain) return -ERRNO.EINVAL;
  if (domain.dying) return 0;
  const mode = op.getUint32(MODE.at, true);
  const isThere =
    mode === XEN_VM_EVENT_MODE.MONITOR || (mode === XEN_VM_EVENT_MODE.PAGING && machine.ways['vm_event_op-paging'] === 'built');
  if (!isThere) return -ERRNO.ENOSYS;
  switch (op.getUint32(OP.at, true)) {
    case XEN_VM_EVENT.ENABLE:
      if (mode === XEN_VM_EVENT_MODE.PAGING) return -ERRNO.ENODEV;
      machine.notModelled(caller, 'domctl');
      return -ERRNO.ENOSYS;
    case XEN_VM_EVENT.DISABLE:
      return -ERRNO.EINVAL;
    case XEN_VM_EVENT.RESUME:
      return -ERRNO.ENODEV;
    default:
      return -ERRNO.ENOSYS;
  }
};
