/** Domctls of the toolstack that are settled by whom they are about. */
import { domctl, MONITOR_EVENTS, PSR_COMMANDS, PSR_GETS, XEN_DOMCTL_MONITOR_OP } from '#spec/abi/domctl.ts';
import { ERRNO } from '#spec/abi/errno.ts';
import { NR_VIRQS } from '#spec/abi/xen.ts';
import { virqIsGlobal } from '../../event_channel/virq.ts';
import { ownsPage } from '../../mm/page.ts';
import { fillHypercallPage } from '../../trap/msr.ts';
import { isSelf, stop, type Work } from './request.ts';

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

/** A reset of a domain that was shut down, and that domain 0 has paused, is not modelled. */
export const softReset: Work = (request) => {
  const { machine, caller, domain } = request;
  if (isSelf(request) || domain.shutdown === null || domain.pauses === 0) return -ERRNO.EINVAL;
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

/** A domain that is dying is not modelled as a handler. */
export const setVirqHandler: Work = ({ machine, caller, domain, op }) => {
  const virq = op.getUint32(domctl.virq_handler.fields.virq.at, true);
  if (virq >= NR_VIRQS || !virqIsGlobal(virq)) return -ERRNO.EINVAL;
  if (domain.dying !== null) {
    machine.notModelled(caller, 'domctl');
    return -ERRNO.ENOSYS;
  }
  machine.virqHandlers.set(virq, domain);
  return 0;
};

/** Xen fills a frame of the domain's with its entry points. */
export const hypercallInit: Work = ({ machine, caller, domain, op }) => {
  const gmfn = op.getBigUint64(domctl.hypercall_init.fields.gmfn.at, true);
  if (gmfn >= BigInt(machine.frames.count) || !ownsPage(machine.frames, Number(gmfn), domain.domid)) return -ERRNO.EINVAL;
  return fillHypercallPage(machine, caller, domain, Number(gmfn)) ? 0 : -ERRNO.EPERM;
};
