/** Raising a port: what the two-level ABI does with bits, upcalls and sleepers. Chapter: spec/chapters/event_channel.md, "Raising". */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { domainOf, refOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { vcpuKick, vcpuUnblock } from '../../sched/wake.ts';
import {
  clearBit,
  maskBit,
  pendingBit,
  setBit,
  setSelector,
  setUpcallPending,
  testBit,
  testSelector,
  upcallPending,
} from './shared_bits.ts';

/** Raise a port that has a channel, for vCPU number `vcpu` of its domain. */
export const raise = (machine: Machine, domid: number, port: number, vcpu: number): Machine => {
  const pending = pendingBit(machine, domid, port);
  if (testBit(machine, pending)) return cite(machine, 'evtchn/raise-again');
  return wakePollers(select(setBit(machine, pending), { domid, vcpu }, port), domid, port);
};

const select = (machine: Machine, at: VcpuRef, port: number): Machine => {
  if (testBit(machine, maskBit(machine, at.domid, port))) return cite(machine, 'evtchn/raise-masked');
  if (testSelector(machine, at, port)) return cite(machine, 'evtchn/raise-selected');
  return markEventsPending(cite(setSelector(machine, at, port), 'evtchn/raise-upcall'), at);
};

/** Make an upcall pending for a vCPU, and kick it if none was. */
export const markEventsPending = (machine: Machine, at: VcpuRef): Machine => {
  const already = (upcallPending(machine, at) & 1) === 1;
  const marked = setUpcallPending(cite(machine, 'evtchn/upcall-pending'), at);
  return already ? marked : vcpuKick(marked, at);
};

const wakePollers = (machine: Machine, domid: number, port: number): Machine =>
  domainOf(machine, domid)
    .vcpus.filter(({ poll }) => poll !== null && (poll.port <= 0 || poll.port === port))
    .reduce((before, vcpu) => vcpuUnblock(cite(before, 'evtchn/raise-poll'), refOf(vcpu)), machine);

/** Clear a port's pending bit; the selector and the upcall stay as they are. */
export const clearPending = (machine: Machine, domid: number, port: number): Machine => clearBit(machine, pendingBit(machine, domid, port));

/** Clear a port's mask bit and make up for what was signalled meanwhile. */
export const unmaskPort = (machine: Machine, at: VcpuRef, port: number): Machine => {
  const mask = maskBit(machine, at.domid, port);
  const wasMasked = testBit(machine, mask);
  const open = clearBit(machine, mask);
  const due = wasMasked && testBit(open, pendingBit(open, at.domid, port)) && !testSelector(open, at, port);
  return due ? markEventsPending(setSelector(open, at, port), at) : open;
};
