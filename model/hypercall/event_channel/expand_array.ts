/** EVTCHNOP_expand_array: a further page of event words. */
import { EVTCHN_FIFO_MAX_PAGES, EVTCHN_FIFO_WORDS_PER_PAGE, type evtchn } from '#spec/abi/event_channel.ts';
import { cite } from '../../journal.ts';
import { domainOf, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { getPageAndType } from '../../page_type/references.ts';
import { fifoPort } from './fifo_memory.ts';
import { granted, type Operation, refused } from './operation.ts';
import { raise } from './port_ops.ts';
import { channelAt, validPorts } from './ports.ts';

export const expandArray: Operation<typeof evtchn.expand_array> = (machine, { domid }, { array_gfn }) => {
  const { fifo } = domainOf(machine, domid);
  if (!fifo) return refused(machine, 'EOPNOTSUPP', 'evtchn/expand_array-two_level');
  const page = fifo.eventArray.length;
  if (page >= EVTCHN_FIFO_MAX_PAGES) return refused(machine, 'ENOSPC', 'evtchn_fifo/expand_array-full');
  const taken = getPageAndType(machine, domid, array_gfn, 'writable');
  if (taken.errno) return refused(taken.machine, 'EINVAL', 'evtchn_fifo/expand_array-frame');

  const longer = updateDomain(taken.machine, domid, { fifo: { ...fifo, eventArray: [...fifo.eventArray, array_gfn] } });
  return granted(raiseKept(longer, domid, page * EVTCHN_FIFO_WORDS_PER_PAGE), 'evtchn_fifo/expand_array-added');
};

/** Raise what was signalled while there was no page for it. Whether a port still has a channel is not asked. */
const raiseKept = (machine: Machine, domid: number, first: number): Machine => {
  const end = Math.min(first + EVTCHN_FIFO_WORDS_PER_PAGE, validPorts(machine, domid));
  let raised = machine;
  for (let port = first; port < end; port++) {
    if (!fifoPort(machine, domid, port).kept) continue;
    const notified = channelAt(machine, domid, port)?.vcpu ?? 0;
    raised = raise(cite(raised, 'evtchn_fifo/expand_array-raised'), domid, port, notified);
  }
  return raised;
};
