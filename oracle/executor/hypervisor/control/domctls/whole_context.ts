/** A vCPU's whole context, as far as asking for it or setting it is refused; the rest stops. Chapter: spec/chapters/domctl.md. */
import { domctl } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { checkCompatContext } from '../../compat/initialise.ts';
import { copyToGuest } from '../../guest_access.ts';
import { wake } from '../../scheduler.ts';
import { toldContext } from '../../told_context.ts';
import { checkContext } from '../../vcpu_context.ts';
import { isSelf, type Request, stop, vcpuOf, type Work } from './request.ts';

const F = domctl.vcpucontext.fields;
const stops = ({ machine, caller }: Request): number => {
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};
const vcpuNamed = (request: Request) => vcpuOf(request, request.op.getUint32(F.vcpu.at, true));

/** Of a 64-bit domain's vCPU that has not used x87 or SSE registers. */
export const getContext: Work = (request) => {
  const { machine, caller, domain, op } = request;
  const vcpu = vcpuNamed(request);
  if (!vcpu || vcpu === caller) return -ERRNO.EINVAL;
  if (!vcpu.initialised) return -ERRNO.ENODATA;
  if (domain.compat || vcpu.fpuUsed) return stops(request);
  const bytes = toldContext(vcpu);
  // Paused and let go: also when nothing had woken it since it came up.
  wake(machine, vcpu);
  request.tells = true;
  const [lo, hi] = [op.getInt32(F.ctxt.at, true), op.getInt32(F.ctxt.at + 4, true)];
  return copyToGuest(machine, caller, lo, hi, bytes.length, bytes) ? 0 : -ERRNO.EFAULT;
};

/** Without a context the vCPU would be reset. */
export const setContext: Work = (request) => {
  const { machine, caller, domain, op } = request;
  if (isSelf(request) || !vcpuNamed(request)) return -ERRNO.EINVAL;
  const [lo, hi] = [op.getInt32(F.ctxt.at, true), op.getInt32(F.ctxt.at + 4, true)];
  if ((lo | hi) === 0) return stops(request);
  const refusal = (domain.compat ? checkCompatContext : checkContext)(machine, caller, lo, hi);
  if (refusal === -ERRNO.EFAULT) return refusal;
  stop(request);
  return refusal === 0 ? stops(request) : refusal;
};
