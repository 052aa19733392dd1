/** cpupool_op: pool 0 has all processors and all domains. */
import { XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { XEN_SYSCTL_CPUPOOL_PAR_ANY as ANY, XEN_SYSCTL_CPUPOOL_OP as OP, sysctl, XEN_SCHEDULERS } from '#spec/abi/sysctl.ts';
import { tellBitmap } from '../domctls/affinity.ts';
import { type Asker, stops, u32, type Work } from './asker.ts';

const F = sysctl.cpupool_op.fields;
/** Where a number of a pool had a sign, from here on it is less than zero. */
const BELOW_ZERO = 0x80000000;

export const cpupoolOp: Work = (asker) => {
  const { machine, op } = asker;
  const { pcpus } = machine.config;
  const ways = machine.ways;
  const pool = u32(op, F.cpupool_id.at);
  const cpu = u32(op, F.cpu.at);
  switch (u32(op, F.op.at)) {
    case OP.CREATE:
      if (pool === 0) return -ERRNO.EEXIST;
      return XEN_SCHEDULERS.includes(u32(op, F.sched_id.at)) ? stops(asker) : -ERRNO.ENOENT;
    case OP.DESTROY:
      return pool === 0 ? -ERRNO.EBUSY : -ERRNO.ENOENT;
    case OP.INFO:
      if (pool !== 0 && !(pool >= BELOW_ZERO && ways['cpupool_op-info_beyond'] === 'next')) return -ERRNO.ENOENT;
      op.setUint32(F.cpupool_id.at, 0, true);
      op.setUint32(F.sched_id.at, XEN_SCHEDULER_CREDIT2, true);
      op.setUint32(F.n_dom.at, machine.domains.length, true);
      return tellBitmap(asker, F.cpumap.at, pcpus, (1n << BigInt(pcpus)) - 1n);
    case OP.ADDCPU:
      if (pool !== 0) return -ERRNO.ENOENT;
      return cpu === ANY || cpu < pcpus ? -ERRNO.ENODEV : -ERRNO.EINVAL;
    case OP.RMCPU: {
      if (pool !== 0) return -ERRNO.ENOENT;
      const which = cpu === ANY ? pcpus - 1 : cpu;
      if (which >= pcpus) return -ERRNO.EINVAL;
      if (ways['cpupool_op-processor_0'] === 'any') return pcpus === 1 ? -ERRNO.EBUSY : stops(asker);
      return which === 0 ? -ERRNO.EINVAL : stops(asker);
    }
    case OP.MOVEDOMAIN:
      return move(asker, pool);
    case OP.FREEINFO:
      return tellBitmap(asker, F.cpumap.at, pcpus, 0n);
    default:
      return -ERRNO.ENOSYS;
  }
};

const move = ({ machine, caller, op }: Asker, pool: number): number => {
  const domain = machine.domainById(u32(op, F.domid.at) & 0xffff);
  if (!domain) return -ERRNO.ESRCH;
  if (domain === caller.domain) return -ERRNO.EPERM;
  return pool === 0 ? 0 : -ERRNO.ENOENT;
};
