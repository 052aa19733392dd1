/** XEN_SYSCTL_get_cpu_featureset: what processors can do. */
import { sysctl } from '#spec/abi/sysctl.ts';
import { FEATURE_WORDS, featureSets } from '#spec/machines/featuresets.ts';
import { copyToGuest, copyToGuestUnchecked } from '../../../guest_copy.ts';
import type { Machine } from '../../../machine.ts';
import { wordIn } from '../../../memory/guest.ts';
import { addInt, isZero } from '../../../word/word.ts';
import { bytesOfNumber, fieldsOf } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import type { Asked, Rule } from './rule.ts';

/** Only the number of words goes back. */
const tellCount = (machine: Machine, { caller, at }: Asked, count: number) =>
  copyToGuestUnchecked(machine, caller, addInt(at, sysctl.cpu_featureset.fields.nr_features.at), bytesOfNumber(count, 4));

export const getCpuFeatureset: Rule = (machine, asked) => {
  const { release } = machine.config;
  const most = FEATURE_WORDS[release];
  const { index, nr_features } = fieldsOf(asked.bytes, sysctl.cpu_featureset);
  const to = wordIn(asked.bytes, sysctl.cpu_featureset.fields.features.at);
  if (isZero(to)) {
    const told = tellCount(machine, asked, most);
    return told.ok ? done(told.machine, 'sysctl/get_cpu_featureset-most') : fail(told.machine, 'EFAULT', 'sysctl/get_cpu_featureset-most');
  }
  const set = featureSets(release)[index];
  if (!set) return fail(machine, 'EINVAL', 'sysctl/get_cpu_featureset-index');
  const count = Math.min(nr_features, most);
  const bytes = set.slice(0, count).flatMap((word) => [...bytesOfNumber(word, 4)]);
  const stored = copyToGuest(machine, asked.caller, to, Uint8Array.from(bytes));
  if (!stored.ok) return fail(stored.machine, 'EFAULT', 'sysctl/get_cpu_featureset-told');
  const told = tellCount(stored.machine, asked, count);
  if (!told.ok) return fail(told.machine, 'EFAULT', 'sysctl/get_cpu_featureset-told');
  const clause = 'sysctl/get_cpu_featureset-told';
  return count < most ? fail(told.machine, 'ENOBUFS', clause) : done(told.machine, clause);
};
