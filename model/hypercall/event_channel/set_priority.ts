/** EVTCHNOP_set_priority: the queue into which a port goes from now on. */
import { EVTCHN_FIFO_PRIORITY, type evtchn } from '#spec/abi/event_channel.ts';
import { domainOf } from '../../lens.ts';
import { setFifoPort } from './fifo_memory.ts';
import { stepOn } from './lifecycle.ts';
import { granted, type Operation, refused } from './operation.ts';
import { channelAt, portIsValid } from './ports.ts';

export const setPriority: Operation<typeof evtchn.set_priority> = (machine, { domid }, { port, priority }) => {
  if (!portIsValid(machine, domid, port)) return refused(machine, 'EINVAL', 'evtchn/set_priority-port');
  if (!domainOf(machine, domid).fifo) return refused(machine, 'ENOSYS', 'evtchn/set_priority-two_level');
  const step = stepOn('set_priority', channelAt(machine, domid, port));
  if ('errno' in step) return refused(machine, step.errno, step.clause);
  if (priority > EVTCHN_FIFO_PRIORITY.min) return refused(machine, 'EINVAL', 'evtchn_fifo/set_priority-range');
  return granted(setFifoPort(machine, domid, port, { priority }), step.clause);
};
