/** Far transfers and ways into Xen, as a PV guest's processor has them. */

import type { Handler } from './op.ts';
import * as segment from './pv_segment.ts';
import * as system from './system.ts';
import { type Build, type BuildTable, fixed, returning } from './table.ts';

/** A pointer in the instruction: its selector goes into `immHi`. */
const far =
  (handler: Handler): Build =>
  (o, i) => {
    if (!o.memory) o.immHi = i.immediate2;
    return handler;
  };

export const PV_ONLY: BuildTable = {
  jmp_far: far(segment.jmpFar),
  call_far: far(segment.callFar),
  ret_far: returning(segment.retFar),
  iret: fixed(segment.iret),
  int3: fixed(system.int3),
  int: fixed(system.int),
  syscall: fixed(system.syscall),
  // Of ring 0, but without the #GP(0) of others.
  clac: fixed(system.undefinedOpcode),
  stac: fixed(system.undefinedOpcode),
};
