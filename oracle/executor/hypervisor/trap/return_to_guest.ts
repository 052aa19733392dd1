/** The way back to the guest: a pending exception, then an NMI, then an upcall get their frames; then SYSRET or IRET. */
import { FLAT, TI } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { DB } from '../../cpu/exit.ts';
import { DS, ES, type GuestCpu, R11, RCX } from '../../cpu/interface.ts';
import type { Machine } from '../machine.ts';
import { isRunnable } from '../scheduler.ts';
import { hexText, isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { upcallMask, upcallPending } from '../vcpu_info.ts';
import { createBounceFrame } from './bounce.ts';
import { injectUnlessDebugged } from './debugger.ts';
import { enterXen, leaveXen } from './exit_state.ts';
import { handleFault } from './fault.ts';
import { hasHandler } from './inject.ts';

const NMI = 2;
const PAGE_FAULT = 14;
/** A 32-bit guest's handlers in rings 2 and 3 that nothing can return to are not followed further than this. */
const OUTER_RING = 2;
const MOST_FAILED_RETURNS = 4;
/** DR6.BS. */
const DR6_SINGLE_STEP = 0x4000;

/** Let the guest go on if it can run. Xen must have been entered (`enterXen`). */
export const returnToGuest = (machine: Machine, vcpu: Vcpu): void => {
  let failed = 0;
  while (isRunnable(vcpu)) {
    if (vcpu.pendingVector >= 0) pushException(machine, vcpu);
    else if (vcpu.nmiPending && !vcpu.nmiMasked) pushNmi(machine, vcpu);
    else if (upcallMask(machine, vcpu) === 0 && upcallPending(machine, vcpu) !== 0) pushUpcall(machine, vcpu);
    else {
      const outer = vcpu.domain.compat && (vcpu.savedCs & OUTER_RING) !== 0;
      if (exit(machine, vcpu)) return;
      if (outer && ++failed > MOST_FAILED_RETURNS) throw new NotModelled('compat/handler-selector');
    }
  }
};

const pushException = (machine: Machine, vcpu: Vcpu): void => {
  const vector = vcpu.pendingVector;
  const error = vcpu.pendingError;
  vcpu.pendingVector = -1;
  const masks = (vcpu.trapFlags[vector] & TI.IF) !== 0;
  if (!createBounceFrame(machine, vcpu, vcpu.trapLo[vector], vcpu.trapHi[vector], masks, error, vcpu.trapCs[vector])) return;
  const address = vector === PAGE_FAULT && error >= 0 ? hexText(vcpu.cr2.lo, vcpu.cr2.hi) : null;
  machine.emit({ kind: 'exception', at: vcpu.ref, vector, error: error < 0 ? null : error, address });
};

/** Without a handler the NMI is lost. */
const pushNmi = (machine: Machine, vcpu: Vcpu): void => {
  vcpu.nmiPending = false;
  const lo = vcpu.trapLo[NMI];
  const hi = vcpu.trapHi[NMI];
  if (!hasHandler(vcpu, NMI)) return;
  vcpu.nmiMasked = true;
  if (createBounceFrame(machine, vcpu, lo, hi, (vcpu.trapFlags[NMI] & TI.IF) !== 0, -1, vcpu.trapCs[NMI]))
    machine.emit({ kind: 'callback', at: vcpu.ref, which: 'nmi' });
};

const pushUpcall = (machine: Machine, vcpu: Vcpu): void => {
  const { lo, hi } = vcpu.eventCallback;
  if (createBounceFrame(machine, vcpu, lo, hi, true, -1, vcpu.eventCallbackCs))
    machine.emit({ kind: 'callback', at: vcpu.ref, which: 'event' });
};

/** SYSRET or IRET; false when it faulted and the fault has been turned into the guest's. */
const exit = (machine: Machine, vcpu: Vcpu): boolean => {
  const { cpu, savedFlags } = vcpu;
  const ripHi = cpu.ripHi();
  if (vcpu.exitBySysret) {
    cpu.setGprHalves(RCX, cpu.ripLo(), ripHi);
    cpu.setGprHalves(R11, (savedFlags.lo & ~(RFLAGS.IOPL | RFLAGS.VM)) | RFLAGS.IF, savedFlags.hi);
    if (isCanonical(ripHi)) {
      cpu.xen.enterBySysret(vcpu.savedCs !== FLAT.RING3_CS32);
      leaveXen(vcpu);
      return !singleSteps(machine, vcpu);
    }
    vcpu.exitBySysret = false;
  }
  if (entersByIret(vcpu)) {
    clearNullSelectors(cpu);
    leaveXen(vcpu);
    return true;
  }
  handleFault(machine, vcpu, cpu.faultVector, cpu.faultError ?? -1, cpu.faultAddress ?? 0n);
  return false;
};

/** SYSRET with TF in R11 traps at once, before the guest's next instruction; IRET lets that one run. True when Xen was entered again. */
const singleSteps = (machine: Machine, vcpu: Vcpu): boolean => {
  if ((vcpu.cpu.flags & RFLAGS.TF) === 0) return false;
  enterXen(vcpu, false);
  vcpu.dr6 |= DR6_SINGLE_STEP;
  injectUnlessDebugged(machine, vcpu, DB, -1);
  return true;
};

/** On the way out of ring 0 null selectors of DS and ES lose their RPL; FS and GS keep it, as on the machine that real Xen was recorded on. */
const clearNullSelectors = (cpu: GuestCpu): void => {
  if (cpu.selector(DS) <= 3) cpu.setSelector(DS, 0);
  if (cpu.selector(ES) <= 3) cpu.setSelector(ES, 0);
};

/** IRET to the saved context; false when it faults. To Xen's own 64-bit code without a look at any table. */
const entersByIret = ({ cpu, savedCs, savedSs }: Vcpu): boolean => {
  if (savedCs !== FLAT.RING3_CS64 || savedSs !== FLAT.RING3_SS64 || !isCanonical(cpu.ripHi())) return cpu.xen.enterByIret(savedCs, savedSs);
  cpu.xen.enterBySysret(true);
  return true;
};
