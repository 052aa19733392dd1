/** What the two ABIs do differently. Xen's name: evtchn_port_ops. */
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { EVTCHN_PORT_OPS_2L, EVTCHN_PORT_OPS_2L_COMPAT } from './event_2l.ts';
import { EVTCHN_PORT_OPS_FIFO } from './event_fifo.ts';

export type EvtchnPortOps = {
  /** Ports are below this. */
  readonly maxPorts: number;
  /** A new channel is put at the port. */
  readonly init: (machine: Machine, domid: number, port: number) => Machine;
  /** Raise the port, which has a channel, for a vCPU of its domain. */
  readonly setPending: (machine: Machine, at: VcpuRef, port: number) => Machine;
  readonly clearPending: (machine: Machine, domid: number, port: number) => Machine;
  /** Unmask the port, and tell the vCPU that it notifies what was signalled meanwhile. */
  readonly unmask: (machine: Machine, at: VcpuRef, port: number) => Machine;
  /** The clause that says so. */
  readonly unmasked: ClauseId;
  readonly isPending: (machine: Machine, domid: number, port: number) => boolean;
  /** The clause by which a poll finds it so. */
  readonly ready: ClauseId;
  /** The port is free, and yet no new channel may be put there. */
  readonly isBusy: (machine: Machine, domid: number, port: number) => boolean;
};

/** The operations of the ABI that the domain has. */
export const portOps = (machine: Machine, domid: number): EvtchnPortOps => {
  const { fifo, pv32 } = domainOf(machine, domid);
  if (fifo) return EVTCHN_PORT_OPS_FIFO;
  return pv32 ? EVTCHN_PORT_OPS_2L_COMPAT : EVTCHN_PORT_OPS_2L;
};

/** Raise a port that has a channel, for vCPU number `vcpu` of its domain. */
export const raise = (machine: Machine, domid: number, port: number, vcpu: number): Machine =>
  portOps(machine, domid).setPending(machine, { domid, vcpu }, port);
