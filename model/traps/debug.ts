/** #DB: DR6 tells the guest why. */
import type { VcpuRef } from '#spec/event.ts';
import { DR6 } from '#spec/isa/x86/control_registers.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { or, word } from '../word/word.ts';
import { injectException } from './exception.ts';

/** Index of DR6 in Vcpu.dr. */
const STATUS = 4;

/** Bounce #DB, after a single step unless `bits` of DR6 say otherwise. */
export const injectDebug = (machine: Machine, at: VcpuRef, bits: number = DR6.BS): Machine => {
  const { dr } = vcpuOf(machine, at);
  const told = updateVcpu(machine, at, { dr: dr.with(STATUS, or(dr[STATUS], word(0, bits))) });
  return injectException(cite(told, 'trap/exception-debug'), at, VECTOR.DB, null);
};
