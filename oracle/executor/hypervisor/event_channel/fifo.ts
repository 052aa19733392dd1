/** The FIFO ABI: event words in pages of the guest, queues that lead from word to word, and what Xen keeps beside them. */
import {
  EVTCHN_FIFO_BIT,
  EVTCHN_FIFO_LINK_MASK,
  EVTCHN_FIFO_QUEUES,
  EVTCHN_FIFO_WORDS_PER_PAGE,
  evtchn_fifo_control_block,
} from '#spec/abi/event_channel.ts';
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import type { Port } from '../port.ts';
import type { Vcpu } from '../vcpu.ts';
import { markEventsPending, wakePollers } from './wake.ts';

const PENDING = 1 << EVTCHN_FIFO_BIT.pending;
const MASKED = 1 << EVTCHN_FIFO_BIT.masked;
const LINKED = 1 << EVTCHN_FIFO_BIT.linked;
const BUSY = 1 << EVTCHN_FIFO_BIT.busy;
const { ready, head } = evtchn_fifo_control_block.fields;
/** Machine address of a word that is in no page. */
const NOWHERE = -1;

/** Queues of one vCPU: its control block (machine address, 0 for none) and the last port of each queue (0 for none). */
export class FifoVcpu {
  controlBlock = 0;
  readonly tails = new Int32Array(EVTCHN_FIFO_QUEUES);
}

/** What a domain has while the FIFO ABI is on: frames of the event array, and the queues of each vCPU. */
export class FifoState {
  readonly array: number[] = [];
  readonly vcpus: FifoVcpu[];

  constructor(vcpus: number) {
    this.vcpus = Array.from({ length: vcpus }, () => new FifoVcpu());
  }
}

const wordOf = (fifo: FifoState, port: number): number => {
  const page = Math.floor(port / EVTCHN_FIFO_WORDS_PER_PAGE);
  return page < fifo.array.length ? fifo.array[page] * 4096 + (port % EVTCHN_FIFO_WORDS_PER_PAGE) * 4 : NOWHERE;
};

const get = (machine: Machine, at: number): number => machine.memory.read32(at) | 0;
const put = (machine: Machine, at: number, value: number): void => machine.memory.write32(at, value >>> 0);

const has = (machine: Machine, fifo: FifoState, port: number, bit: number): boolean => {
  const at = wordOf(fifo, port);
  return at !== NOWHERE && (get(machine, at) & bit) !== 0;
};

export const isPendingFifo = (machine: Machine, fifo: FifoState, port: number): boolean => has(machine, fifo, port, PENDING);

/** A guest that has not taken the port out of its queue keeps a new channel from using it. */
export const isBusyFifo = (machine: Machine, fifo: FifoState, port: number): boolean => has(machine, fifo, port, LINKED);

/** Raise `channel`, in use or not, on `vcpu` of a domain that has the ABI. */
export const setPendingFifo = (machine: Machine, fifo: FifoState, vcpu: Vcpu, channel: Port): void => {
  const { port } = channel;
  const at = wordOf(fifo, port);
  if (at === NOWHERE) {
    channel.kept = true;
    return;
  }
  const { controlBlock } = fifo.vcpus[vcpu.id];
  const before = get(machine, at);
  const isNew = (before & PENDING) === 0;
  if (controlBlock === 0) {
    if (machine.ways['evtchn_fifo-no_control_block'] === 'lost' || !isNew) return;
    put(machine, at, before | PENDING);
    wakePollers(machine, vcpu.domain, port);
    return;
  }
  const links = (before & (MASKED | LINKED)) === 0;
  if (isNew || links) put(machine, at, before | PENDING | (links ? LINKED : 0));
  if (links && enqueue(machine, fifo, vcpu.id, channel)) {
    const old = get(machine, controlBlock + ready.at);
    const bit = 1 << channel.priority;
    if ((old & bit) === 0) {
      put(machine, controlBlock + ready.at, old | bit);
      markEventsPending(machine, vcpu);
    }
  }
  if (isNew) wakePollers(machine, vcpu.domain, port);
};

/** Put a port, whose word is LINKED by now, at the end of its queue; true when the queue was empty. */
const enqueue = (machine: Machine, fifo: FifoState, vcpu: number, channel: Port): boolean => {
  const { port, priority } = channel;
  const last = fifo.vcpus[channel.lastVcpu].tails;
  if (last[channel.lastPriority] === port) last[channel.lastPriority] = 0;
  channel.lastVcpu = vcpu;
  channel.lastPriority = priority;
  const { tails, controlBlock } = fifo.vcpus[vcpu];
  const tail = tails[priority];
  tails[priority] = port;
  const at = tail === 0 ? NOWHERE : wordOf(fifo, tail);
  const word = at === NOWHERE ? 0 : get(machine, at);
  if ((word & LINKED) !== 0) {
    put(machine, at, (word & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | port);
    return false;
  }
  put(machine, controlBlock + head.at + 4 * priority, port);
  return true;
};

export const clearPendingFifo = (machine: Machine, fifo: FifoState, port: number): void => {
  const at = wordOf(fifo, port);
  if (at !== NOWHERE) put(machine, at, get(machine, at) & ~PENDING);
};

/** A pending port is raised again: it may have been raised while it was masked. */
export const unmaskFifo = (machine: Machine, fifo: FifoState, domain: Domain, channel: Port): void => {
  const at = wordOf(fifo, channel.port);
  if (at === NOWHERE) return;
  const word = get(machine, at) & ~MASKED;
  put(machine, at, word);
  if ((word & PENDING) !== 0) setPendingFifo(machine, fifo, domain.vcpus[channel.vcpu], channel);
};
