/** Entering Xen from a guest: what is saved decides what frames show and how the guest goes on. */

import { FLAT } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { CS, SS_REG } from '../../cpu/interface.ts';
import type { Vcpu } from '../vcpu.ts';

/** Flags that a guest can have; the rest of a saved value is dropped on the way back. */
const GUEST_FLAGS =
  RFLAGS.CF |
  RFLAGS.PF |
  RFLAGS.AF |
  RFLAGS.ZF |
  RFLAGS.SF |
  RFLAGS.TF |
  RFLAGS.IF |
  RFLAGS.DF |
  RFLAGS.OF |
  RFLAGS.NT |
  RFLAGS.AC |
  RFLAGS.ID;

/** By SYSCALL (`sysret`), or by an exception, an interrupt or an input. Nothing happens when Xen holds the vCPU already. */
export const enterXen = (vcpu: Vcpu, sysret: boolean): void => {
  if (vcpu.inXen) return;
  const { cpu } = vcpu;
  vcpu.inXen = true;
  vcpu.exitBySysret = sysret;
  vcpu.savedFlags.set(Number(cpu.rflags), 0);
  vcpu.savedCs = sysret ? FLAT.RING3_CS64 : cpu.selector(CS);
  vcpu.savedSs = sysret ? FLAT.RING3_SS64 : cpu.selector(SS_REG);
};

/** Give the CPU what it runs on with. */
export const leaveXen = (vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  vcpu.inXen = false;
  cpu.rflags = BigInt((vcpu.savedFlags.lo & GUEST_FLAGS) | RFLAGS.IF | RFLAGS.fixed1);
  cpu.setSelector(CS, vcpu.savedCs);
  cpu.setSelector(SS_REG, vcpu.savedSs);
};
