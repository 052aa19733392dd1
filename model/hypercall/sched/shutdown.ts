/** SCHEDOP_shutdown, SCHEDOP_shutdown_code and SCHEDOP_remote_shutdown. */
import { sched } from '#spec/abi/sched.ts';
import { SHUTDOWN } from '#spec/abi/xen.ts';
import { copyFromGuest } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { shutdownDomain } from '../../sched/shutdown.ts';
import { ZERO } from '../../word/word.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type HypercallResult, type Perform } from '../result.ts';

export const shutdown: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, sched.shutdown.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/shutdown-fault');
  // Only the low byte of the reason counts.
  return endSelf(cite(copied.machine, 'sched/shutdown-self'), fieldOf(copied.bytes, sched.shutdown.fields.reason) & 0xff);
};

/** The caller's domain ends for this reason once the call is over. */
export const endSelf = (machine: Machine, reason: number): HypercallResult => ({
  kind: 'reply',
  machine: { ...machine, reschedule: true },
  value: ZERO,
  ending: reason === SHUTDOWN.crash ? { kind: 'crash', why: 'guest-request' } : { kind: 'shutdown', reason },
});

export const shutdownCode: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, sched.shutdown.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/shutdown_code-fault');
  const { shutdownCode: code } = domainOf(copied.machine, caller.domid);
  if (code !== null) return done(copied.machine, 'sched/shutdown_code-kept');
  const stored = fieldOf(copied.bytes, sched.shutdown.fields.reason) & 0xff;
  return done(updateDomain(copied.machine, caller.domid, { shutdownCode: stored }), 'sched/shutdown_code-stored');
};

/** Whoever exists is found; only a privileged domain may end another, and nobody itself this way but dom0. */
export const remoteShutdown: Perform = (machine, caller, [arg]) => {
  const copied = copyFromGuest(machine, caller, arg, sched.remote_shutdown.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'sched/remote_shutdown-fault');
  const { fields } = sched.remote_shutdown;
  const domid = fieldOf(copied.bytes, fields.domain_id);
  if (!findDomain(copied.machine, domid)) return fail(copied.machine, 'ESRCH', 'sched/remote_shutdown-domain');
  if (caller.domid !== 0) return fail(copied.machine, 'EPERM', 'sched/remote_shutdown-permission');
  const reason = fieldOf(copied.bytes, fields.reason) & 0xff;
  if (domid === caller.domid) return endSelf(cite(copied.machine, 'sched/remote_shutdown-done'), reason);
  return done(shutdownDomain(copied.machine, domid, reason), 'sched/remote_shutdown-done');
};
