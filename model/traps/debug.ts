/** #DB: DR6 tells the guest why. */
import type { VcpuRef } from '#spec/event.ts';
import { DR6 } from '#spec/isa/x86/control_registers.ts';
import { waysOf } from '#spec/releases/changes.ts';
import { VECTOR } from '../cpu/x86/outcome.ts';
import { cite } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { or, word } from '../word/word.ts';
import { injectException } from './exception.ts';
import type { Exit } from './return.ts';

/** Index of DR6 in Vcpu.dr. */
const STATUS = 4;

/** What a kernel meets whose domain is debugged stays with the debugger, of which there is none. */
const isKept = (machine: Machine, at: VcpuRef): boolean =>
  waysOf(machine.config.release)['setdebugging-traps'] === 'kept' &&
  domainOf(machine, at.domid).debugged === true &&
  vcpuOf(machine, at).mode === 'kernel';

/** trap/return-iret: nothing was pushed where a trap is kept. */
export const exitFromTrap = (machine: Machine, at: VcpuRef): Exit => (isKept(machine, at) ? 'iret' : 'sysret');

const told = (machine: Machine, at: VcpuRef, bits: number): Machine => {
  const { dr } = vcpuOf(machine, at);
  return updateVcpu(machine, at, { dr: dr.with(STATUS, or(dr[STATUS], word(0, bits))) });
};

/** Bounce #DB, after a single step unless `bits` of DR6 say otherwise. */
export const injectDebug = (machine: Machine, at: VcpuRef, bits: number = DR6.BS): Machine =>
  injectException(cite(told(machine, at, bits), 'trap/exception-debug'), at, VECTOR.DB, null);

/** The processor itself raised #DB. */
export const meetDebug = (machine: Machine, at: VcpuRef, bits: number = DR6.BS): Machine =>
  isKept(machine, at) ? cite(told(machine, at, bits), 'domctl/setdebugging-lost') : injectDebug(machine, at, bits);

/** A trap of an instruction, of which #BP and the #DB of INT1 may be kept. */
export const meetTrap = (machine: Machine, at: VcpuRef, vector: number, error: number | null): Machine =>
  (vector === VECTOR.BP || vector === VECTOR.DB) && isKept(machine, at)
    ? cite(machine, 'domctl/setdebugging-lost')
    : injectException(machine, at, vector, error);
