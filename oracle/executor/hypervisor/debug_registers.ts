/** The guest's debug registers as Xen keeps them. Breakpoints on I/O are Xen's own work, others the processor's. */
import { accessOk } from './guest_access.ts';
import type { Vcpu } from './vcpu.ts';

/** CR4.DE. */
const CR4_DE = 8;
const DR6_READS_ZERO = 0x1000;
const DR6_READS_ONE = 0xffff0ff0 | 0;
const DR7_READS_ZERO = 0xd800;
const DR7_READS_ONE = 0x400;
const DR7_GENERAL_DETECT = 0x2000;
/** Enables of the four breakpoints. */
const DR7_ACTIVE = 0xff;
/** Breakpoint kind "I/O access". */
const KIND_IO = 2;

export const DR_MISSING = 'missing';
export const DR_INVALID = 'invalid';
export const DR_NOT_PERMITTED = 'not permitted';
export type DebugOutcome = 'written' | typeof DR_MISSING | typeof DR_INVALID | typeof DR_NOT_PERMITTED;

/** DR4 and DR5 stand for DR6 and DR7 unless CR4.DE is set. */
const aliasOf = (vcpu: Vcpu, register: number): number | null => {
  if (register === 4 || register === 5) return (vcpu.cr4 & CR4_DE) !== 0 ? null : register + 2;
  return register >= 0 && register <= 7 ? register : null;
};

/** As after a reset of the CPU. */
export const resetDebugRegisters = (vcpu: Vcpu): void => {
  vcpu.dr.fill(0);
  vcpu.dr6 = DR6_READS_ONE;
  vcpu.dr7 = DR7_READS_ONE;
  vcpu.dr7Io = 0;
  vcpu.cpu.xen.setBreakpoints(vcpu.dr, vcpu.dr7);
};

/** null: there is no such register. */
export const readDebugRegister = (vcpu: Vcpu, number: number): { lo: number; hi: number } | null => {
  const register = aliasOf(vcpu, number);
  if (register === null) return null;
  if (register < 4) return { lo: vcpu.dr[2 * register], hi: vcpu.dr[2 * register + 1] };
  return { lo: register === 6 ? vcpu.dr6 : vcpu.dr7 | vcpu.dr7Io, hi: 0 };
};

export const writeDebugRegister = (vcpu: Vcpu, number: number, lo: number, hi: number): DebugOutcome => {
  const register = aliasOf(vcpu, number);
  if (register === null) return DR_MISSING;
  if (register < 4) {
    if (!accessOk(hi)) return DR_NOT_PERMITTED;
    vcpu.dr[2 * register] = lo;
    vcpu.dr[2 * register + 1] = hi;
    if (vcpu.cpu.breaking) vcpu.cpu.xen.setBreakpoints(vcpu.dr, vcpu.dr7);
    return 'written';
  }
  if (hi !== 0) return DR_INVALID;
  if (register === 6) {
    vcpu.dr6 = (lo & ~DR6_READS_ZERO) | DR6_READS_ONE;
    return 'written';
  }
  return writeControl(vcpu, (lo & ~DR7_READS_ZERO) | DR7_READS_ONE);
};

/** DR7. Breakpoints on I/O need CR4.DE; which of these are enabled is forgotten even when the value is refused for want of it. */
const writeControl = (vcpu: Vcpu, value: number): DebugOutcome => {
  if ((value & DR7_GENERAL_DETECT) !== 0) return DR_NOT_PERMITTED;
  let io = 0;
  vcpu.dr7Io = 0;
  if ((value & DR7_ACTIVE) !== 0) {
    for (let i = 0; i < 4; i++) {
      if (((value >>> (16 + 4 * i)) & 3) !== KIND_IO) continue;
      if ((vcpu.cr4 & CR4_DE) === 0) return DR_NOT_PERMITTED;
      io |= value & (3 << (2 * i));
    }
  }
  vcpu.dr7Io = io;
  vcpu.dr7 = value & ~io;
  vcpu.cpu.xen.setBreakpoints(vcpu.dr, vcpu.dr7);
  return 'written';
};
