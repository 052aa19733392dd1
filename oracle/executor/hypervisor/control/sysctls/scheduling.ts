/** scheduler_op and tbuf_op: what is set for all domains. */
import { XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { CREDIT2_RATELIMIT, XEN_SYSCTL_SCHEDOP as SCHED, sysctl, XEN_SYSCTL_TBUFOP as TBUF } from '#spec/abi/sysctl.ts';
import { readBitmap } from '../domctls/affinity.ts';
import { put64 } from '../domctls/request.ts';
import { stops, u32, type Work } from './asker.ts';

export const schedulerOp: Work = ({ machine, op }) => {
  const { cpupool_id, sched_id, question, ratelimit_us } = sysctl.scheduler_op.fields;
  const kind = u32(op, question.at);
  if (kind !== SCHED.putinfo && kind !== SCHED.getinfo) return -ERRNO.EINVAL;
  if (u32(op, cpupool_id.at) !== 0) return -ERRNO.ESRCH;
  if (u32(op, sched_id.at) !== XEN_SCHEDULER_CREDIT2) return -ERRNO.EINVAL;
  if (kind === SCHED.putinfo) {
    const limit = u32(op, ratelimit_us.at);
    if (limit !== 0 && (limit < CREDIT2_RATELIMIT.least || limit > CREDIT2_RATELIMIT.most)) return -ERRNO.EINVAL;
    machine.rateLimit = limit;
  }
  op.setUint32(ratelimit_us.at, machine.rateLimit, true);
  return 0;
};

export const tbufOp: Work = (asker) => {
  const { machine, op } = asker;
  const { question, cpu_mask, evt_mask, buffer_mfn, size } = sysctl.tbuf_op.fields;
  switch (u32(op, question.at)) {
    case TBUF.get_info:
      op.setUint32(evt_mask.at, machine.traceEvents, true);
      put64(op, buffer_mfn.at, 0);
      op.setUint32(size.at, 0, true);
      return 0;
    case TBUF.set_cpu_mask:
      return readBitmap(asker, cpu_mask.at, machine.config.pcpus) === null ? -ERRNO.EFAULT : 0;
    case TBUF.set_evt_mask:
      machine.traceEvents = u32(op, evt_mask.at);
      return 0;
    case TBUF.set_size:
      return u32(op, size.at) === 0 ? -ERRNO.EINVAL : stops(asker);
    case TBUF.disable:
      return 0;
    default:
      // To switch it on there would have to be buffers.
      return -ERRNO.EINVAL;
  }
};
