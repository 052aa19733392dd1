/** The table of a domain's ports: which are valid, which are free. */
import { EVTCHN_FIFO_NR_CHANNELS, EVTCHN_FIFO_PRIORITY, EVTCHNS_PER_BUCKET } from '#spec/abi/event_channel.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import { ECS, type Port } from '../port.ts';
import { clearPending } from '../upcall.ts';
import { isBusyFifo } from './fifo.ts';

/** Whether the number lies in a block of ports that has come to life. Port 0 does: it is reserved. */
export const portIsValid = (domain: Domain, port: number): boolean => port < domain.validPorts;

/**
 * Take the lowest free port, in a state to be chosen by the caller; null when there is none (-ENOSPC). Under the FIFO ABI ports that the guest
 * still has in a queue are passed over, unless their block has only just come to life.
 */
export const takePort = (machine: Machine, domain: Domain): Port | null => {
  const { fifo } = domain;
  const limit = fifo === null ? domain.info.ports : EVTCHN_FIFO_NR_CHANNELS;
  for (let port = domain.usedPorts.lowest(0); port < limit; port = domain.usedPorts.lowest(port + 1)) {
    if (domain.portAt(port) !== null) {
      domain.usedPorts.note(port);
      continue;
    }
    if (port >= domain.validPorts) domain.validPorts += EVTCHNS_PER_BUCKET;
    else if (fifo !== null && isBusyFifo(machine, fifo, port)) continue;
    domain.activePorts++;
    return domain.portRecord(port);
  }
  return null;
};

/** A port becomes a channel; under the FIFO ABI one of default priority. */
export const openPort = (domain: Domain, channel: Port, state: number): void => {
  channel.state = state;
  if (domain.fifo !== null) channel.priority = EVTCHN_FIFO_PRIORITY.default;
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
  domain.usedPorts.forget(channel.port);
  domain.activePorts--;
};
