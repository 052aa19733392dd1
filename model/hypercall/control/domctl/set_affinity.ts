/** XEN_DOMCTL_setvcpuaffinity: on which processors a vCPU may run, and on which it would rather. */
import { domctl, XEN_VCPUAFFINITY } from '#spec/abi/domctl.ts';
import { refOf, updateVcpu } from '../../../lens.ts';
import { wordIn } from '../../../memory/guest.ts';
import { isZero } from '../../../word/word.ts';
import { fieldOf, fieldsOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { done, fail } from '../../result.ts';
import { readBitmap, tellBitmap } from './bitmap.ts';
import type { Rule } from './rule.ts';

/** A hard affinity that counts is that to all processors: others are not modelled. */
export const setvcpuaffinity: Rule = (machine, { caller, bytes, target }) => {
  const { vcpu: number, flags } = fieldsOf(bytes, domctl.vcpuaffinity);
  const { hard_bitmap, hard_bits, soft_bitmap, soft_bits } = domctl.vcpuaffinity.fields;
  const vcpu = target.vcpus[number];
  if (!vcpu) return fail(machine, 'EINVAL', 'domctl/setvcpuaffinity-vcpu');
  const [wantsHard, wantsSoft] = [(flags & XEN_VCPUAFFINITY.HARD) !== 0, (flags & XEN_VCPUAFFINITY.SOFT) !== 0];
  const hard = { bitmap: wordIn(bytes, hard_bitmap.at), bits: fieldOf(bytes, hard_bits) };
  const soft = { bitmap: wordIn(bytes, soft_bitmap.at), bits: fieldOf(bytes, soft_bits) };
  if (flags === 0 || (wantsHard && isZero(hard.bitmap)) || (wantsSoft && isZero(soft.bitmap)))
    return fail(machine, 'EINVAL', 'domctl/setvcpuaffinity-flags');
  if (vcpu.pinnedTo !== null) return notModelled(machine, caller, 'domctl');
  const { pcpus } = machine.config;
  const all = (1n << BigInt(pcpus)) - 1n;
  let told = { ok: true, machine };
  if (wantsHard) {
    const read = readBitmap(machine, caller, hard, pcpus);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/setvcpuaffinity-fault');
    if (read.set === 0n) return fail(read.machine, 'EINVAL', 'domctl/setvcpuaffinity-none');
    if (read.set !== all) return notModelled(read.machine, caller, 'domctl');
    told = tellBitmap(read.machine, caller, hard, all, pcpus);
  }
  if (wantsSoft) {
    const read = readBitmap(told.machine, caller, soft, pcpus);
    if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/setvcpuaffinity-fault');
    told = tellBitmap(updateVcpu(read.machine, refOf(vcpu), { softAffinity: read.set }), caller, soft, read.set, pcpus);
  }
  return told.ok ? done(told.machine, 'domctl/setvcpuaffinity-told') : fail(told.machine, 'EFAULT', 'domctl/setvcpuaffinity-told');
};
