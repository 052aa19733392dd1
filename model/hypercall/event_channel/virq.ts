/** Sending virtual interrupts. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { findDomain, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { raise } from './port_ops.ts';
import { channelAt } from './ports.ts';

/** Send a VIRQ of one vCPU (TIMER, DEBUG). */
export const sendGuestVcpuVirq = (machine: Machine, at: VcpuRef, virq: number): Machine => {
  const port = vcpuOf(machine, at).virqPorts[virq];
  if (port === 0) return cite(machine, 'evtchn/virq-unbound');
  return raise(cite(machine, 'evtchn/virq-raised'), at.domid, port, at.vcpu);
};

/** Send a global VIRQ to one domain. */
export const sendGuestGlobalVirq = (machine: Machine, domid: number, virq: number): Machine => {
  const port = findDomain(machine, domid)?.vcpus[0]?.virqPorts[virq] ?? 0;
  const channel = channelOrNull(machine, domid, port);
  if (!channel) return cite(machine, 'evtchn/virq-unbound');
  return raise(cite(machine, 'evtchn/virq-raised'), domid, port, channel.vcpu);
};

/** Send a global VIRQ (CONSOLE, DOM_EXC) to the domain that handles it: domain 0, unless domctl/set_virq_handler-done. */
export const sendGlobalVirq = (machine: Machine, virq: number): Machine =>
  sendGuestGlobalVirq(machine, machine.virqHandlers?.get(virq) ?? HARDWARE_DOMAIN, virq);

/** A dying domain handles none any more. */
export const forgetHandler = (machine: Machine, domid: number): Machine => {
  if (!machine.virqHandlers) return machine;
  return { ...machine, virqHandlers: new Map([...machine.virqHandlers].filter(([, handler]) => handler !== domid)) };
};

const HARDWARE_DOMAIN = 0;
const channelOrNull = (machine: Machine, domid: number, port: number) => (port === 0 ? null : channelAt(machine, domid, port));
