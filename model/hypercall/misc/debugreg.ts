/** set_debugreg and get_debugreg. Chapter: spec/chapters/misc.md. */
import type { VcpuRef } from '#spec/event.ts';
import { readDebugRegister, writeDebugRegister } from '../../emulate/debug_registers.ts';
import { updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import type { Word } from '../../word/word.ts';
import { done, doneWord, fail, type HypercallResult, type Perform } from '../result.ts';

export const set_debugreg: Perform = (machine, caller, [reg, value]) => set(machine, caller, reg.lo >>> 0, value);

const set = (machine: Machine, caller: VcpuRef, reg: number, value: Word): HypercallResult => {
  const written = writeDebugRegister(vcpuOf(machine, caller), reg, value);
  switch (written.kind) {
    case 'written':
      return done(updateVcpu(machine, caller, { dr: written.dr, ioBreakpoints: written.ioBreakpoints }), 'misc/set_debugreg-set');
    case 'EPERM':
      return fail(machine, 'EPERM', 'misc/set_debugreg-permission');
    case 'EINVAL':
      return fail(machine, 'EINVAL', 'misc/set_debugreg-value');
    case 'ENODEV':
      return fail(machine, 'ENODEV', 'misc/set_debugreg-number');
  }
};

export const get_debugreg: Perform = (machine, caller, [reg]) => {
  const value = readDebugRegister(vcpuOf(machine, caller), reg.lo >>> 0);
  return value ? doneWord(machine, 'misc/get_debugreg', value) : fail(machine, 'ENODEV', 'misc/get_debugreg-number');
};
