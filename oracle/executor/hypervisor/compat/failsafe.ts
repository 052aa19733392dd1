/** A 32-bit guest's segment registers did not all load when a pCPU took the vCPU over: its kernel is told. Addresses are linear. */
import { VMASST_TYPE } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { RSP } from '../../cpu/interface.ts';
import { putGuest } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { domainCrash } from '../shutdown.ts';
import type { Vcpu } from '../vcpu.ts';
import { setUpcallMask, upcallMask } from '../vcpu_info.ts';
import { COMPAT_KERNEL_CS, COMPAT_KERNEL_DS, isKernelCode } from './selectors.ts';

const CLEARED = RFLAGS.VM | RFLAGS.RF | RFLAGS.NT | RFLAGS.IOPL | RFLAGS.TF;

/** From the bottom: DS, ES, FS, GS, EIP, CS and the upcall mask, EFLAGS, and from outer rings ESP and SS. `selectors`: GS, FS, ES, DS. */
export const enterCompatFailsafe = (machine: Machine, vcpu: Vcpu, selectors: readonly number[]): void => {
  const { cpu, domain, savedFlags } = vcpu;
  const inner = isKernelCode(vcpu.savedCs);
  const mask = upcallMask(machine, vcpu);
  const iopl = (domain.vmAssist & (1 << VMASST_TYPE.architectural_iopl)) !== 0 ? vcpu.iopl << 12 : 0;
  const flags = (savedFlags.lo & ~(RFLAGS.IF | RFLAGS.IOPL)) | (mask === 0 ? RFLAGS.IF : 0) | iopl;
  const from = inner ? cpu.gprLo(RSP) : vcpu.kernelSp.lo;
  const outer = inner ? [] : [vcpu.savedSs, cpu.gprLo(RSP)];
  const words = [...outer, flags, vcpu.savedCs | (mask << 16), cpu.ripLo(), ...selectors];
  let stored = true;
  words.forEach((value, i) => {
    const at = (from >>> 0) - 4 * (i + 1);
    // Below address 0 there is no page.
    if (at < 0 || !putGuest(machine, vcpu, at | 0, 0, 4, value)) stored = false;
  });
  if (!stored) domainCrash(machine, domain, 'bounce-frame-fault');
  if (vcpu.failsafeDisablesEvents) setUpcallMask(machine, vcpu, 1);
  savedFlags.lo &= ~CLEARED;
  vcpu.savedSs = COMPAT_KERNEL_DS;
  vcpu.savedCs = COMPAT_KERNEL_CS;
  vcpu.kernelMode = true;
  cpu.setGprHalves(RSP, (from - 4 * words.length) | 0, 0);
  cpu.setRipHalves(vcpu.failsafeCallback.lo, 0);
  if (stored) machine.emit({ kind: 'callback', at: vcpu.ref, which: 'failsafe' });
};
