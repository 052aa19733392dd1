/** A vCPU's whole context, as far as asking for it or setting it is refused; the rest stops. Chapter: spec/chapters/domctl.md. */
import { domctl } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { checkCompatContext } from '../../compat/initialise.ts';
import { checkContext } from '../../vcpu_context.ts';
import { isSelf, type Request, stop, vcpuOf, type Work } from './request.ts';

const F = domctl.vcpucontext.fields;
const stops = ({ machine, caller }: Request): number => {
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};
const vcpuNamed = (request: Request) => vcpuOf(request, request.op.getUint32(F.vcpu.at, true));

export const getContext: Work = (request) => {
  const vcpu = vcpuNamed(request);
  if (!vcpu || vcpu === request.caller) return -ERRNO.EINVAL;
  return vcpu.initialised ? stops(request) : -ERRNO.ENODATA;
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
