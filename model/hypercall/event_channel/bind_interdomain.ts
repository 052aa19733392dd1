/** EVTCHNOP_bind_interdomain: join a fresh local port to a remote port that waits for the caller. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { findDomain } from '../../lens.ts';
import { self } from '../domids.ts';
import { granted, type Operation, refused } from './operation.ts';
import { allocatePort, channelAt, portIsValid, refusedWithPort, setChannel } from './ports.ts';
import { raise } from './raise.ts';

export const bindInterdomain: Operation<typeof evtchn.bind_interdomain> = (machine, caller, { remote_dom, remote_port }) => {
  const remote = self(remote_dom, caller);
  if (!findDomain(machine, remote)) return refused(machine, 'ESRCH', 'evtchn/bind_interdomain-domain');

  const local = allocatePort(machine, caller.domid);
  if (local.tag === 'refused') return local;

  if (!portIsValid(local.machine, remote, remote_port)) return refusedWithPort(local, 'EINVAL', 'evtchn/bind_interdomain-port');
  const peer = channelAt(local.machine, remote, remote_port);
  if (peer?.state !== 'unbound' || peer.remoteDom !== caller.domid)
    return refusedWithPort(local, 'EINVAL', 'evtchn/bind_interdomain-unbound');

  // Each end names the other. The local end is raised at once, because a notification sent while unbound was lost.
  const near = setChannel(local.machine, caller.domid, local.port, {
    state: 'interdomain',
    vcpu: 0,
    remoteDom: remote,
    remotePort: remote_port,
  });
  const both = setChannel(near, remote, remote_port, {
    state: 'interdomain',
    vcpu: peer.vcpu,
    remoteDom: caller.domid,
    remotePort: local.port,
  });
  return granted(raise(both, caller.domid, local.port, 0), 'evtchn/bind_interdomain-bound', { local_port: local.port });
};
