/** SYSCALL of a 32-bit guest, from whatever ring: the kernel's callback for it, or #GP(0) at the instruction. */
import { TI } from '#spec/abi/xen.ts';
import { GP } from '../../cpu/exit.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { createCompatBounceFrame } from './bounce.ts';
import { COMPAT_USER_CS, COMPAT_USER_DS } from './selectors.ts';

/** Xen has been entered by SYSCALL, which tells nothing of the caller's segments: they count as the user's. EIP is behind it. */
export const handleCompatSyscall = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  vcpu.exitBySysret = false;
  vcpu.savedCs = COMPAT_USER_CS;
  vcpu.savedSs = COMPAT_USER_DS;
  vcpu.kernelMode = false;
  if ((vcpu.syscall32CallbackCs & ~3) !== 0) {
    const { lo } = vcpu.syscall32Callback;
    if (createCompatBounceFrame(machine, vcpu, vcpu.syscall32CallbackCs, lo, vcpu.syscall32DisablesEvents, -1))
      machine.emit({ kind: 'callback', at: vcpu.ref, which: 'syscall' });
    return;
  }
  cpu.setRipHalves((cpu.ripLo() - 2) | 0, 0);
  const masks = (vcpu.trapFlags[GP] & TI.IF) !== 0;
  if (createCompatBounceFrame(machine, vcpu, vcpu.trapCs[GP], vcpu.trapLo[GP], masks, 0))
    machine.emit({ kind: 'exception', at: vcpu.ref, vector: GP, error: 0, address: null });
};
