/** A domain's table of ports: which are valid, and which channel is at each. */
import { EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import type { Channel } from '../../domain.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { itemAt, withItem } from '../../numbered.ts';

/** Number of valid ports: the blocks that came to life so far (`evtchn/port-block`). */
export const validPorts = (machine: Machine, domid: number): number => Math.max(EVTCHNS_PER_BUCKET, domainOf(machine, domid).validPorts);

export const portIsValid = (machine: Machine, domid: number, port: number): boolean => port < validPorts(machine, domid);

/** The channel at a port; null when the port is free, reserved or not valid. */
export const channelAt = (machine: Machine, domid: number, port: number): Channel | null => itemAt(domainOf(machine, domid).channels, port);

/** Put a channel at a port, or free the port. */
export const setChannel = (machine: Machine, domid: number, port: number, channel: Channel | null): Machine => {
  const channels = withItem(domainOf(machine, domid).channels, port, channel);
  return updateDomain(machine, domid, { channels, validPorts: validPorts(machine, domid) });
};

/** Bring the next block of ports to life. */
export const growPorts = (machine: Machine, domid: number): Machine =>
  updateDomain(machine, domid, { validPorts: validPorts(machine, domid) + EVTCHNS_PER_BUCKET });
