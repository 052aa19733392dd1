/** EVTCHNOP_reset and EVTCHNOP_reset_cont: close every channel of a domain. */
import type { evtchn } from '#spec/abi/event_channel.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { putPageAndType } from '../../page_type/references.ts';
import { spend } from '../../work.ts';
import { mayTarget, self } from '../domids.ts';
import type { Fields } from '../guest_struct.ts';
import { preemptCheck } from '../preempt.ts';
import { closeChannel } from './close.ts';
import { type Granted, granted, type Operation, type Preempted, type Refused, refused } from './operation.ts';
import { channelAt, portIsValid } from './ports.ts';

type Reset = typeof evtchn.reset;

export const reset: Operation<Reset> = (machine, caller, fields) => resetDomain(machine, caller, fields, false);
/** The way in which Xen goes on with a reset that it had to interrupt. */
export const resetCont: Operation<Reset> = (machine, caller, fields) => resetDomain(machine, caller, fields, true);

const resetDomain = (
  machine: Machine,
  caller: VcpuRef,
  { dom }: Fields<Reset>,
  resuming: boolean,
): Refused | Granted<Reset> | Preempted => {
  const domid = self(dom, caller);
  const domain = findDomain(machine, domid);
  if (!domain) return refused(machine, 'ESRCH', 'evtchn/reset-domain');
  if (!mayTarget(caller, domid)) return refused(machine, 'EPERM', 'evtchn/reset-permission');
  if (domid !== caller.domid && !domain.pauses) return refused(machine, 'EINVAL', 'evtchn/reset-paused');

  const interruptedAt = domain.resettingPort ?? 0;
  if (resuming !== interruptedAt > 0) return refused(machine, 'EBUSY', 'evtchn/reset-busy');
  return closeFrom(machine, caller, domid, resuming ? interruptedAt : 1);
};

const BETWEEN_CHECKS = 64;

const closeFrom = (machine: Machine, caller: VcpuRef, domid: number, first: number): Granted<Reset> | Preempted => {
  let after = machine;
  for (let port = first; portIsValid(after, domid, port) && hasChannels(after, domid); port++) {
    spend(after, 'port');
    const channel = channelAt(after, domid, port);
    if (channel) after = closeChannel(after, domid, port, channel);
    if (port % BETWEEN_CHECKS !== 0) continue;
    const asked = preemptCheck(after, caller);
    after = asked.machine;
    if (asked.stop) {
      const noted = updateDomain(after, domid, { resettingPort: port });
      return { tag: 'preempted', machine: noted, clause: 'evtchn/reset-preempted', cmd: 'reset_cont' };
    }
  }
  return granted(backToTwoLevel(updateDomain(after, domid, { resettingPort: 0 }), domid), 'evtchn/reset-done');
};

/** Give the pages of the FIFO ABI back, if the domain has it. */
export const backToTwoLevel = (machine: Machine, domid: number): Machine => {
  const { fifo } = domainOf(machine, domid);
  if (!fifo) return machine;
  const blocks = fifo.vcpus.flatMap(({ controlBlock }) => (controlBlock ? [controlBlock.mfn] : []));
  const plain = updateDomain(cite(machine, 'evtchn_fifo/reset-two_level'), domid, { fifo: null });
  return [...blocks, ...fifo.eventArray].reduce(putPageAndType, plain);
};

const hasChannels = (machine: Machine, domid: number): boolean =>
  domainOf(machine, domid).channels.some((block) => block !== null && block.used > 0);
