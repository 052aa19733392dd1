/** EVTCHNOP_bind_interdomain: join a fresh local port to a remote port that waits for the caller. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import { findDomain } from '../../lens.ts';
import { self } from '../domids.ts';
import { allocatePort, refusedWithPort } from './free_port.ts';
import { changeChannel } from './lifecycle.ts';
import { openChannel } from './open_channel.ts';
import { granted, type Operation, refused } from './operation.ts';
import { raise } from './port_ops.ts';
import { channelAt, portIsValid } from './ports.ts';

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
  const near = openChannel(local.machine, caller.domid, local.port, 'bind_interdomain', {
    state: 'interdomain',
    vcpu: 0,
    remoteDom: remote,
    remotePort: remote_port,
  });
  const both = changeChannel(near, remote, remote_port, 'peer_binds', {
    state: 'interdomain',
    vcpu: peer.vcpu,
    remoteDom: caller.domid,
    remotePort: local.port,
  });
  return granted(raise(both, caller.domid, local.port, 0), 'evtchn/bind_interdomain-bound', { local_port: local.port });
};
