/** A domain's table of ports: which are valid, which are free, and the choice of a fresh one. */

import type { Errno } from '#spec/abi/errno.ts';
import { EVTCHN_2L_NR_CHANNELS, EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { Channel } from '../../domain.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { type Refused, refused } from './operation.ts';

/** Number of valid ports: the blocks that came to life so far (`evtchn/port-block`). */
export const validPorts = (machine: Machine, domid: number): number =>
  Math.max(EVTCHNS_PER_BUCKET, domainOf(machine, domid).channels.length);

export const portIsValid = (machine: Machine, domid: number, port: number): boolean => port < validPorts(machine, domid);

/** The channel at a port; null when the port is free, reserved or not valid. */
export const channelAt = (machine: Machine, domid: number, port: number): Channel | null => domainOf(machine, domid).channels[port] ?? null;

/** Put a channel at a port, or free the port. */
export const setChannel = (machine: Machine, domid: number, port: number, channel: Channel | null): Machine => {
  const channels = wholeBlocks(domainOf(machine, domid).channels, validPorts(machine, domid));
  channels[port] = channel;
  return updateDomain(machine, domid, { channels });
};

export type Allocated = { readonly tag: 'allocated'; readonly machine: Machine; readonly port: number };

/**
 * Choose the lowest free port. The port stays free until a channel is put there; the block of ports that the choice brings to
 * life stays, whatever comes of the operation (`evtchn/port-kept_free`).
 */
export const allocatePort = (machine: Machine, domid: number): Allocated | Refused => {
  const valid = validPorts(machine, domid);
  const { channels } = domainOf(machine, domid);
  for (let port = 1; port < valid; port++)
    if (!channels[port]) return { tag: 'allocated', machine: cite(machine, 'evtchn/port-lowest'), port };
  if (valid >= EVTCHN_2L_NR_CHANNELS) return refused(machine, 'ENOSPC', 'evtchn/port-full');
  const grown = updateDomain(machine, domid, { channels: wholeBlocks(channels, valid + EVTCHNS_PER_BUCKET) });
  return { tag: 'allocated', machine: cite(grown, 'evtchn/port-block'), port: valid };
};

/** Refuse after a port was chosen. */
export const refusedWithPort = ({ machine }: Allocated, errno: Errno, clause: ClauseId): Refused =>
  refused(cite(machine, 'evtchn/port-kept_free'), errno, clause);

/** A copy with free ports at its end, up to `length`. */
const wholeBlocks = (channels: readonly (Channel | null)[], length: number): (Channel | null)[] =>
  channels.length === length ? channels.slice() : [...channels, ...new Array<null>(length - channels.length).fill(null)];
