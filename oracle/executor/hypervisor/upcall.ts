/** Raising event channels, by the ABI that a domain has: two-level or FIFO. */

import type { Domain } from './domain.ts';
import { clearPendingFifo, isPendingFifo, setPendingFifo, unmaskFifo } from './event_channel/fifo.ts';
import { clearPending2l, isPending2l, setPending2l, unmask2l } from './event_channel/two_level.ts';
import type { Machine } from './machine.ts';
import type { Port } from './port.ts';
import type { Vcpu } from './vcpu.ts';

/** Raise a port, which is in use, on `vcpu`. */
const setPending = (machine: Machine, vcpu: Vcpu, port: number): void => {
  const { domain } = vcpu;
  if (domain.fifo === null) setPending2l(machine, vcpu, port);
  else setPendingFifo(machine, domain.fifo, vcpu, domain.portRecord(port));
};

/** Raise a port of a domain on the vCPU it notifies. A port that is not in use stays silent. */
export const raisePort = (machine: Machine, domain: Domain, port: number): void => {
  const found = domain.portAt(port);
  if (found) setPending(machine, domain.vcpus[found.vcpu], port);
};

export const clearPending = (machine: Machine, domain: Domain, port: number): void => {
  if (domain.fifo === null) clearPending2l(machine, domain, port);
  else clearPendingFifo(machine, domain.fifo, port);
};

export const isPending = (machine: Machine, domain: Domain, port: number): boolean =>
  domain.fifo === null ? isPending2l(machine, domain, port) : isPendingFifo(machine, domain.fifo, port);

/** EVTCHNOP_unmask's work on a port in use. */
export const unmaskPort = (machine: Machine, domain: Domain, channel: Port): void => {
  if (domain.fifo === null) unmask2l(machine, domain.vcpus[channel.vcpu], channel.port);
  else unmaskFifo(machine, domain.fifo, domain, channel);
};

/** A virtual interrupt of one vCPU (VIRQ_TIMER, …); dropped when it is not bound. */
export const sendGuestVcpuVirq = (machine: Machine, vcpu: Vcpu, virq: number): void => {
  const port = vcpu.virqPort[virq];
  if (port !== 0) setPending(machine, vcpu, port);
};

/** To the domain that domain 0 has named for it, else to domain 0. */
export const sendGlobalVirq = (machine: Machine, virq: number): void => {
  const handler = machine.virqHandlers.get(virq) ?? machine.domainById(0);
  if (handler) sendGuestGlobalVirq(machine, handler, virq);
};

/** A virtual interrupt of a whole domain (VIRQ_CONSOLE, …), which lives on vCPU 0's table; dropped when it is not bound. */
const sendGuestGlobalVirq = (machine: Machine, domain: Domain, virq: number): void => {
  const port = domain.vcpus[0].virqPort[virq];
  if (port !== 0) raisePort(machine, domain, port);
};
