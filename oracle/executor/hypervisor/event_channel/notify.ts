/** Operations on an open channel: send, unmask, and whom it notifies. Each answers 0 or an errno. */
import { ERRNO } from '#spec/abi/errno.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { ECS } from '../port.ts';
import { raisePort, unmaskPort } from '../upcall.ts';
import { portIsValid } from './ports.ts';
import { virqIsGlobal } from './virq.ts';

/** An unbound channel swallows the event. */
export const sendPort = (machine: Machine, domain: Domain, port: number): number => {
  const channel = portIsValid(domain, port) ? domain.portAt(port) : null;
  if (!channel) return -ERRNO.EINVAL;
  if (channel.state === ECS.unbound) return 0;
  if (channel.state === ECS.ipi) {
    raisePort(machine, domain, port);
    return 0;
  }
  if (channel.state !== ECS.interdomain) return -ERRNO.EINVAL;
  raisePort(machine, machine.domainById(channel.remoteDom)!, channel.remotePort);
  return 0;
};

/** A valid port without a channel is accepted and left alone. */
export const unmask = (machine: Machine, domain: Domain, port: number): number => {
  if (!portIsValid(domain, port)) return -ERRNO.EINVAL;
  const channel = domain.portAt(port);
  if (channel) unmaskPort(machine, domain, channel);
  return 0;
};

/** Only channels whose events belong to no particular vCPU can be moved. */
export const bindVcpu = (domain: Domain, port: number, vcpu: number): number => {
  if (vcpu >= domain.vcpus.length) return -ERRNO.ENOENT;
  const channel = portIsValid(domain, port) ? domain.portAt(port) : null;
  if (!channel) return -ERRNO.EINVAL;
  const movable =
    channel.state === ECS.unbound || channel.state === ECS.interdomain || (channel.state === ECS.virq && virqIsGlobal(channel.number));
  if (!movable) return -ERRNO.EINVAL;
  channel.vcpu = vcpu;
  return 0;
};
