/** Domctls that are refused about any PV domain of the reference machine. */
import { control, XEN_DOMCTL, XEN_VM_EVENT, XEN_VM_EVENT_MODE } from '#spec/abi/control.ts';
import {
  domctl,
  PSR_COMMANDS,
  PSR_GETS,
  XEN_DOMCTL_HVM,
  XEN_DOMCTL_NOT_BUILT,
  XEN_DOMCTL_PSR_CMT_OP,
  XEN_DOMCTL_TOOLS,
  XEN_DOMCTL_UNSUPPORTED,
} from '#spec/abi/domctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { fieldOf, fieldsOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { fail } from '../../result.ts';
import { type Rule, refuseAndTell, tell } from './rule.ts';

const notBuilt: Rule = (machine) => fail(machine, waysOf(machine.config.release)['domctl-unknown'], 'domctl/unknown');
const hvmOnly: Rule = (machine) => fail(machine, 'EINVAL', 'domctl/hvm_only');
const vmtrace: Rule = (machine, asked) =>
  waysOf(machine.config.release)['domctl-unknown'] === 'ENOSYS' ? hvmOnly(machine, asked) : notBuilt(machine, asked);
const unsupported: Rule = (machine) => fail(machine, 'EOPNOTSUPP', 'domctl/unsupported');
const gethvmcontext: Rule = (machine, asked) => refuseAndTell(asked, hvmOnly(machine, asked));

const RING_CLAUSE = 'domctl/vm_event_op-not_built';
const vmEventOp: Rule = (machine, asked) => {
  const { caller, target } = asked;
  if (target.domid === caller.domid) return fail(machine, 'EINVAL', RING_CLAUSE);
  if (target.dying) return tell(machine, asked, asked.bytes, RING_CLAUSE);
  const { op, mode } = fieldsOf(asked.bytes, control.vm_event_op);
  const paging = mode === XEN_VM_EVENT_MODE.PAGING && waysOf(machine.config.release)['vm_event_op-paging'] === 'built';
  if (!paging && mode !== XEN_VM_EVENT_MODE.MONITOR) return fail(machine, 'ENOSYS', RING_CLAUSE);
  switch (op) {
    case XEN_VM_EVENT.ENABLE:
      return paging ? fail(machine, 'ENODEV', RING_CLAUSE) : notModelled(machine, caller, 'domctl');
    case XEN_VM_EVENT.DISABLE:
      return fail(machine, 'EINVAL', RING_CLAUSE);
    case XEN_VM_EVENT.RESUME:
      return fail(machine, 'ENODEV', RING_CLAUSE);
    default:
      return fail(machine, 'ENOSYS', RING_CLAUSE);
  }
};

const psrAlloc: Rule = (machine, asked) => {
  const question = fieldOf(asked.bytes, domctl.psr_alloc.fields.question);
  const refused = fail(machine, question < PSR_COMMANDS ? 'ENODEV' : 'EOPNOTSUPP', 'domctl/psr_alloc-none');
  return PSR_GETS.includes(question) ? refuseAndTell(asked, refused) : refused;
};

const all = (commands: Readonly<Record<string, number>>, rule: Rule): readonly (readonly [number, Rule])[] =>
  Object.values(commands).map((command) => [command, rule]);

export const REFUSALS: readonly (readonly [number, Rule])[] = [
  ...all(XEN_DOMCTL_NOT_BUILT, notBuilt),
  ...all(XEN_DOMCTL_HVM, hvmOnly),
  ...all(XEN_DOMCTL_UNSUPPORTED, unsupported),
  [XEN_DOMCTL_HVM.gethvmcontext, gethvmcontext],
  [XEN_DOMCTL_HVM.vmtrace_op, vmtrace],
  [XEN_DOMCTL.vm_event_op, vmEventOp],
  [XEN_DOMCTL_PSR_CMT_OP, (machine) => fail(machine, 'ENODEV', 'domctl/psr_cmt_op')],
  [XEN_DOMCTL_TOOLS.psr_alloc, psrAlloc],
];
