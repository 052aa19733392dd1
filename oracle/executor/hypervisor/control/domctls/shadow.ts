/** shadow_op: Xen was built without shadow page tables, so that a PV domain cannot have any. A log of what it wrote, which is empty, stops. */
import { domctl, XEN_DOMCTL_SHADOW_ENABLE, XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL, XEN_DOMCTL_SHADOW_OP } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { isSelf, type Request, stop, type Work } from './request.ts';

const { OFF, ENABLE, ENABLE_LOGDIRTY, CLEAN, PEEK } = XEN_DOMCTL_SHADOW_OP;
const F = domctl.shadow_op.fields;

export const shadowOp: Work = (request) => {
  const { domain, op } = request;
  if (isSelf(request)) return -ERRNO.EINVAL;
  if (domain.dying !== null) return 0;
  const mode = op.getUint32(F.mode.at, true);
  switch (op.getUint32(F.shadow.at, true)) {
    case ENABLE_LOGDIRTY:
      return cannotLog(request);
    case ENABLE:
      return (mode & XEN_DOMCTL_SHADOW_ENABLE.LOG_DIRTY) !== 0 ? cannotLog(request) : -ERRNO.EINVAL;
    case OFF:
      stop(request);
      return -ERRNO.EINVAL;
    case CLEAN:
    case PEEK:
      return (mode & ~XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL) !== 0 ? -ERRNO.EINVAL : stops(request);
    default:
      return -ERRNO.EINVAL;
  }
};

const stops = ({ machine, caller }: Request): number => {
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};

const cannotLog = (request: Request): number => {
  stop(request);
  return -ERRNO.EOPNOTSUPP;
};
