/** Telling vCPUs that a port was raised: the upcall, and those that poll. Both ABIs end here. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { domainOf, refOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { vcpuKick, vcpuUnblock } from '../../sched/wake.ts';
import { setUpcallPending, upcallPending } from './shared_bits.ts';

/** Make an upcall pending for a vCPU, and kick it if none was. */
export const markEventsPending = (machine: Machine, at: VcpuRef): Machine => {
  const already = (upcallPending(machine, at) & 1) === 1;
  const marked = setUpcallPending(cite(machine, 'evtchn/upcall-pending'), at);
  return already ? marked : vcpuKick(marked, at);
};

/** Wake each vCPU that polls for the port, or for several; the clause is the ABI's. */
export const wakePollers = (
  machine: Machine,
  domid: number,
  port: number,
  clause: 'evtchn/raise-poll' | 'evtchn_fifo/raise-poll',
): Machine =>
  domainOf(machine, domid)
    .vcpus.filter(({ poll }) => poll !== null && (poll.port <= 0 || poll.port === port))
    .reduce((before, vcpu) => vcpuUnblock(cite(before, clause), refOf(vcpu)), machine);
