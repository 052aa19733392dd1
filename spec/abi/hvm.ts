/** Hypercalls about HVM guests. Source: Xen public headers `hvm/hvm_op.h`, `hvm/params.h`, `hvm/dm_op.h`, x86-64 layout. */
import { layout } from './layout.ts';

export const HVM_NR_PARAMS = 39;
/** Most buffers of a dm_op. */
export const DM_OP_MOST_BUFFERS = 2;

export const hvm = {
  param: layout(16, { domid: [0, 2], index: [4, 4], value: [8, 8] }),
  get_mem_type: layout(16, { domid: [0, 2], mem_type: [2, 2], pfn: [8, 8] }),
  pagetable_dying: layout(16, { domid: [0, 2], gpa: [8, 8] }),
  dm_op_buf: layout(16, { h: [0, 8], size: [8, 8] }),
} as const;
