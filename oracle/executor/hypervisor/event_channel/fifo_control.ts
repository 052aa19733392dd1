/** Operations of the FIFO ABI: taking it up, adding pages to the event array, priorities; and giving it back. */
import { ERRNO } from '#spec/abi/errno.ts';
import {
  EVTCHN_FIFO_CONTROL_BLOCK,
  EVTCHN_FIFO_MAX_PAGES,
  EVTCHN_FIFO_PRIORITY,
  EVTCHN_FIFO_WORDS_PER_PAGE,
} from '#spec/abi/event_channel.ts';
import type { Domain } from '../domain.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { getPageAndType, putPageAndType } from '../mm/page_type.ts';
import type { Vcpu } from '../vcpu.ts';
import { FifoState, setPendingFifo } from './fifo.ts';
import { portIsValid } from './ports.ts';
import { isPending2l } from './two_level.ts';

const PAGE = 4096;

/** Give vCPU `id` of the caller's domain its control block; the first one switches the domain. Answers 0 or an errno. */
export const initControl = (machine: Machine, caller: Vcpu, id: number, mfn: number, offset: number): number => {
  const { domain } = caller;
  if (id >= domain.vcpus.length) return -ERRNO.ENOENT;
  if (offset > PAGE - EVTCHN_FIFO_CONTROL_BLOCK || offset % 8 !== 0) return -ERRNO.EINVAL;
  const fifo = domain.fifo ?? new FifoState(domain.vcpus.length);
  const queues = fifo.vcpus[id];
  if (queues.controlBlock !== 0) return -ERRNO.EINVAL;
  if (getPageAndType(machine, caller, mfn, PGT.writable, domain.domid) !== 0) return -ERRNO.EINVAL;
  queues.controlBlock = mfn * PAGE + offset;
  if (domain.fifo === null) {
    domain.fifo = fifo;
    takeOver(machine, domain);
  }
  return 0;
};

/** Ports that are pending in the two-level way wait for their words; all have the default priority. */
const takeOver = (machine: Machine, domain: Domain): void => {
  const ports = Math.min(domain.validPorts, domain.info.ports);
  for (let port = 1; port < ports; port++) {
    const isPending = isPending2l(machine, domain, port);
    if (!isPending && port >= domain.ports.length) continue;
    const channel = domain.portRecord(port);
    if (isPending) channel.kept = true;
    channel.priority = EVTCHN_FIFO_PRIORITY.default;
  }
};

/** Answers 0 or an errno. Ports that waited for a word in this page are raised, free ones too. */
export const expandArray = (machine: Machine, caller: Vcpu, mfn: number): number => {
  const { domain } = caller;
  const { fifo } = domain;
  if (fifo === null) return -ERRNO.EOPNOTSUPP;
  const first = fifo.array.length * EVTCHN_FIFO_WORDS_PER_PAGE;
  if (fifo.array.length >= EVTCHN_FIFO_MAX_PAGES) return -ERRNO.ENOSPC;
  if (getPageAndType(machine, caller, mfn, PGT.writable, domain.domid) !== 0) return -ERRNO.EINVAL;
  fifo.array.push(mfn);
  const end = Math.min(first + EVTCHN_FIFO_WORDS_PER_PAGE, domain.ports.length);
  for (let port = first; port < end; port++) {
    const channel = domain.ports[port];
    if (channel?.kept) setPendingFifo(machine, fifo, domain.vcpus[channel.vcpu], channel);
  }
  return 0;
};

/** Priorities exist in the FIFO ABI only. */
export const setPriority = (domain: Domain, port: number, priority: number): number => {
  if (!portIsValid(domain, port)) return -ERRNO.EINVAL;
  if (domain.fifo === null) return -ERRNO.ENOSYS;
  const channel = domain.portAt(port);
  if (channel === null) return -ERRNO.EACCES;
  if (priority > EVTCHN_FIFO_PRIORITY.min) return -ERRNO.EINVAL;
  channel.priority = priority;
  return 0;
};

/** Back to the two-level ABI: control blocks first, then the array, each page with its references. Does nothing in a domain that has it. */
export const giveBackFifo = (machine: Machine, vcpu: Vcpu, domain: Domain): void => {
  const { fifo } = domain;
  if (fifo === null) return;
  for (const { controlBlock } of fifo.vcpus) if (controlBlock !== 0) putPageAndType(machine, vcpu, Math.floor(controlBlock / PAGE));
  for (const mfn of fifo.array) putPageAndType(machine, vcpu, mfn);
  domain.fifo = null;
};
