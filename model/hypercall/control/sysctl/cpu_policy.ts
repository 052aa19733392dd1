/** XEN_SYSCTL_get_cpu_policy: what the machine's processor is, and what guests may have of it. */
import { sysctl } from '#spec/abi/sysctl.ts';
import { cpuPolicies, POLICY_MSRS } from '#spec/machines/cpu_policies/index.ts';
import { copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt } from '../../../word/word.ts';
import { bytesOfNumber, fieldsOf } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { tellLeaves, tellMsrs } from '../cpu_policy.ts';
import type { Asked, Rule } from './rule.ts';

const { fields } = sysctl.cpu_policy;

/** Only a number goes back. */
const tellCount = (machine: Machine, { caller, at }: Asked, name: 'nr_leaves' | 'nr_msrs', count: number) =>
  copyToGuestUnchecked(machine, caller, addInt(at, fields[name].at), bytesOfNumber(count, 4));

export const getCpuPolicy: Rule = (machine, asked) => {
  const { bytes, caller } = asked;
  const { index, nr_leaves, nr_msrs, reserved } = fieldsOf(bytes, sysctl.cpu_policy);
  const policy = reserved === 0 ? cpuPolicies(machine.config.release)[index] : undefined;
  if (!policy) return fail(machine, 'EINVAL', 'sysctl/get_cpu_policy-index');
  const first = tellLeaves(machine, caller, { to: wordIn(bytes, fields.leaves.at), count: nr_leaves }, policy);
  if (first.errno) return fail(first.machine, first.errno, 'sysctl/get_cpu_policy-leaves');
  const counted = tellCount(first.machine, asked, 'nr_leaves', first.count);
  if (!counted.ok) return fail(counted.machine, 'EFAULT', 'sysctl/get_cpu_policy-leaves');
  const second = tellMsrs(counted.machine, caller, { to: wordIn(bytes, fields.msrs.at), count: nr_msrs }, POLICY_MSRS[index]);
  if (second.errno) return fail(second.machine, second.errno, 'sysctl/get_cpu_policy-registers');
  const told = tellCount(second.machine, asked, 'nr_msrs', second.count);
  return told.ok ? done(told.machine, 'sysctl/get_cpu_policy-registers') : fail(told.machine, 'EFAULT', 'sysctl/get_cpu_policy-registers');
};
