/** EVTCHNOP_alloc_unbound: a fresh port that waits for another domain. Chapter: event_channel.md, "alloc_unbound". */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { findDomain } from '../../lens.ts';
import { mayTarget, self } from '../domids.ts';
import { allocatePort, refusedWithPort } from './free_port.ts';
import { openChannel } from './open_channel.ts';
import { granted, type Operation, refused } from './operation.ts';

export const allocUnbound: Operation<typeof evtchn.alloc_unbound> = (machine, caller, { dom, remote_dom }) => {
  const owner = self(dom, caller);
  if (!findDomain(machine, owner)) return refused(machine, 'ESRCH', 'evtchn/alloc_unbound-domain');

  const fresh = allocatePort(machine, owner);
  if (fresh.tag === 'refused') return fresh;
  if (!mayTarget(caller, owner)) return refusedWithPort(fresh, 'EPERM', 'evtchn/alloc_unbound-permission');

  // DOMID_SELF is the caller here, even when the port is made in another domain.
  const remoteDom = remote_dom === DOMID.SELF ? caller.domid : remote_dom;
  const waiting = openChannel(fresh.machine, owner, fresh.port, 'alloc_unbound', { state: 'unbound', vcpu: 0, remoteDom });
  return granted(waiting, 'evtchn/alloc_unbound-allocated', { port: fresh.port });
};
