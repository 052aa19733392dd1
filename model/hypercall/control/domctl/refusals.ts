/** Domctls that are refused about any PV domain of the reference machine. */
import { XEN_DOMCTL } from '#spec/abi/control.ts';
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
import { fieldOf } from '../../guest_struct.ts';
import { fail } from '../../result.ts';
import { type Rule, refuseAndTell } from './rule.ts';

const notBuilt: Rule = (machine) => fail(machine, 'ENOSYS', 'domctl/unknown');
const hvmOnly: Rule = (machine) => fail(machine, 'EINVAL', 'domctl/hvm_only');
const unsupported: Rule = (machine) => fail(machine, 'EOPNOTSUPP', 'domctl/unsupported');
const gethvmcontext: Rule = (machine, asked) => refuseAndTell(asked, hvmOnly(machine, asked));

const withoutRings: Rule = (machine, { caller, target }) =>
  fail(machine, target.domid === caller.domid ? 'EINVAL' : 'ENOSYS', 'domctl/vm_event_op-not_built');

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
  [XEN_DOMCTL.vm_event_op, withoutRings],
  [XEN_DOMCTL_PSR_CMT_OP, (machine) => fail(machine, 'ENODEV', 'domctl/psr_cmt_op')],
  [XEN_DOMCTL_TOOLS.psr_alloc, psrAlloc],
];
