/** Domctls of the toolstack that are settled by whom they are about. */
import { domctl, MONITOR_EVENTS, PSR_COMMANDS, PSR_GETS, XEN_DOMCTL_MONITOR_OP } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { hold, release } from '../../pause.ts';
import type { Request, Work } from './request.ts';

/** The domain, which is not the caller's, is stopped for a moment. */
const stop = ({ machine, caller, domain }: Request): void => {
  hold(machine, caller, domain);
  release(machine, domain);
};
const isSelf = ({ caller, domain }: Request): boolean => caller.domain === domain;

export const setDebugging: Work = (request) => {
  if (isSelf(request)) return -ERRNO.EINVAL;
  request.domain.debugged = request.op.getUint8(domctl.setdebugging.fields.enable.at) !== 0;
  stop(request);
  return 0;
};

/** All of them were made with the domain. */
export const setMaxVcpus: Work = (request) => {
  const { domain, op } = request;
  if (isSelf(request) || op.getUint32(domctl.max_vcpus.fields.max.at, true) !== domain.vcpus.length) return -ERRNO.EINVAL;
  stop(request);
  return 0;
};

export const setAccessRequired: Work = (request) => {
  if (isSelf(request)) return -ERRNO.EPERM;
  stop(request);
  return 0;
};

/** A reset of a domain that was shut down is not modelled. */
export const softReset: Work = (request) => {
  const { machine, caller, domain } = request;
  if (isSelf(request) || domain.shutdown === null) return -ERRNO.EINVAL;
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};

export const shadowOp: Work = (request) => {
  const { machine, caller, domain } = request;
  if (isSelf(request)) return -ERRNO.EINVAL;
  if (domain.dying !== null) return 0;
  machine.notModelled(caller, 'domctl');
  return -ERRNO.ENOSYS;
};

/** Every domain has run. */
export const setCpuPolicy: Work = (request) => {
  if (isSelf(request)) return -ERRNO.EINVAL;
  stop(request);
  return -ERRNO.EEXIST;
};

export const psrAlloc: Work = ({ op }) =>
  op.getUint32(domctl.psr_alloc.fields.question.at, true) < PSR_COMMANDS ? -ERRNO.ENODEV : -ERRNO.EOPNOTSUPP;
export const asksPsr = (op: DataView): boolean => PSR_GETS.includes(op.getUint32(domctl.psr_alloc.fields.question.at, true));

export const monitorOp: Work = (request) => {
  if (isSelf(request)) return -ERRNO.EPERM;
  const { op } = request;
  const { op: operation, event } = domctl.monitor_op.fields;
  const { ENABLE, DISABLE, GET_CAPABILITIES, EMULATE_EACH_REP, CONTROL_REGISTERS } = XEN_DOMCTL_MONITOR_OP;
  switch (op.getUint32(operation.at, true)) {
    case ENABLE:
    case DISABLE:
      return op.getUint32(event.at, true) >= MONITOR_EVENTS ? -ERRNO.EINVAL : -ERRNO.EOPNOTSUPP;
    case GET_CAPABILITIES:
      op.setUint32(event.at, 0, true);
      return 0;
    case EMULATE_EACH_REP:
      stop(request);
      return -ERRNO.EINVAL;
    case CONTROL_REGISTERS:
      return 0;
    default:
      return -ERRNO.EOPNOTSUPP;
  }
};
