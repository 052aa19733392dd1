/** Ports and device memory that domain 0 lets a domain use, or takes from it. It can do so with what it may use itself, and to itself too. */
import { control } from '#spec/abi/control.ts';
import { domctl } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import type { RangeSet } from '../../range_set.ts';
import type { Request, Work } from './request.ts';

/** The numbers were found to be a range before. */
export const permitPorts: Work = (request) => {
  const { caller, domain, op } = request;
  const { first_port, nr_ports, allow_access } = control.ioport_permission.fields;
  const first = op.getUint32(first_port.at, true);
  const last = first + op.getUint32(nr_ports.at, true) - 1;
  return permit(request, caller.domain.ioPorts, domain.ioPorts, first, last, op.getUint8(allow_access.at) !== 0);
};

export const permitFrames: Work = (request) => {
  const { caller, domain, op } = request;
  const { first_mfn, nr_mfns, allow_access } = domctl.iomem_permission.fields;
  const first = op.getBigUint64(first_mfn.at, true);
  const last = BigInt.asUintN(64, first + op.getBigUint64(nr_mfns.at, true) - 1n);
  return permit(request, caller.domain.ioFrames, domain.ioFrames, Number(first), Number(last), op.getUint8(allow_access.at) !== 0);
};

/** Numbers that a double does not hold exactly are beyond all that anybody has. */
const permit = ({ machine, caller }: Request, own: RangeSet, set: RangeSet, first: number, last: number, allow: boolean): number => {
  if (!own.contains(first, last)) return -ERRNO.EPERM;
  if (allow) set.add(first, last);
  else if (set.beginsInGap(first, last)) {
    machine.notModelled(caller, 'domctl');
    return -ERRNO.ENOSYS;
  } else set.remove(first, last);
  return 0;
};
