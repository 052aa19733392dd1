/** The FIFO ABI: raised ports are linked into queues, one for each vCPU and priority. Chapter: spec/chapters/event_fifo.md. */
import { EVTCHN_FIFO_NR_CHANNELS, EVTCHN_FIFO_PRIORITY } from '#spec/abi/event_channel.ts';
import type { VcpuRef } from '#spec/event.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { cite } from '../../journal.ts';
import { updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { EVENT_RULES, type EventState, eventState, withEventState, withLink } from './event_word.ts';
import {
  eventWord,
  fifoOf,
  fifoPort,
  fifoVcpu,
  headOf,
  type Place,
  readPlace,
  readyOf,
  setFifoPort,
  setFifoVcpu,
  writePlace,
} from './fifo_memory.ts';
import type { EvtchnPortOps } from './port_ops.ts';
import { markEventsPending, wakePollers } from './wake.ts';

/** Raise a port for a vCPU. Also what a kept port without a channel gets when its page comes. */
export const setPending = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const word = eventWord(machine, at.domid, port);
  if (!word) return setFifoPort(cite(machine, 'evtchn_fifo/raise-no_word'), at.domid, port, { kept: true });
  const { controlBlock } = fifoVcpu(machine, at);
  const before = eventState(readPlace(machine, word));
  if (!controlBlock) return raiseNowhere(cite(machine, 'evtchn_fifo/raise-no_control_block'), at.domid, port, word);

  const after = EVENT_RULES.raise(before);
  const signalled = setEventState(cite(machine, 'evtchn_fifo/raise-pending'), word, after);
  const queued = before.linked === after.linked ? cite(signalled, whyNotLinked(before)) : enqueue(signalled, at, controlBlock, port);
  return before.pending ? queued : wakePollers(queued, at.domid, port, 'evtchn_fifo/raise-poll');
};

/** No queue takes the port. */
const raiseNowhere = (machine: Machine, domid: number, port: number, word: Place): Machine => {
  const before = eventState(readPlace(machine, word));
  if (waysOf(machine.config.release)['evtchn_fifo-no_control_block'] === 'lost' || before.pending) return machine;
  return wakePollers(setEventState(machine, word, { ...before, pending: true }), domid, port, 'evtchn_fifo/raise-poll');
};

const whyNotLinked = ({ masked }: EventState) => (masked ? 'evtchn_fifo/raise-masked' : 'evtchn_fifo/raise-linked');

const setEventState = (machine: Machine, word: Place, state: EventState): Machine =>
  writePlace(machine, word, withEventState(readPlace(machine, word), state));

/** Put a port at the end of the queue of its priority; the first one in a queue makes it ready. */
const enqueue = (machine: Machine, at: VcpuRef, controlBlock: Place, port: number): Machine => {
  const { priority } = fifoPort(machine, at.domid, port);
  const known = forgetTail(machine, at.domid, port);
  const linked = linkBehindTail(known, at, priority, port);
  const tailed = setTail(
    linked ?? writePlace(cite(known, 'evtchn_fifo/raise-head'), headOf(controlBlock, priority), port),
    at,
    priority,
    port,
  );
  return linked ? tailed : makeReady(tailed, at, readyOf(controlBlock), 2 ** priority);
};

/** A port that is linked anew was taken out by the guest: the queue whose tail it is, if any, is empty. It is the tail of one at most. */
const forgetTail = (machine: Machine, domid: number, port: number): Machine => {
  const fifo = fifoOf(machine, domid);
  if (!fifo.vcpus.some(({ tails }) => tails.includes(port))) return machine;
  const vcpus = fifo.vcpus.map((vcpu) => ({ ...vcpu, tails: vcpu.tails.map((tail) => (tail === port ? 0 : tail)) }));
  return updateDomain(cite(machine, 'evtchn_fifo/raise-tail_forgotten'), domid, { fifo: { ...fifo, vcpus } });
};

/** Let the queue's last port name this one; null when the queue is empty. */
const linkBehindTail = (machine: Machine, at: VcpuRef, priority: number, port: number): Machine | null => {
  const tail = fifoVcpu(machine, at).tails[priority];
  const word = tail === 0 ? null : eventWord(machine, at.domid, tail);
  if (!word || !eventState(readPlace(machine, word)).linked) return null;
  return writePlace(cite(machine, 'evtchn_fifo/raise-behind_tail'), word, withLink(readPlace(machine, word), port));
};

const setTail = (machine: Machine, at: VcpuRef, priority: number, port: number): Machine => {
  const queues = fifoVcpu(machine, at);
  return setFifoVcpu(machine, at, { ...queues, tails: queues.tails.with(priority, port) });
};

const makeReady = (machine: Machine, at: VcpuRef, ready: Place, queue: number): Machine => {
  const bits = readPlace(machine, ready);
  const told = cite(writePlace(machine, ready, (bits | queue) >>> 0), 'evtchn_fifo/raise-ready');
  return (bits & queue) === 0 ? markEventsPending(told, at) : told;
};

/** Clear MASKED, and raise what is pending by the rules for any other raise. */
const unmask = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const word = eventWord(machine, at.domid, port);
  if (!word) return machine;
  const before = eventState(readPlace(machine, word));
  const open = setEventState(machine, word, EVENT_RULES.unmask(before));
  return before.pending ? setPending(open, at, port) : open;
};

/** What a port's event word says; null when it has none. */
const eventOf = (machine: Machine, domid: number, port: number): EventState | null => {
  const word = eventWord(machine, domid, port);
  return word && eventState(readPlace(machine, word));
};

export const EVTCHN_PORT_OPS_FIFO: EvtchnPortOps = {
  maxPorts: EVTCHN_FIFO_NR_CHANNELS,
  init: (machine, domid, port) =>
    setFifoPort(cite(machine, 'evtchn_fifo/port-priority'), domid, port, { priority: EVTCHN_FIFO_PRIORITY.default }),
  setPending,
  clearPending: (machine, domid, port) => {
    const word = eventWord(machine, domid, port);
    return word
      ? setEventState(cite(machine, 'evtchn_fifo/close-pending'), word, EVENT_RULES.close(eventState(readPlace(machine, word))))
      : machine;
  },
  unmask,
  unmasked: 'evtchn_fifo/unmask-unmasked',
  isPending: (machine, domid, port) => eventOf(machine, domid, port)?.pending ?? false,
  ready: 'evtchn_fifo/poll-pending',
  isBusy: (machine, domid, port) => eventOf(machine, domid, port)?.linked ?? false,
};
