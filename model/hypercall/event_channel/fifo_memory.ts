/** Where a domain's FIFO event channels lie: event words and control blocks in its own pages, tails and priorities with Xen. */
import {
  EVTCHN_FIFO_PRIORITY,
  EVTCHN_FIFO_QUEUES,
  EVTCHN_FIFO_WORDS_PER_PAGE,
  evtchn_fifo_control_block,
} from '#spec/abi/event_channel.ts';
import type { VcpuRef } from '#spec/event.ts';
import { ModelBug } from '#spec/failure.ts';
import type { EvtchnFifo, FifoPort, FifoVcpu } from '../../domain.ts';
import { domainOf, setMemory, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { itemAt, NONE_NUMBERED, withItem } from '../../numbered.ts';
import { fromNumber } from '../../word/word.ts';

/** 32 bits of a guest's page. */
export type Place = { readonly mfn: number; readonly offset: number };

export const readPlace = (machine: Machine, { mfn, offset }: Place): number => read(machine.memory, mfn, offset, 4).lo >>> 0;

export const writePlace = (machine: Machine, { mfn, offset }: Place, value: number): Machine =>
  setMemory(machine, write(machine.memory, mfn, offset, 4, fromNumber(value)));

/** What Xen keeps of the domain's FIFO events, which it must have. */
export const fifoOf = (machine: Machine, domid: number): EvtchnFifo => {
  const { fifo } = domainOf(machine, domid);
  if (!fifo) throw new ModelBug(`domain ${domid} has the two-level ABI`);
  return fifo;
};

/** The port's event word; null when the event array does not reach so far. */
export const eventWord = (machine: Machine, domid: number, port: number): Place | null => {
  const mfn = fifoOf(machine, domid).eventArray[Math.floor(port / EVTCHN_FIFO_WORDS_PER_PAGE)];
  return mfn === undefined ? null : { mfn, offset: 4 * (port % EVTCHN_FIFO_WORDS_PER_PAGE) };
};

const EMPTY_VCPU: FifoVcpu = { controlBlock: null, tails: new Array<number>(EVTCHN_FIFO_QUEUES).fill(0) };

/** A domain that takes up the FIFO ABI: no control block, no page of the event array. */
export const emptyFifo = (vcpus: number): EvtchnFifo => ({ eventArray: [], vcpus: new Array<FifoVcpu>(vcpus).fill(EMPTY_VCPU) });

export const fifoVcpu = (machine: Machine, { domid, vcpu }: VcpuRef): FifoVcpu => fifoOf(machine, domid).vcpus[vcpu];

export const setFifoVcpu = (machine: Machine, { domid, vcpu }: VcpuRef, state: FifoVcpu): Machine => {
  const fifo = fifoOf(machine, domid);
  return updateDomain(machine, domid, { fifo: { ...fifo, vcpus: fifo.vcpus.with(vcpu, state) } });
};

/** `ready` of a control block, and the head of one of its queues. */
export const readyOf = ({ mfn, offset }: Place): Place => ({ mfn, offset: offset + evtchn_fifo_control_block.fields.ready.at });
export const headOf = ({ mfn, offset }: Place, priority: number): Place => ({
  mfn,
  offset: offset + evtchn_fifo_control_block.fields.head.at + 4 * priority,
});

const NEVER_BOUND: FifoPort = { priority: EVTCHN_FIFO_PRIORITY.max, kept: false };

/** What Xen remembers of a port, whether it has a channel or not. */
export const fifoPort = (machine: Machine, domid: number, port: number): FifoPort =>
  itemAt(domainOf(machine, domid).fifoPorts ?? NONE_NUMBERED, port) ?? NEVER_BOUND;

export const setFifoPort = (machine: Machine, domid: number, port: number, change: Partial<FifoPort>): Machine => {
  const known = domainOf(machine, domid).fifoPorts ?? NONE_NUMBERED;
  return updateDomain(machine, domid, { fifoPorts: withItem(known, port, { ...fifoPort(machine, domid, port), ...change }) });
};
