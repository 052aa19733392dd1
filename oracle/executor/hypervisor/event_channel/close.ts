/** Closing one channel, or all of them. */

import { ERRNO } from '#spec/abi/errno.ts';
import { WORK } from '#spec/work.ts';
import type { Domain } from '../domain.ts';
import { shouldPreempt } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { ECS } from '../port.ts';
import type { Vcpu } from '../vcpu.ts';
import { giveBackFifo } from './fifo_control.ts';
import { freePort, portIsValid } from './ports.ts';
import { virqIsGlobal } from './virq.ts';

/** The reset stopped half-way and wants to be called again. */
export const RESTART = 1;
/** A reset asks for preemption at ports that are multiples of this. */
const RESET_STRIDE = 64;

/** Answers 0 or an errno. The peer of an interdomain channel waits for this domain again. */
export const closePort = (machine: Machine, domain: Domain, port: number): number => {
  if (!portIsValid(domain, port)) return -ERRNO.EINVAL;
  const channel = domain.portAt(port);
  if (!channel) return -ERRNO.EINVAL;
  if (channel.state === ECS.virq) {
    const owner = domain.vcpus[virqIsGlobal(channel.number) ? 0 : channel.vcpu];
    owner.virqPort[channel.number] = 0;
  }
  const peerDomain = channel.state === ECS.interdomain ? machine.domainById(channel.remoteDom) : undefined;
  freePort(machine, domain, channel);
  const peer = peerDomain?.portAt(channel.remotePort);
  if (peer) {
    peer.state = ECS.unbound;
    peer.remoteDom = domain.domid;
  }
  return 0;
};

/** Close every channel of a dying domain, from the last valid port down, which then are valid no more. Answers 0 or -ERESTART. */
export const closeAll = (machine: Machine, caller: Vcpu, domain: Domain): number => {
  for (let port = domain.validPorts - 1; port > 0; port--) {
    machine.work.spend(WORK.port);
    closePort(machine, domain, port);
    if (port % RESET_STRIDE === 0 && shouldPreempt(machine, caller)) {
      domain.validPorts = port;
      return -ERRNO.ERESTART;
    }
  }
  return 0;
};

/** Close every channel of a domain, the caller's own or one that is paused. Answers 0, an errno, or RESTART. */
export const resetPorts = (machine: Machine, vcpu: Vcpu, domain: Domain, resuming: boolean): number => {
  // Another domain would have to be paused by the toolstack first.
  if (domain !== vcpu.domain && domain.pauses === 0) return -ERRNO.EINVAL;
  let port = resuming ? domain.nextPortToReset : domain.nextPortToReset === 0 ? 1 : 0;
  if (port > domain.nextPortToReset) domain.nextPortToReset = port;
  if (port === 0) return -ERRNO.EBUSY;
  for (; portIsValid(domain, port) && domain.activePorts > 0; port++) {
    machine.work.spend(WORK.port);
    closePort(machine, domain, port);
    if (port % RESET_STRIDE === 0 && shouldPreempt(machine, vcpu)) {
      domain.nextPortToReset = port;
      return RESTART;
    }
  }
  domain.nextPortToReset = 0;
  giveBackFifo(machine, vcpu, domain);
  return 0;
};
