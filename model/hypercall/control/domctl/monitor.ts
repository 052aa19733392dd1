/** XEN_DOMCTL_monitor_op: watching a guest, which can not be done to a PV guest. */
import { domctl, MONITOR_EVENTS, XEN_DOMCTL_MONITOR_OP as OP } from '#spec/abi/domctl.ts';
import { fieldOf, withFields } from '../../guest_struct.ts';
import { fail } from '../../result.ts';
import { type Rule, tell } from './rule.ts';
import { stoppedForAMoment } from './whole_domain.ts';

export const monitorOp: Rule = (machine, asked) => {
  const { bytes, target, caller } = asked;
  if (target.domid === caller.domid) return fail(machine, 'EPERM', 'domctl/monitor_op-self');
  const { op, event } = domctl.monitor_op.fields;
  switch (fieldOf(bytes, op)) {
    case OP.ENABLE:
    case OP.DISABLE:
      return fieldOf(bytes, event) >= MONITOR_EVENTS
        ? fail(machine, 'EINVAL', 'domctl/monitor_op-event')
        : fail(machine, 'EOPNOTSUPP', 'domctl/monitor_op-none');
    case OP.GET_CAPABILITIES:
      return tell(machine, asked, withFields(bytes, domctl.monitor_op, { event: 0 }), 'domctl/monitor_op-capabilities');
    case OP.EMULATE_EACH_REP:
      return fail(stoppedForAMoment(machine, target.domid), 'EINVAL', 'domctl/monitor_op-each_rep');
    case OP.CONTROL_REGISTERS:
      return tell(machine, asked, bytes, 'domctl/monitor_op-registers');
    default:
      return fail(machine, 'EOPNOTSUPP', 'domctl/monitor_op-none');
  }
};
