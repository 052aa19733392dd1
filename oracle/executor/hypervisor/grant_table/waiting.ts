/** Operations that are built here, and that are called when the other engine has them too; of set_version, version 2. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';

const OP = SUBOPERATIONS.grant_table_op;

export const WAITING: Set<number> = new Set([
  OP.transfer,
  OP.copy,
  OP.unmap_and_replace,
  OP.set_version,
  OP.get_status_frames,
  OP.swap_grant_ref,
  OP.cache_flush,
]);
