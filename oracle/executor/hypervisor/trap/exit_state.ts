/** Entering Xen from a guest: what is saved decides what frames show and how the guest goes on. */

import { FLAT } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { CS, SS_REG } from '../../cpu/interface.ts';
import type { Vcpu } from '../vcpu.ts';

/** What SYSRET takes from R11, and what IRET of Xen takes from its frame; RF is not kept. */
const SYSRET_FLAGS = 0x3c7fd7;
const IRET_FLAGS = 0x3e7fd5;
/** Never a guest's: I/O privilege is virtual, and there is no virtual-8086 mode. */
const WITHHELD = RFLAGS.IOPL | RFLAGS.VM;

/** By SYSCALL (`sysret`), or by an exception, an interrupt or an input. Nothing happens when Xen holds the vCPU already. */
export const enterXen = (vcpu: Vcpu, sysret: boolean): void => {
  if (vcpu.inXen) return;
  const { cpu } = vcpu;
  vcpu.inXen = true;
  vcpu.exitBySysret = sysret;
  vcpu.savedFlags.set(cpu.flags, 0);
  vcpu.savedCs = sysret ? FLAT.RING3_CS64 : cpu.selector(CS);
  vcpu.savedSs = sysret ? FLAT.RING3_SS64 : cpu.selector(SS_REG);
};

/** The saved flags and selectors as the CPU will have them. */
export const visibleFlags = (vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  const kept = vcpu.savedFlags.lo & ~WITHHELD & (vcpu.exitBySysret ? SYSRET_FLAGS : IRET_FLAGS);
  cpu.flags = kept | RFLAGS.IF | RFLAGS.fixed1;
  cpu.setSelector(CS, vcpu.savedCs);
  cpu.setSelector(SS_REG, vcpu.savedSs);
};

/** Give the CPU what it runs on with. */
export const leaveXen = (vcpu: Vcpu): void => {
  vcpu.inXen = false;
  visibleFlags(vcpu);
};
