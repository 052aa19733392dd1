/** The operations of the FIFO ABI, as a domain with the two-level ABI meets them. */
import { EVTCHN_FIFO_CONTROL_BLOCK, type evtchn } from '#spec/abi/event_channel.ts';
import { domainOf } from '../../lens.ts';
import { getPageAndType } from '../../page_type/references.ts';
import { notModelled } from '../not_modelled.ts';
import { type Operation, refused } from './operation.ts';
import { portIsValid } from './ports.ts';

const PAGE = 4096;

/** EVTCHNOP_init_control: Xen's checks; a call that would switch the domain to the FIFO ABI is not modelled. */
export const initControl: Operation<typeof evtchn.init_control> = (machine, caller, { control_gfn, offset, vcpu }) => {
  if (!domainOf(machine, caller.domid).vcpus[vcpu]) return refused(machine, 'ENOENT', 'evtchn/init_control-vcpu');
  if (offset > PAGE - EVTCHN_FIFO_CONTROL_BLOCK || offset % 8 !== 0) return refused(machine, 'EINVAL', 'evtchn/init_control-offset');
  if (getPageAndType(machine, caller.domid, control_gfn, 'writable').errno) return refused(machine, 'EINVAL', 'evtchn/init_control-frame');
  return { tag: 'not_modelled', result: notModelled(machine, caller, 'event_channel_op/init_control') };
};

/** EVTCHNOP_expand_array. */
export const expandArray: Operation<typeof evtchn.expand_array> = (machine) =>
  refused(machine, 'EOPNOTSUPP', 'evtchn/expand_array-two_level');

/** EVTCHNOP_set_priority. */
export const setPriority: Operation<typeof evtchn.set_priority> = (machine, { domid }, { port }) =>
  portIsValid(machine, domid, port)
    ? refused(machine, 'ENOSYS', 'evtchn/set_priority-two_level')
    : refused(machine, 'EINVAL', 'evtchn/set_priority-port');
