/** Pushing a frame on the guest kernel's stack and pointing the guest at one of its handlers. */

import { FLAT, VMASST_TYPE } from '#spec/abi/xen.ts';
import type { CrashReason } from '#spec/event.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { R11, RCX, RSP } from '../../cpu/interface.ts';
import { createCompatBounceFrame } from '../compat/bounce.ts';
import { putGuest } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { domainCrash } from '../shutdown.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { infoAddress, setUpcallMask, upcallMask } from '../vcpu_info.ts';
import { visibleFlags } from './exit_state.ts';
import { toggleGuestMode } from './guest_mode.ts';

const CLEARED_AT_ENTRY = RFLAGS.AC | RFLAGS.VM | RFLAGS.RF | RFLAGS.NT | RFLAGS.TF;
const FRAME_BYTES = 56;
/** Offsets in the frame without an error code. */
const SLOT = { rcx: 0, r11: 8, rip: 16, cs: 24, rflags: 32, rsp: 40, ss: 48 } as const;

/** Xen's check of the stack pointer: the frame must end outside Xen's own addresses. */
const isUsableStack = (lo: number, hi: number): boolean => {
  const high = hi >>> 0;
  if (high < 0xffff8000 || (high === 0xffff8000 && lo === 0)) return true;
  return high > 0xffff8800 || (high === 0xffff8800 && lo >>> 0 >= 64);
};

/**
 * Build the frame and enter the handler at `hi:lo`. `masks`: set the upcall mask. `error` < 0: no error code. `selector`: of the code, for 32-bit guests
 * alone. False when the domain crashed instead; what was stored before the fault stays.
 */
export const createBounceFrame = (
  machine: Machine,
  vcpu: Vcpu,
  lo: number,
  hi: number,
  masks: boolean,
  error: number,
  selector = 0,
): boolean => {
  if (vcpu.domain.compat) return createCompatBounceFrame(machine, vcpu, selector, lo, masks, error);
  const { cpu } = vcpu;
  const fromKernel = vcpu.kernelMode;
  const oldLo = cpu.gprLo(RSP);
  const oldHi = cpu.gprHi(RSP);
  let topLo = oldLo;
  let topHi = oldHi;
  if (!fromKernel) {
    toggleGuestMode(machine, vcpu);
    topLo = vcpu.kernelSp.lo;
    topHi = vcpu.kernelSp.hi;
  }
  topLo &= ~15;
  if (!isUsableStack(topLo, topHi)) return crashed(machine, vcpu);
  const size = error < 0 ? FRAME_BYTES : FRAME_BYTES + 8;
  const bottomLo = (topLo - size) | 0;
  const bottomHi = topLo >>> 0 < size ? (topHi - 1) | 0 : topHi;
  /** `at` counts from the bottom of a frame without an error code; those below RIP lie one slot lower when there is one. */
  const store = (at: number, valueLo: number, valueHi: number): boolean => {
    const slot = (bottomLo >>> 0) + at;
    const slotHi = slot > 0xffffffff ? (bottomHi + 1) | 0 : bottomHi;
    return isCanonical(slotHi) && putGuest(machine, vcpu, slot | 0, slotHi, 8, valueLo, valueHi);
  };
  const upper = size - FRAME_BYTES;

  if (!store(SLOT.ss + upper, vcpu.savedSs, 0) || !store(SLOT.rsp + upper, oldLo, oldHi)) return crashed(machine, vcpu);
  const mask = upcallMask(machine, vcpu);
  const maskAndPadding = machine.memory.read32(infoAddress(vcpu) + 1) | 0;
  if (masks) setUpcallMask(machine, vcpu, mask | 1);
  const cs = fromKernel ? vcpu.savedCs & ~3 : vcpu.savedCs;
  const iopl = (vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0 ? vcpu.iopl << 12 : 0;
  const flags = (vcpu.savedFlags.lo & ~(RFLAGS.IF | RFLAGS.IOPL)) | (mask === 0 ? RFLAGS.IF : 0) | iopl;
  if (
    !store(SLOT.cs + upper, cs, maskAndPadding) ||
    !store(SLOT.rflags + upper, flags, 0) ||
    !store(SLOT.rip + upper, cpu.ripLo(), cpu.ripHi()) ||
    (error >= 0 && !store(SLOT.rip, error, 0)) ||
    !store(SLOT.r11, cpu.gprLo(R11), cpu.gprHi(R11)) ||
    !store(SLOT.rcx, cpu.gprLo(RCX), cpu.gprHi(RCX))
  ) {
    return crashed(machine, vcpu);
  }

  vcpu.exitBySysret = true;
  vcpu.savedFlags.lo &= ~CLEARED_AT_ENTRY;
  vcpu.savedCs = FLAT.RING3_CS64;
  vcpu.savedSs = FLAT.RING3_SS64;
  cpu.setGprHalves(RSP, bottomLo, bottomHi);
  if ((lo | hi) === 0) {
    return crashed(machine, vcpu, 'bounce-no-handler');
  }
  cpu.setRipHalves(lo, hi);
  return true;
};

/** The vCPU stays as Xen had it in its hands: the context that it was to return to, or had just begun. */
const crashed = (machine: Machine, vcpu: Vcpu, why: CrashReason = 'bounce-frame-fault'): boolean => {
  visibleFlags(vcpu, true);
  domainCrash(machine, vcpu.domain, why);
  return false;
};
