/** After an emulated instruction. */
import type { VcpuRef } from '#spec/event.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { FLAG } from '../traps/bounce.ts';
import { injectDebug } from '../traps/debug.ts';
import { injectException } from '../traps/exception.ts';
import { returnToGuest } from '../traps/return.ts';
import type { Word } from '../word/word.ts';

type Trap = (machine: Machine, at: VcpuRef) => Machine;

const goOn = (machine: Machine, at: VcpuRef, rip: Word, trap: Trap): Machine => {
  const { cpu } = vcpuOf(machine, at);
  const m = setCpu(machine, at, { ...cpu, rip, flags: cpu.flags & ~FLAG.RF });
  if ((cpu.flags & FLAG.TF) === 0) return returnToGuest(m, at, 'iret');
  return returnToGuest(trap(cite(m, 'trap/emulated-single_step'), at), at, 'sysret');
};

/** Go on at `rip`; a single step traps behind the instruction. */
export const instructionDone = (machine: Machine, at: VcpuRef, rip: Word): Machine => goOn(machine, at, rip, injectDebug);

/** The same after a store that Xen emulated: a single step traps as well, but DR6 does not tell of it. */
export const storeDone = (machine: Machine, at: VcpuRef, rip: Word): Machine =>
  goOn(machine, at, rip, (m) => injectException(m, at, VECTOR.DB, null));
