/** SYSCALL: a hypercall from 64-bit code of the guest kernel; from elsewhere one of the kernel's two syscall callbacks. */
import { FLAT, TI } from '#spec/abi/xen.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { UD } from '../../cpu/exit.ts';
import { RSP } from '../../cpu/interface.ts';
import { handleCompatSyscall } from '../compat/syscall.ts';
import { hypercall } from '../hypercall/dispatch.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { createBounceFrame } from './bounce.ts';

/** Xen has been entered by SYSCALL; RIP is behind it. */
export const handleSyscall = (machine: Machine, vcpu: Vcpu): void => {
  if (vcpu.domain.compat) handleCompatSyscall(machine, vcpu);
  else if (vcpu.kernelMode && vcpu.savedCs !== FLAT.RING3_CS32) hypercall(machine, vcpu);
  else switchToKernel(machine, vcpu);
};

/**
 * 32-bit code has a callback of its own, but whether that masks events is the other's to say. Without a callback the kernel gets #UD at the instruction. The saved flags are masked with the new stack pointer: Xen 4.17 means to clear
 * DF alone, but the register that holds the mask is used up by then (spec/findings.md).
 */
const switchToKernel = (machine: Machine, vcpu: Vcpu): void => {
  const { cpu } = vcpu;
  const { ways } = machine;
  const own = vcpu.savedCs === FLAT.RING3_CS32 ? vcpu.syscall32Callback : vcpu.syscallCallback;
  const callback = own.isZero() && ways['syscall-compat_fallback'] === 'the 64-bit callback' ? vcpu.syscallCallback : own;
  if (!callback.isZero() || ways['syscall-no_callback'] === 'crash') {
    if (!createBounceFrame(machine, vcpu, callback.lo, callback.hi, vcpu.syscallDisablesEvents, -1)) return;
    vcpu.savedFlags.lo &= ways['syscall-flags'] === 'without DF' ? ~RFLAGS.DF : cpu.gprLo(RSP);
    machine.emit({ kind: 'callback', at: vcpu.ref, which: 'syscall' });
    return;
  }
  cpu.rip = BigInt.asUintN(64, cpu.rip - 2n);
  const masks = (vcpu.trapFlags[UD] & TI.IF) !== 0;
  if (!createBounceFrame(machine, vcpu, vcpu.trapLo[UD], vcpu.trapHi[UD], masks, -1)) return;
  vcpu.savedFlags.lo &= cpu.gprLo(RSP);
  machine.emit({ kind: 'exception', at: vcpu.ref, vector: UD, error: null, address: null });
};
