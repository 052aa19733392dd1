/** The table of a domain's ports: which are valid, which are free. */
import { EVTCHN_2L_NR_CHANNELS, EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { ECS, type Port } from '../port.ts';
import { clearPending } from '../upcall.ts';

/** Whether the number lies in a block of ports that has come to life. Port 0 does: it is reserved. */
export const portIsValid = (domain: Domain, port: number): boolean => port < domain.validPorts;

/** Take the lowest free port, in a state to be chosen by the caller; null when all are in use (-ENOSPC). */
export const takePort = (domain: Domain): Port | null => {
  for (let port = domain.usedPorts; port < EVTCHN_2L_NR_CHANNELS; port++) {
    if (domain.portAt(port) !== null) continue;
    domain.usedPorts = port;
    if (port >= domain.validPorts) domain.validPorts += EVTCHNS_PER_BUCKET;
    domain.activePorts++;
    return domain.portRecord(port);
  }
  domain.usedPorts = EVTCHN_2L_NR_CHANNELS;
  return null;
};

/** Give back a port that `takePort` found, because the operation failed before it became a channel. */
export const returnPort = (domain: Domain): void => {
  domain.activePorts--;
};

/** End a channel: its pending bit goes, so that the next one on this port starts clean. */
export const freePort = (machine: Machine, domain: Domain, channel: Port): void => {
  clearPending(machine, domain, channel.port);
  channel.state = ECS.free;
  channel.vcpu = 0;
  domain.usedPorts = Math.min(domain.usedPorts, channel.port);
  domain.activePorts--;
};
