/** What Xen does about an exception of a guest, be it the guest's own or that of Xen's way back to it. */
import { DB, GP, NM, PF, UD } from '../../cpu/exit.ts';
import { setTaskSwitched } from '../hypercall/processor.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { injectUnlessDebugged } from './debugger.ts';
import { handleGeneralProtection } from './general_protection.ts';
import { injectException } from './inject.ts';
import { handleInvalidOp } from './invalid_op.ts';
import { handlePageFault } from './page_fault.ts';

/** Xen has been entered; RIP is at the instruction. `error` < 0: the vector has no error code; `cr2` counts for page faults. */
export const handleFault = (machine: Machine, vcpu: Vcpu, vector: number, error: number, cr2: bigint): void => {
  switch (vector) {
    case PF:
      handlePageFault(machine, vcpu, error, Number(BigInt.asIntN(32, cr2)), Number(BigInt.asIntN(32, cr2 >> 32n)));
      return;
    case GP:
      handleGeneralProtection(machine, vcpu, error);
      return;
    case UD:
      handleInvalidOp(machine, vcpu);
      return;
    case DB:
      vcpu.dr6 |= vcpu.cpu.causes;
      break;
    case NM:
      vcpu.fpuUsed = true;
      vcpu.cpu.xen.setFpuLoaded(true);
      setTaskSwitched(vcpu, false);
      injectException(vcpu, NM, -1);
      return;
  }
  injectUnlessDebugged(machine, vcpu, vector, error);
};
