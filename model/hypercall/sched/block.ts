/** SCHEDOP_yield and SCHEDOP_block. */
import { cite } from '../../journal.ts';
import { updateVcpu } from '../../lens.ts';
import { eventsNeedDelivery, setVcpuInfo } from '../../vcpu_info.ts';
import { done, type Perform } from '../result.ts';

export const yieldCpu: Perform = (machine) => done({ ...machine, reschedule: true }, 'sched/yield-done');

/** Unmask upcalls first; with one due already there is no waiting. */
export const block: Perform = (machine, caller) => {
  const unmasked = setVcpuInfo(cite(machine, 'sched/block-unmask'), caller, 'evtchn_upcall_mask', 0);
  if (eventsNeedDelivery(unmasked, caller)) return done(unmasked, 'sched/block-pending');
  return done({ ...updateVcpu(unmasked, caller, { blocked: true }), reschedule: true }, 'sched/block-waits');
};
