/** From the way in which a run of the CPU ended to what Xen does about it. */
import type { Exit } from '../../cpu/exit.ts';
import { compatHypercall } from '../compat/dispatch.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectUnlessDebugged } from './debugger.ts';
import { enterXen } from './exit_state.ts';
import { handleFault } from './fault.ts';
import { handleGeneralProtection } from './general_protection.ts';
import { hasHandler } from './inject.ts';
import { handleSyscall } from './syscall.ts';

/** INT 0x80 has a gate of its own; without a handler Xen treats it as any other INT n. */
const LEGACY_SYSCALL = 0x80;
/** The gate of 32-bit domains' hypercalls. */
const COMPAT_HYPERCALL = 0x82;
const ERROR_IDT = 2;

/** Enter Xen and deal with the exit; frames are pushed on the way back. */
export const handleExit = (machine: Machine, vcpu: Vcpu, exit: Exit): void => {
  if (exit.kind === 'limit') return;
  enterXen(vcpu, exit.kind === 'syscall');
  if (exit.kind === 'syscall') handleSyscall(machine, vcpu);
  else if (exit.kind === 'fault') handleFault(machine, vcpu, exit.vector, exit.error ?? -1, exit.cr2 ?? 0n);
  else if (exit.vector === COMPAT_HYPERCALL) compatHypercall(machine, vcpu);
  else if (exit.vector === LEGACY_SYSCALL && !hasHandler(vcpu, LEGACY_SYSCALL)) {
    vcpu.cpu.rip = BigInt.asUintN(64, vcpu.cpu.rip - 2n);
    handleGeneralProtection(machine, vcpu, LEGACY_SYSCALL * 8 + ERROR_IDT);
  } else {
    // INT1 leaves no cause.
    if (exit.kind === 'trap') vcpu.dr6 |= vcpu.cpu.causes;
    injectUnlessDebugged(machine, vcpu, exit.vector, -1);
  }
};
