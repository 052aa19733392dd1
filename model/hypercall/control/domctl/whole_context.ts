/** XEN_DOMCTL_getvcpucontext, setvcpucontext: all of a vCPU's state at once. Chapter: spec/chapters/domctl.md. */
import { COMPAT } from '#spec/abi/compat.ts';
import { domctl } from '#spec/abi/domctl.ts';
import { vcpu_guest_context } from '#spec/abi/sched.ts';
import { copyFromGuest, copyToGuest } from '../../../guest_copy.ts';
import { refOf } from '../../../lens.ts';
import { wordIn } from '../../../memory/guest.ts';
import { vcpuWake } from '../../../sched/wake.ts';
import { isZero } from '../../../word/word.ts';
import { isCompatContextWrong } from '../../compat/initialise.ts';
import { fieldOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { fail } from '../../result.ts';
import { wrongContext } from '../../vcpu/initialise.ts';
import { hasUsedFpu, toldContext } from '../../vcpu/told_context.ts';
import { isCaller, type Rule, refuseAndTell, tell } from './rule.ts';
import { stoppedForAMoment } from './whole_domain.ts';

const { fields } = domctl.vcpucontext;

/** Of a 64-bit domain's vCPU that has not used x87 or SSE registers. */
export const getvcpucontext: Rule = (machine, asked) => {
  const { bytes, caller, target } = asked;
  const vcpu = target.vcpus[fieldOf(bytes, fields.vcpu)];
  if (!vcpu || isCaller(asked, vcpu)) return fail(machine, 'EINVAL', 'domctl/getvcpucontext-vcpu');
  if (!vcpu.initialised) return fail(machine, 'ENODATA', 'domctl/getvcpucontext-uninitialised');
  if (target.pv32 || hasUsedFpu(vcpu)) return notModelled(machine, caller, 'domctl');
  // It is stopped for a moment: one that came up without being woken goes on now.
  const woken = vcpuWake(machine, refOf(vcpu));
  const stored = copyToGuest(woken, caller, wordIn(bytes, fields.ctxt.at), toldContext(target, vcpu));
  return stored.ok
    ? tell(stored.machine, asked, bytes, 'domctl/getvcpucontext-told')
    : refuseAndTell(asked, fail(stored.machine, 'EFAULT', 'domctl/getvcpucontext-told'));
};

/** As far as it is refused; without a context the vCPU would be reset. */
export const setvcpucontext: Rule = (machine, asked) => {
  const { bytes, caller, target } = asked;
  const vcpu = target.vcpus[fieldOf(bytes, fields.vcpu)];
  if (target.domid === caller.domid || !vcpu) return fail(machine, 'EINVAL', 'domctl/setvcpucontext-vcpu');
  const from = wordIn(bytes, fields.ctxt.at);
  if (isZero(from)) return notModelled(machine, caller, 'domctl');
  const size = target.pv32 ? COMPAT.vcpu_guest_context.size : vcpu_guest_context.size;
  const read = copyFromGuest(machine, caller, from, size);
  if (!read.ok) return fail(read.machine, 'EFAULT', 'domctl/setvcpucontext-read');
  const stopped = stoppedForAMoment(read.machine, target.domid);
  const wrong = target.pv32 ? isCompatContextWrong(read.bytes) : wrongContext(read.bytes) !== null;
  return wrong ? fail(stopped, 'EINVAL', 'domctl/setvcpucontext-context') : notModelled(stopped, caller, 'domctl');
};
