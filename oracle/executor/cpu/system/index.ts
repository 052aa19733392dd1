/** Instructions of the system level, of the bare machine alone: descriptors, gates, control registers. */

import type { Cpu } from '../cpu.ts';
import type { Handler, Op } from '../op.ts';
import { type Build, type BuildTable, fixed, returning } from '../table.ts';
import * as control from './control_registers.ts';
import * as debug from './debug.ts';
import { callFar, immediatePointer, jumpFar, memoryPointer, type Pointer, returnFar } from './far.ts';
import * as inspect from './inspect.ts';
import * as interrupt from './interrupt.ts';
import { iret } from './iret.ts';
import * as msr from './msr.ts';
import * as privileged from './privileged.ts';
import * as syscalls from './syscall.ts';
import * as segments from './system_segments.ts';
import * as tables from './table_registers.ts';

/** Far JMP and CALL: the pointer lies in the instruction or in memory. */
const far =
  (make: (pointer: (c: Cpu, o: Op) => Pointer) => Handler): Build =>
  (o, i, form) => {
    if (form !== 'i') return make(memoryPointer);
    o.immHi = i.immediate2;
    return make(immediatePointer);
  };

/** The special register's number goes into `immHi`; `place` is that of the general one. */
const special =
  (handler: Handler, place: 'a' | 'b'): Build =>
  (o, i) => {
    o.immHi = i.reg;
    o[place] = 2 * i.rm;
    return handler;
  };

/** Privileged instructions that look for #UD before they look at the ring. */
export const JUDGES_RINGS: ReadonlySet<string> = new Set(['sysret', 'xsetbv', 'monitor', 'mwait']);

/** Instructions that ring 3 does not have (x86/monitor). */
export const RING_0_ALONE: ReadonlySet<string> = new Set(['monitor', 'mwait']);

export const SYSTEM: BuildTable = {
  jmp_far: far(jumpFar),
  call_far: far(callFar),
  ret_far: returning(returnFar),
  iret: fixed(iret),
  int: fixed(interrupt.int),
  int3: fixed(interrupt.int3),
  int1: fixed(interrupt.int1),
  into: fixed(interrupt.into),
  hlt: fixed(interrupt.hlt),
  syscall: fixed(syscalls.syscall),
  sysret: fixed(syscalls.sysret),
  sysenter: fixed(syscalls.sysenter),
  sysexit: fixed(syscalls.sysexit),
  mov_to_cr: special(control.movToControl, 'b'),
  mov_from_cr: special(control.movFromControl, 'a'),
  mov_to_dr: special(debug.movToDebug, 'b'),
  mov_from_dr: special(debug.movFromDebug, 'a'),
  clts: fixed(control.clts),
  lmsw: fixed(control.lmsw),
  smsw: fixed(control.smsw),
  xgetbv: fixed(control.xgetbv),
  xsetbv: fixed(control.xsetbv),
  rdmsr: fixed(msr.rdmsr),
  wrmsr: fixed(msr.wrmsr),
  rdtsc: fixed(msr.rdtsc),
  rdtscp: fixed(msr.rdtscp),
  rdpmc: fixed(msr.rdpmc),
  lgdt: fixed(tables.lgdt),
  lidt: fixed(tables.lidt),
  sgdt: fixed(tables.sgdt),
  sidt: fixed(tables.sidt),
  lldt: fixed(segments.lldt),
  ltr: fixed(segments.ltr),
  sldt: fixed(segments.sldt),
  str: fixed(segments.str),
  lar: fixed(inspect.lar),
  lsl: fixed(inspect.lsl),
  verr: fixed(inspect.verr),
  verw: fixed(inspect.verw),
  swapgs: fixed(privileged.swapgs),
  stac: fixed(privileged.stac),
  clac: fixed(privileged.clac),
  invpcid: fixed(privileged.invpcid),
  monitor: fixed(privileged.monitor),
  mwait: fixed(privileged.mwait),
  invlpg: fixed(privileged.nothing),
  invd: fixed(privileged.nothing),
  wbinvd: fixed(privileged.nothing),
};
