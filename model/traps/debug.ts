/** #DB: DR6 tells the guest why. */
import type { VcpuRef } from '#spec/event.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { or, word } from '../word/word.ts';
import { injectException } from './exception.ts';

/** Index of DR6 in Vcpu.dr. */
const DR6 = 4;
const SINGLE_STEP = word(0, 1 << 14);

/** Bounce #DB after a single step. */
export const injectDebug = (machine: Machine, at: VcpuRef): Machine => {
  const dr = vcpuOf(machine, at).dr.slice();
  dr[DR6] = or(dr[DR6], SINGLE_STEP);
  return injectException(cite(updateVcpu(machine, at, { dr }), 'trap/exception-debug'), at, VECTOR.DB, null);
};
