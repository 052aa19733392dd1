/**
 * System instructions: the rule of each, by name. Those that a PV guest may use as well (far transfers, INT, MOV to a segment register,
 * …) have a rule here for the machine without a hypervisor; the guest's stands in semantics.ts.
 */
import type { Rules } from '../running.ts';
import { DS, ES, FS, GS, SS } from '../state.ts';
import { invpcid, monitor, mwait, swapgs, unseen } from './cache.ts';
import { clts, lmsw, movFromControl, movToControl, smsw } from './control.ts';
import { movFromDebug, movToDebug } from './debug.ts';
import { callFar, jumpFar } from './far.ts';
import { returnFar } from './far_return.ts';
import { clac, cli, hlt, stac, sti } from './interrupt_flag.ts';
import { iret } from './iret.ts';
import { loadPointer, movToSegment, popSegment } from './load.ts';
import { rdmsr, wrmsr } from './msr.ts';
import { inRule, outRule } from './ports.ts';
import { int, int1, int3, into } from './software_interrupt.ts';
import { syscall, sysret } from './syscall.ts';
import { sysenter, sysexit } from './sysenter.ts';
import { lgdt, lidt, lldt, ltr, sgdt, sidt, sldt, str } from './table_registers.ts';
import { rdpmc, rdtsc, rdtscp } from './time_stamp.ts';
import { arpl, lar, lsl, verr, verw } from './verify.ts';
import { xgetbv, xsetbv } from './xcr.ts';

export const SYSTEM_RULES: Rules = {
  mov_to_seg: movToSegment,
  pop_seg: popSegment,
  les: loadPointer(ES),
  lss: loadPointer(SS),
  lds: loadPointer(DS),
  lfs: loadPointer(FS),
  lgs: loadPointer(GS),

  jmp_far: jumpFar,
  call_far: callFar,
  ret_far: returnFar,
  iret,
  int,
  int1,
  int3,
  into,
  syscall,
  sysret,
  sysenter,
  sysexit,

  cli,
  sti,
  hlt,
  clac,
  stac,
  in: inRule,
  out: outRule,

  mov_from_cr: movFromControl,
  mov_to_cr: movToControl,
  mov_from_dr: movFromDebug,
  mov_to_dr: movToDebug,
  clts,
  lmsw,
  smsw,
  rdmsr,
  wrmsr,
  rdtsc,
  rdtscp,
  rdpmc,
  xgetbv,
  xsetbv,
  swapgs,

  lgdt,
  lidt,
  sgdt,
  sidt,
  lldt,
  ltr,
  sldt,
  str,
  lar,
  lsl,
  verr,
  verw,
  arpl,

  invd: unseen,
  wbinvd: unseen,
  invlpg: unseen,
  invpcid,
  monitor,
  mwait,
};
