/** After an emulated instruction. */
import type { VcpuRef } from '#spec/event.ts';
import { DR6 } from '#spec/isa/x86/control_registers.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { setCpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { FLAG } from '../traps/bounce.ts';
import { injectDebug } from '../traps/debug.ts';
import { injectException } from '../traps/exception.ts';
import { type Exit, returnToGuest } from '../traps/return.ts';
import type { Word } from '../word/word.ts';

/** The vCPU at `rip`, with the #DB of a single step, or of a breakpoint, that was met; and by which way it goes on. */
const settled = (machine: Machine, at: VcpuRef, rip: Word, met: number, debug: typeof injectDebug): { machine: Machine; exit: Exit } => {
  const { cpu } = vcpuOf(machine, at);
  const m = setCpu(machine, at, { ...cpu, rip, flags: cpu.flags & ~FLAG.RF });
  const bits = met | ((cpu.flags & FLAG.TF) !== 0 ? DR6.BS : 0);
  if (bits === 0) return { machine: m, exit: 'iret' };
  const told = (bits & DR6.BS) !== 0 ? cite(m, 'trap/emulated-single_step') : cite(m, 'emulation/port-breakpoint');
  return { machine: debug(told, at, bits), exit: 'sysret' };
};

/** Go on at `rip`; `debug` traps behind the instruction when a single step, or a breakpoint, was met. */
const goOn = (before: Machine, at: VcpuRef, rip: Word, met: number, debug: typeof injectDebug): Machine => {
  const { machine, exit } = settled(before, at, rip, met, debug);
  return returnToGuest(machine, at, exit);
};

/** An instruction that goes on at `rip`, as long as the guest does not go on yet; and by which way it will. */
export const behindInstruction = (machine: Machine, at: VcpuRef, rip: Word): { readonly machine: Machine; readonly exit: Exit } =>
  settled(machine, at, rip, 0, injectDebug);

/** Go on at `rip`; a single step traps behind the instruction, and so do breakpoints that it `met`, as bits of DR6. */
export const instructionDone = (machine: Machine, at: VcpuRef, rip: Word, met = 0): Machine => goOn(machine, at, rip, met, injectDebug);

/** The same after a store that Xen emulated: a single step traps as well, but DR6 does not tell of it. */
export const storeDone = (machine: Machine, at: VcpuRef, rip: Word): Machine =>
  goOn(machine, at, rip, 0, (m) => injectException(m, at, VECTOR.DB, null));
