/** stack_switch, fpu_taskswitch, set_segment_base, set/get_debugreg, vm_assist: processor state that a guest kernel may set. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { GS } from '../../cpu/interface.ts';
import { DR_INVALID, DR_MISSING, DR_NOT_PERMITTED, readDebugRegister, writeDebugRegister } from '../debug_registers.ts';
import type { Machine } from '../machine.ts';
import { minus, WIDE } from '../result.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { CALL_STATE } from './continuation.ts';

export const stack_switch = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  vcpu.kernelSs = (args[0] | 3) & 0xffff;
  vcpu.kernelSp.set(args[2], args[3]);
  return 0;
};

/** Set or clear the guest's CR0.TS. */
export const setTaskSwitched = (vcpu: Vcpu, set: boolean): void => {
  vcpu.taskSwitched = set;
  vcpu.cpu.xen.setTaskSwitched(set);
};

export const fpu_taskswitch = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  setTaskSwitched(vcpu, args[0] !== 0);
  return 0;
};

const SEGBASE = { FS: 0, GS_USER: 1, GS_KERNEL: 2, GS_USER_SEL: 3 } as const;

export const set_segment_base = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const lo = args[2];
  const hi = args[3];
  const base = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  switch (args[0]) {
    case SEGBASE.FS:
      if (!isCanonical(hi)) return minus('EINVAL');
      vcpu.cpu.fsBase = base;
      return 0;
    case SEGBASE.GS_USER:
      if (!isCanonical(hi)) return minus('EINVAL');
      vcpu.gsBaseOther.set(lo, hi);
      return 0;
    case SEGBASE.GS_KERNEL:
      if (!isCanonical(hi)) return minus('EINVAL');
      vcpu.cpu.gsBase = base;
      return 0;
    case SEGBASE.GS_USER_SEL:
      loadUserGs(vcpu, lo & 0xffff);
      return 0;
  }
  return minus('EINVAL');
};

/** Load GS for user mode, base and all; a selector that does not load is replaced by null. */
const loadUserGs = ({ cpu, gsBaseOther }: Vcpu, selector: number): void => {
  const base = cpu.gsBase;
  cpu.xen.loadOrNull(GS, selector > 3 ? selector | 3 : selector);
  const loaded = cpu.gsBase;
  cpu.gsBase = base;
  gsBaseOther.set(Number(BigInt.asIntN(32, loaded)), Number(loaded >> 32n));
};

const DEBUGREG_ERRNO = { [DR_MISSING]: minus('ENODEV'), [DR_INVALID]: minus('EINVAL'), [DR_NOT_PERMITTED]: minus('EPERM') } as const;

export const set_debugreg = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const outcome = writeDebugRegister(vcpu, args[0], args[2], args[3]);
  return outcome === 'written' ? 0 : DEBUGREG_ERRNO[outcome];
};

export const get_debugreg = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const value = readDebugRegister(vcpu, args[0]);
  if (value === null) return minus('ENODEV');
  CALL_STATE.wideLo = value.lo;
  CALL_STATE.wideHi = value.hi;
  return WIDE;
};

/** Types that a 64-bit PV domain may switch; some have no effect on it. */
const VALID_ASSISTS: readonly number[] = Object.values(VMASST_TYPE);

export const vm_assist = (_machine: Machine, vcpu: Vcpu, args: Int32Array): number => {
  const cmd = args[0];
  const type = args[2];
  if (!VALID_ASSISTS.includes(type)) return minus('EINVAL');
  const { domain } = vcpu;
  const bit = 1 << (type & 31);
  const high = type >= 32;
  switch (cmd) {
    case SUBOPERATIONS.vm_assist.enable:
      if (high) domain.vmAssistHigh |= bit;
      else domain.vmAssist |= bit;
      return 0;
    case SUBOPERATIONS.vm_assist.disable:
      if (high) domain.vmAssistHigh &= ~bit;
      else domain.vmAssist &= ~bit;
      return 0;
  }
  return minus('ENOSYS');
};
