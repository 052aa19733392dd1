/** The choice of a port for a new channel. Xen's name: get_free_port. */
import type { Errno } from '#spec/abi/errno.ts';
import { EVTCHN_2L_NR_CHANNELS } from '#spec/abi/event_channel.ts';
import type { ClauseId } from '#spec/clauses.ts';
import { cite } from '../../journal.ts';
import { domainOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { firstFree } from '../../numbered.ts';
import { type Refused, refused } from './operation.ts';
import { portOps } from './port_ops.ts';
import { growPorts, validPorts } from './ports.ts';

export type Allocated = { readonly tag: 'allocated'; readonly machine: Machine; readonly port: number };

/**
 * Choose the lowest free port. The port stays free until a channel is put there; the block of ports that the choice brings to
 * life stays, whatever comes of the operation (`evtchn/port-kept_free`).
 */
export const allocatePort = (machine: Machine, domid: number): Allocated | Refused => {
  if (domainOf(machine, domid).dying) return refused(machine, 'EINVAL', 'evtchn/port-dying');
  const ops = portOps(machine, domid);
  const valid = Math.min(validPorts(machine, domid), ops.maxPorts);
  const { channels } = domainOf(machine, domid);
  let busy = machine;
  for (let port = firstFree(channels, 1); port < valid; port = firstFree(channels, port + 1)) {
    if (!ops.isBusy(machine, domid, port)) return { tag: 'allocated', machine: cite(busy, 'evtchn/port-lowest'), port };
    busy = cite(machine, 'evtchn_fifo/port-busy');
  }
  if (valid >= ops.maxPorts) return refused(busy, 'ENOSPC', 'evtchn/port-full');
  return { tag: 'allocated', machine: cite(growPorts(busy, domid), blockClause(valid)), port: valid };
};

const blockClause = (port: number): ClauseId => (port < EVTCHN_2L_NR_CHANNELS ? 'evtchn/port-block' : 'evtchn_fifo/port-limit');

/** Refuse after a port was chosen. */
export const refusedWithPort = ({ machine }: Allocated, errno: Errno, clause: ClauseId): Refused =>
  refused(cite(machine, 'evtchn/port-kept_free'), errno, clause);
