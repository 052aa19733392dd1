/** Domctls about a domain as a whole that are settled by which domain it is: debugging, number of vCPUs, policies, soft reset. */
import {
  domctl,
  XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL as LOGDIRTY_FINAL,
  XEN_DOMCTL_SHADOW_OP as SHADOW_OP,
  XEN_DOMCTL_SHADOW_ENABLE,
} from '#spec/abi/domctl.ts';
import { updateDomain } from '../../../lens.ts';
import type { Machine } from '../../../machine.ts';
import { stopDomain, wakeDomain } from '../../../sched/pause.ts';
import { fieldOf, fieldsOf } from '../../guest_struct.ts';
import { notModelled } from '../../not_modelled.ts';
import { done, fail } from '../../result.ts';
import { type Asked, type Rule, refuseAndTell, tell } from './rule.ts';

const isOwn = ({ caller, target }: Asked): boolean => target.domid === caller.domid;

/** What stops it is seen by a domain that runs: its vCPUs have to be put on pCPUs anew. */
export const stoppedForAMoment = (machine: Machine, domid: number): Machine => wakeDomain(stopDomain(machine, domid), domid);

export const setdebugging: Rule = (machine, asked) => {
  if (isOwn(asked)) return fail(machine, 'EINVAL', 'domctl/setdebugging-self');
  const { domid } = asked.target;
  const debugged = fieldOf(asked.bytes, domctl.setdebugging.fields.enable) !== 0;
  return done(updateDomain(stoppedForAMoment(machine, domid), domid, { debugged }), 'domctl/setdebugging-done');
};

export const maxVcpus: Rule = (machine, asked) => {
  if (isOwn(asked)) return fail(machine, 'EINVAL', 'domctl/max_vcpus-self');
  const { domid, vcpus } = asked.target;
  if (fieldOf(asked.bytes, domctl.max_vcpus.fields.max) !== vcpus.length) return fail(machine, 'EINVAL', 'domctl/max_vcpus-number');
  return done(stoppedForAMoment(machine, domid), 'domctl/max_vcpus-done');
};

export const setAccessRequired: Rule = (machine, asked) =>
  isOwn(asked)
    ? fail(machine, 'EPERM', 'domctl/set_access_required-self')
    : done(stoppedForAMoment(machine, asked.target.domid), 'domctl/set_access_required-done');

export const setCpuPolicy: Rule = (machine, asked) =>
  isOwn(asked)
    ? fail(machine, 'EINVAL', 'domctl/set_cpu_policy-self')
    : fail(stoppedForAMoment(machine, asked.target.domid), 'EEXIST', 'domctl/set_cpu_policy-runs');

export const softReset: Rule = (machine, asked) => {
  if (isOwn(asked)) return fail(machine, 'EINVAL', 'domctl/soft_reset-self');
  if (asked.target.shutdown === null || !asked.target.pauses) return fail(machine, 'EINVAL', 'domctl/soft_reset-runs');
  return notModelled(machine, asked.caller, 'domctl');
};

/** The structure goes back whatever the outcome. */
export const shadowOp: Rule = (machine, asked) => {
  if (isOwn(asked)) return refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/shadow_op-self'));
  if (asked.target.dying) return tell(machine, asked, asked.bytes, 'domctl/shadow_op-dying');
  const { shadow: operation, mode } = fieldsOf(asked.bytes, domctl.shadow_op);
  switch (operation) {
    case SHADOW_OP.OFF:
      return refuseAndTell(asked, fail(stoppedForAMoment(machine, asked.target.domid), 'EINVAL', 'domctl/shadow_op-not_built'));
    case SHADOW_OP.CLEAN:
    case SHADOW_OP.PEEK:
      if ((mode & ~LOGDIRTY_FINAL) === 0) return notModelled(machine, asked.caller, 'domctl');
      return refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/shadow_op-mode'));
    default:
      return logsDirtyPages(operation, mode)
        ? refuseAndTell(asked, fail(stoppedForAMoment(machine, asked.target.domid), 'EOPNOTSUPP', 'domctl/shadow_op-log'))
        : refuseAndTell(asked, fail(machine, 'EINVAL', 'domctl/shadow_op-not_built'));
  }
};

const logsDirtyPages = (operation: number, mode: number): boolean =>
  operation === SHADOW_OP.ENABLE_LOGDIRTY || (operation === SHADOW_OP.ENABLE && (mode & XEN_DOMCTL_SHADOW_ENABLE.LOG_DIRTY) !== 0);
