/** After an emulated instruction. */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { FLAG } from '../traps/bounce.ts';
import { injectDebug } from '../traps/debug.ts';
import { returnToGuest } from '../traps/return.ts';
import type { Word } from '../word/word.ts';

/** Go on at `rip`; a single step traps behind the instruction. */
export const instructionDone = (machine: Machine, at: VcpuRef, rip: Word): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const m = setCpu(machine, at, { ...cpu, rip, flags: cpu.flags & ~FLAG.RF });
  if ((cpu.flags & FLAG.TF) === 0) return returnToGuest(m, at, 'iret');
  return returnToGuest(injectDebug(cite(m, 'trap/emulated-single_step'), at), at, 'sysret');
};
