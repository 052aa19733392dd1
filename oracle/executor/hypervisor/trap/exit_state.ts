/** Entering Xen from a guest: what is saved decides what frames show and how the guest goes on. */

import { FLAT } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { CS, SS_REG } from '../../cpu/interface.ts';
import { isKernelCode } from '../compat/selectors.ts';
import type { Vcpu } from '../vcpu.ts';

/** What SYSRET takes from R11, and what IRET of Xen takes from its frame; RF is not kept. */
const SYSRET_FLAGS = 0x3c7fd7;
const IRET_FLAGS = 0x3e7fd5;
/** Never a guest's: I/O privilege is virtual, and there is no virtual-8086 mode. */
const WITHHELD = RFLAGS.IOPL | RFLAGS.VM;

/**
 * By SYSCALL (`sysret`), or by an exception, an interrupt or an input. Nothing happens when Xen holds the vCPU already. SYSCALL tells 64-bit
 * code from other code by its entry point, and nothing more of the caller's segments. Until the guest goes on its RIP is an offset in CS.
 */
export const enterXen = (vcpu: Vcpu, sysret: boolean): void => {
  if (vcpu.inXen) return;
  const { cpu } = vcpu;
  vcpu.inXen = true;
  vcpu.exitBySysret = sysret;
  vcpu.savedFlags.set(cpu.flags, 0);
  vcpu.savedCs = sysret ? (cpu.legacy ? FLAT.RING3_CS32 : FLAT.RING3_CS64) : cpu.selector(CS);
  vcpu.savedSs = sysret ? FLAT.RING3_SS64 : cpu.selector(SS_REG);
  // Such a guest changes rings without Xen, too.
  if (vcpu.domain.compat) vcpu.kernelMode = isKernelCode(vcpu.savedCs);
  if (cpu.legacy) cpu.setRipHalves(cpu.ip | 0, 0);
};

/** The saved flags as the CPU will have them. `withRf`: RF counts, which IRET loads and which otherwise has no effect. */
const loadFlags = (vcpu: Vcpu, withRf: boolean): void => {
  const iretFlags = withRf ? IRET_FLAGS | RFLAGS.RF : IRET_FLAGS;
  const kept = vcpu.savedFlags.lo & ~WITHHELD & (vcpu.exitBySysret ? SYSRET_FLAGS : iretFlags);
  const flags = kept | RFLAGS.IF | RFLAGS.fixed1;
  // As a rule the guest gets back what it had.
  if (vcpu.cpu.flags !== flags) vcpu.cpu.flags = flags;
};

/** The same, and the saved selectors: what a vCPU shows that is not given back to its guest now; with RF when its domain has crashed. */
export const visibleFlags = (vcpu: Vcpu, withRf = false): void => {
  loadFlags(vcpu, withRf);
  vcpu.cpu.setSelector(CS, vcpu.savedCs);
  vcpu.cpu.setSelector(SS_REG, vcpu.savedSs);
};

/** The guest goes on: CS and SS are loaded. */
export const leaveXen = (vcpu: Vcpu): void => {
  vcpu.inXen = false;
  loadFlags(vcpu, vcpu.cpu.breaking);
};
