/** XEN_DOMCTL_getvcpuaffinity and getnodeaffinity: where a vCPU and a domain's memory may be. */
import { domctl, XEN_VCPUAFFINITY } from '#spec/abi/domctl.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { updateDomain } from '../../../lens.ts';
import { wordIn } from '../../../memory/guest.ts';
import { isZero } from '../../../word/word.ts';
import { fieldOf } from '../../guest_struct.ts';
import { done, fail } from '../../result.ts';
import { readBitmap, tellBitmap } from './bitmap.ts';
import type { Rule } from './rule.ts';

const NODE_0 = 1n;
const MOST_NODES = 64;

const ALL_NODES = (1n << BigInt(MOST_NODES)) - 1n;

export const getnodeaffinity: Rule = (machine, { caller, bytes, target }) => {
  const { bitmap, bits } = domctl.nodeaffinity.fields;
  const to = { bitmap: wordIn(bytes, bitmap.at), bits: fieldOf(bytes, bits) };
  const stored = tellBitmap(machine, caller, to, target.nodes ?? NODE_0, MOST_NODES);
  return stored.ok ? done(stored.machine, 'domctl/getnodeaffinity') : fail(stored.machine, 'EFAULT', 'domctl/getnodeaffinity');
};

export const setnodeaffinity: Rule = (machine, { caller, bytes, target }) => {
  const { bitmap, bits } = domctl.nodeaffinity.fields;
  const read = readBitmap(machine, caller, { bitmap: wordIn(bytes, bitmap.at), bits: fieldOf(bytes, bits) }, MOST_NODES);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/setnodeaffinity-fault');
  if ((read.set & NODE_0) === 0n) return fail(read.machine, 'EINVAL', 'domctl/setnodeaffinity-none');
  const nodes = read.set === ALL_NODES ? undefined : read.set;
  return done(updateDomain(read.machine, target.domid, { nodes }), 'domctl/setnodeaffinity-done');
};

export const getvcpuaffinity: Rule = (machine, { caller, bytes, target }) => {
  const { vcpu: number, flags, hard_bitmap, hard_bits, soft_bitmap, soft_bits } = domctl.vcpuaffinity.fields;
  const vcpu = target.vcpus[fieldOf(bytes, number)];
  if (!vcpu) return fail(machine, 'EINVAL', 'domctl/getvcpuaffinity-vcpu');
  const asked = fieldOf(bytes, flags);
  const hard = (asked & XEN_VCPUAFFINITY.HARD) !== 0;
  const soft = (asked & XEN_VCPUAFFINITY.SOFT) !== 0;
  const hardTo = { bitmap: wordIn(bytes, hard_bitmap.at), bits: fieldOf(bytes, hard_bits) };
  const softTo = { bitmap: wordIn(bytes, soft_bitmap.at), bits: fieldOf(bytes, soft_bits) };
  if (asked === 0 || (hard && isZero(hardTo.bitmap)) || (soft && isZero(softTo.bitmap)))
    return fail(machine, 'EINVAL', 'domctl/getvcpuaffinity-flags');
  const { pcpus } = machine.config;
  const all = (1n << BigInt(pcpus)) - 1n;
  const pinned = vcpu.pinnedTo === null ? all : 1n << BigInt(vcpu.pinnedTo);
  let stored = { ok: true, machine };
  if (hard) stored = tellBitmap(stored.machine, caller, hardTo, pinned, pcpus);
  const kept = stored.ok || waysOf(machine.config.release)['vcpuaffinity-two_bitmaps'] === 'the second';
  // A failure of the first is forgotten: what counts is the last that was asked for.
  if (soft) stored = tellBitmap(stored.machine, caller, softTo, vcpu.softAffinity ?? all, pcpus);
  return stored.ok && (kept || !soft)
    ? done(stored.machine, 'domctl/getvcpuaffinity-told')
    : fail(stored.machine, 'EFAULT', 'domctl/getvcpuaffinity-told');
};
