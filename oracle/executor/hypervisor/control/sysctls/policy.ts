/** get_cpu_policy, as sysctl and domctl: leaves and registers of a policy, one after another into the caller's arrays. */
import { domctl } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { sysctl } from '#spec/abi/sysctl.ts';
import {
  cpuPolicies,
  DOMAIN_POLICY,
  DOMAIN_POLICY_MSRS,
  MOST_POLICY_LEAVES,
  MOST_POLICY_MSRS,
  POLICY_MSRS,
  type PolicyLeaf,
  type PolicyMsrs,
} from '#spec/machines/cpu_policies/index.ts';
import { copyToGuest } from '../../guest_access.ts';
import { TWO32 } from '../../u64.ts';
import type { Request } from '../domctls/request.ts';
import { type Asker, isNull, type Placed, store, u32, words } from './asker.ts';

const ALL_ONES = 0xffffffff;

const leafWords = ([leaf, subleaf, ...registers]: PolicyLeaf): Uint8Array => words(leaf, subleaf ?? ALL_ONES, ...registers);
const msrWords = ([index, value]: PolicyMsrs[number]): Uint8Array => words(index, 0, value, 0);

type Places = { readonly count: number; readonly list: number };

/** The number of entries into `count`, after the entries themselves; without an array the most there can be. 0 or -errno. */
const serialise = (asker: Asker | Request, { count, list }: Places, most: number, entries: readonly Uint8Array[]): number => {
  const { op } = asker;
  if (isNull(op, list)) {
    op.setUint32(count, most, true);
    return 0;
  }
  const room = u32(op, count);
  let at = 0;
  for (const [i, bytes] of entries.entries()) {
    if (i === room) return -ERRNO.ENOBUFS;
    if (!store(asker, list, at, bytes)) return -ERRNO.EFAULT;
    at += bytes.length;
  }
  op.setUint32(count, entries.length, true);
  return 0;
};

const S = sysctl.cpu_policy.fields;

/** Each number is told as soon as it is known, whatever comes after. */
export const systemPolicy = (asker: Placed): number => {
  const { machine, caller, op, lo, hi } = asker;
  const index = u32(op, S.index.at);
  const leaves = cpuPolicies(machine.config.release)[index];
  if (!leaves || u32(op, S.reserved.at) !== 0) return -ERRNO.EINVAL;
  const tell = (at: number): boolean => {
    const low = (lo >>> 0) + at;
    return copyToGuest(machine, caller, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, 4, new Uint8Array(op.buffer, at, 4));
  };
  const first = serialise(asker, { count: S.nr_leaves.at, list: S.leaves.at }, MOST_POLICY_LEAVES, leaves.map(leafWords));
  if (first !== 0) return first;
  if (!tell(S.nr_leaves.at)) return -ERRNO.EFAULT;
  const second = serialise(asker, { count: S.nr_msrs.at, list: S.msrs.at }, MOST_POLICY_MSRS, POLICY_MSRS[index]!.map(msrWords));
  if (second !== 0) return second;
  return tell(S.nr_msrs.at) ? 0 : -ERRNO.EFAULT;
};

const D = domctl.cpu_policy.fields;

/** What a 32-bit domain lacks of it was not measured. */
export const domainPolicy = (request: Request): number => {
  if (request.domain.compat) {
    request.machine.notModelled(request.caller, 'domctl');
    return -ERRNO.ENOSYS;
  }
  const first = serialise(request, { count: D.nr_leaves.at, list: D.leaves.at }, MOST_POLICY_LEAVES, DOMAIN_POLICY.map(leafWords));
  if (first !== 0) return first;
  return serialise(request, { count: D.nr_msrs.at, list: D.msrs.at }, MOST_POLICY_MSRS, DOMAIN_POLICY_MSRS.map(msrWords));
};
