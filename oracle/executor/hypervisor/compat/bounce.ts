/** Pushing a frame on the stack of a 32-bit guest's kernel and pointing the guest at one of its handlers. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import type { CrashReason } from '#spec/event.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { RSP } from '../../cpu/interface.ts';
import { putGuest } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { domainCrash } from '../shutdown.ts';
import { visibleFlags } from '../trap/exit_state.ts';
import type { Vcpu } from '../vcpu.ts';
import { infoAddress, setUpcallMask, upcallMask } from '../vcpu_info.ts';
import { isKernelCode } from './selectors.ts';

const CLEARED_AT_ENTRY = RFLAGS.VM | RFLAGS.RF | RFLAGS.NT | RFLAGS.TF;
/** Rings 2 and 3 bring a stack of the kernel's choice into use. */
const OUTER_RING = 2;
const TWO32 = 0x1_0000_0000;

/** Store a word at an offset from a segment's base, as Xen does in 64-bit mode: no limit counts, and nothing wraps at 4 GiB. */
const storeAt = (machine: Machine, vcpu: Vcpu, base: number, offset: number, value: number): boolean => {
  const at = base + (offset >>> 0);
  return putGuest(machine, vcpu, at | 0, at >= TWO32 ? 1 : 0, 4, value);
};

/**
 * Build the frame and enter the handler at `cs:eip`. `masks`: set the upcall mask. `error` < 0: no error code. False when the domain crashed
 * instead; what was stored before the fault stays.
 */
export const createCompatBounceFrame = (machine: Machine, vcpu: Vcpu, cs: number, eip: number, masks: boolean, error: number): boolean => {
  const { cpu } = vcpu;
  const outer = (vcpu.savedCs & OUTER_RING) !== 0;
  const selector = outer ? vcpu.kernelSs : vcpu.savedSs;
  // Where FS leads after a null selector differs from vendor to vendor.
  if (selector < 4) throw new NotModelled('compat/null_stack_selector');
  const segment = cpu.xen.dataBase(selector);
  if (segment < 0) return crashed(machine, vcpu, 'bounce-bad-selector');
  const store = (offset: number, value: number): boolean => storeAt(machine, vcpu, segment, offset, value);
  let sp = outer ? (vcpu.kernelSp.lo - 8) | 0 : cpu.gprLo(RSP);
  if (outer && (!store(sp, cpu.gprLo(RSP)) || !store(sp + 4, vcpu.savedSs))) return crashed(machine, vcpu);
  sp = (sp - 12) | 0;
  const mask = upcallMask(machine, vcpu);
  const maskAndPadding = machine.memory.bytes[infoAddress(vcpu) + 1] | (machine.memory.bytes[infoAddress(vcpu) + 2] << 8);
  if (masks) setUpcallMask(machine, vcpu, mask | 1);
  const iopl = (vcpu.domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0 ? vcpu.iopl << 12 : 0;
  const flags = (vcpu.savedFlags.lo & ~(RFLAGS.IF | RFLAGS.IOPL)) | (mask === 0 ? RFLAGS.IF : 0) | iopl;
  if (!store(sp + 4, (maskAndPadding << 16) | vcpu.savedCs) || !store(sp + 8, flags) || !store(sp, cpu.ripLo()))
    return crashed(machine, vcpu);
  if (error >= 0) {
    sp = (sp - 4) | 0;
    if (!store(sp, error)) return crashed(machine, vcpu);
  }
  vcpu.savedFlags.lo &= ~CLEARED_AT_ENTRY;
  vcpu.savedSs = selector;
  cpu.setGprHalves(RSP, sp, cpu.gprHi(RSP));
  if ((cs & ~3) === 0) return crashed(machine, vcpu, 'bounce-no-handler');
  vcpu.savedCs = cs;
  vcpu.kernelMode = isKernelCode(cs);
  cpu.setRipHalves(eip, 0);
  return true;
};

/** The vCPU stays as Xen had it in its hands. */
const crashed = (machine: Machine, vcpu: Vcpu, why: CrashReason = 'bounce-frame-fault'): boolean => {
  visibleFlags(vcpu, true);
  domainCrash(machine, vcpu.domain, why);
  return false;
};
