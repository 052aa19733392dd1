/** get_cpu_featureset: what processors can do, by words of bits. */
import { ERRNO } from '#spec/abi/errno.ts';
import { sysctl } from '#spec/abi/sysctl.ts';
import { FEATURE_WORDS, featureSets } from '#spec/machines/featuresets.ts';
import { isNull, store, u32, type Work, words } from './asker.ts';

const { index, nr_features, features } = sysctl.cpu_featureset.fields;

/** -ENOBUFS: there was room for some only; their number is told all the same. */
export const featureSet: Work = (asker) => {
  const { op } = asker;
  const { release } = asker.machine.config;
  const all = FEATURE_WORDS[release];
  if (isNull(op, features.at)) {
    op.setUint32(nr_features.at, all, true);
    return 0;
  }
  const room = Math.min(u32(op, nr_features.at), all);
  const set = featureSets(release)[u32(op, index.at)];
  if (!set) return -ERRNO.EINVAL;
  if (!store(asker, features.at, 0, words(...set.slice(0, room)))) return -ERRNO.EFAULT;
  op.setUint32(nr_features.at, room, true);
  return room < all ? -ERRNO.ENOBUFS : 0;
};
