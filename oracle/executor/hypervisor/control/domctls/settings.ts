/** What domain 0 sets of a domain, and asks back. */
import { domctl, XEN_DOMCTL_SCHEDOP, XEN_SCHEDULER_CREDIT2 } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import type { Work } from './request.ts';

const MOST_PAGES = 0xffffffffn;
const HANDLE_BYTES = 16;

export const setMaxMem: Work = ({ domain, op }) => {
  const pages = op.getBigUint64(domctl.max_mem.fields.max_memkb.at, true) >> 2n;
  domain.maxPages = Number(pages < MOST_PAGES ? pages : MOST_PAGES);
  return 0;
};

export const setHandle: Work = ({ domain, op }) => {
  const { at } = domctl.setdomainhandle.fields.handle_0;
  for (let i = 0; i < HANDLE_BYTES; i++) domain.handle[i] = op.getUint8(at + i);
  return 0;
};

/** Nobody looks whether there is such a port. */
export const subscribe: Work = ({ domain, op }) => {
  domain.suspendPort = op.getInt32(domctl.subscribe.fields.port.at, true);
  return 0;
};

export const schedulerOp: Work = ({ domain, op }) => {
  const { sched_id, operation, weight, cap } = domctl.scheduler_op.fields;
  if (op.getUint32(sched_id.at, true) !== XEN_SCHEDULER_CREDIT2) return -ERRNO.EINVAL;
  switch (op.getUint32(operation.at, true)) {
    case XEN_DOMCTL_SCHEDOP.putinfo:
      domain.weight = op.getUint16(weight.at, true) || domain.weight;
      domain.cap = op.getUint16(cap.at, true);
      return 0;
    case XEN_DOMCTL_SCHEDOP.getinfo:
      op.setUint16(weight.at, domain.weight, true);
      op.setUint16(cap.at, domain.cap, true);
      return 0;
    default:
      return -ERRNO.EINVAL;
  }
};

const SIZE = domctl.address_size.fields.size;

export const getAddressSize: Work = ({ domain, op }) => {
  op.setUint32(SIZE.at, domain.compat ? 32 : 64, true);
  return 0;
};

/** A domain keeps what it has: Xen was built without 32-bit guests that become so by hypercall. */
export const setAddressSize: Work = ({ domain, op }) => {
  const size = op.getUint32(SIZE.at, true);
  if (size === (domain.compat ? 32 : 64)) return 0;
  return size === 32 ? -ERRNO.EOPNOTSUPP : -ERRNO.EINVAL;
};
