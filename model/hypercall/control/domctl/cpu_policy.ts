/** XEN_DOMCTL_get_cpu_policy: what a domain's processors are. */
import { domctl } from '#spec/abi/domctl.ts';
import { DOMAIN_POLICY, DOMAIN_POLICY_MSRS } from '#spec/machines/cpu_policies/index.ts';
import { wordIn } from '../../../memory/guest.ts';
import { fieldsOf, withFields } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { fail } from '../../result.ts';
import { tellLeaves, tellMsrs } from '../cpu_policy.ts';
import { type Rule, tell } from './rule.ts';

export const getCpuPolicy: Rule = (machine, asked) => {
  const { bytes, caller, target } = asked;
  // What a 32-bit domain lacks was not measured.
  if (target.pv32) return notModelled(machine, caller, 'domctl');
  const { nr_leaves, nr_msrs } = fieldsOf(bytes, domctl.cpu_policy);
  const { leaves, msrs } = domctl.cpu_policy.fields;
  const first = tellLeaves(machine, caller, { to: wordIn(bytes, leaves.at), count: nr_leaves }, DOMAIN_POLICY);
  if (first.errno) return fail(first.machine, first.errno, 'domctl/get_cpu_policy-leaves');
  const second = tellMsrs(first.machine, caller, { to: wordIn(bytes, msrs.at), count: nr_msrs }, DOMAIN_POLICY_MSRS);
  if (second.errno) return fail(second.machine, second.errno, 'domctl/get_cpu_policy-registers');
  const after = withFields(bytes, domctl.cpu_policy, { nr_leaves: first.count, nr_msrs: second.count });
  return tell(second.machine, asked, after, 'domctl/get_cpu_policy-told');
};
