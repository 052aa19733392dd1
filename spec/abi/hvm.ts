/** Hypercalls about HVM guests. Source: Xen public headers `hvm/hvm_op.h`, `hvm/params.h`, `hvm/dm_op.h`, x86-64 layout. */
import { layout } from './layout.ts';

export const HVM_NR_PARAMS = 39;
/** xentrace: an event of a guest's has a number below this, and so many bytes of its own at most. */
export const XENTRACE_EVENTS = 0x1000;
export const XENTRACE_MOST_EXTRA = 28;
/** Most buffers of a dm_op. */
export const DM_OP_MOST_BUFFERS = 2;

export const hvm = {
  param: layout(16, { domid: [0, 2], index: [4, 4], value: [8, 8] }),
  get_mem_type: layout(16, { domid: [0, 2], mem_type: [2, 2], pfn: [8, 8] }),
  pagetable_dying: layout(16, { domid: [0, 2], gpa: [8, 8] }),
  get_time: layout(8, { now: [0, 8, 'time', 'out'] }),
  /** Behind the two fields lies room for what is to be traced with the event. */
  xentrace: layout(4 + XENTRACE_MOST_EXTRA, { event: [0, 2], extra_bytes: [2, 2] }),
  dm_op_buf: layout(16, { h: [0, 8], size: [8, 8] }),
} as const;
