/** Operations that open a channel. Each answers the new port (positive) or an errno (negative). */

import { ERRNO } from '#spec/abi/errno.ts';
import { DOMID, NR_VIRQS } from '#spec/abi/xen.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId, isTargetOrPrivileged } from '../domids.ts';
import { pirqLimit } from '../hypercall/pirq.ts';
import type { Machine } from '../machine.ts';
import { ECS } from '../port.ts';
import { raisePort } from '../upcall.ts';
import { openPort, portIsValid, returnPort, takePort } from './ports.ts';
import { virqIsGlobal } from './virq.ts';

/** A port of `dom` that `remoteDom` may bind to. Nobody checks that the latter exists. */
export const allocUnbound = (machine: Machine, caller: Domain, dom: number, remoteDom: number): number => {
  const domain = domainByAnyId(machine, caller, dom);
  if (!domain) return -ERRNO.ESRCH;
  if (domain.dying !== null) return -ERRNO.EINVAL;
  const channel = takePort(machine, domain);
  if (!channel) return -ERRNO.ENOSPC;
  if (!isTargetOrPrivileged(caller, domain)) {
    returnPort(domain);
    return -ERRNO.EPERM;
  }
  openPort(domain, channel, ECS.unbound);
  channel.remoteDom = remoteDom === DOMID.SELF ? caller.domid : remoteDom;
  return channel.port;
};

/** Join a fresh port of the caller with a port that waits for it. The new port is raised at once: the other side may have sent already. */
export const bindInterdomain = (machine: Machine, caller: Domain, remoteDom: number, remotePort: number): number => {
  const remote = domainByAnyId(machine, caller, remoteDom);
  if (!remote) return -ERRNO.ESRCH;
  const local = takePort(machine, caller);
  if (!local) return -ERRNO.ENOSPC;
  const peer = portIsValid(remote, remotePort) ? remote.portAt(remotePort) : null;
  if (!peer || peer.state !== ECS.unbound || peer.remoteDom !== caller.domid) {
    returnPort(caller);
    return -ERRNO.EINVAL;
  }
  openPort(caller, local, ECS.interdomain);
  local.remoteDom = remote.domid;
  local.remotePort = remotePort;
  peer.state = ECS.interdomain;
  peer.remoteDom = caller.domid;
  peer.remotePort = local.port;
  raisePort(machine, caller, local.port);
  return local.port;
};

/** `virq` and `vcpu` are signed, as Xen takes them. */
export const bindVirq = (machine: Machine, caller: Domain, virq: number, vcpu: number): number => {
  if (virq < 0 || virq >= NR_VIRQS) return -ERRNO.EINVAL;
  if (virqIsGlobal(virq) && vcpu !== 0) return -ERRNO.EINVAL;
  if (vcpu < 0 || vcpu >= caller.vcpus.length) return -ERRNO.ENOENT;
  const { virqPort } = caller.vcpus[vcpu];
  if (virqPort[virq] !== 0) return -ERRNO.EEXIST;
  const channel = takePort(machine, caller);
  if (!channel) return -ERRNO.ENOSPC;
  openPort(caller, channel, ECS.virq);
  channel.vcpu = vcpu;
  channel.number = virq;
  virqPort[virq] = channel.port;
  return channel.port;
};

export const bindIpi = (machine: Machine, caller: Domain, vcpu: number): number => {
  if (vcpu >= caller.vcpus.length) return -ERRNO.ENOENT;
  const channel = takePort(machine, caller);
  if (!channel) return -ERRNO.ENOSPC;
  openPort(caller, channel, ECS.ipi);
  channel.vcpu = vcpu;
  return channel.port;
};

/** No domain of the slice has a physical interrupt mapped, so that none may be bound. */
export const bindPirq = (caller: Domain, pirq: number): number => (pirq >= pirqLimit(caller) ? -ERRNO.EINVAL : -ERRNO.EPERM);
