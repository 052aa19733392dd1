/** What differs between a PV guest's processor and a bare one: ways into Xen, and which instructions of the system level ring 3 may make. */

import { SYSTEM } from './system/index.ts';
import * as system from './system.ts';
import { type BuildTable, fixed } from './table.ts';

/** Of ring 3 too; descriptors come from pv_descriptors.ts. */
const { jmp_far, call_far, ret_far, iret, lar, lsl, verr, verw, xgetbv, sgdt, sldt, str, smsw } = SYSTEM;

export const PV_ONLY: BuildTable = {
  jmp_far,
  call_far,
  ret_far,
  iret,
  lar,
  lsl,
  verr,
  verw,
  xgetbv,
  sgdt,
  sldt,
  str,
  smsw,
  sidt: fixed(system.storeIdt),
  int1: fixed(system.int1),
  int3: fixed(system.int3),
  int: fixed(system.int),
  syscall: fixed(system.syscall),
  // AMD's processors have them outside long mode only.
  sysenter: fixed(system.undefinedOpcode),
  sysexit: fixed(system.undefinedOpcode),
  // Of ring 0, but without the #GP(0) of others.
  clac: fixed(system.undefinedOpcode),
  stac: fixed(system.undefinedOpcode),
};
