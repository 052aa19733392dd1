/**
 * SYSCALL without leaving the run of the guest: Xen carries the call out and, as a rule, nothing stands in the way of the guest's next instruction. Only
 * when something does (an upcall, a timer, a vCPU that cannot run on) the run ends, and the whole way out is gone.
 */
import { FLAT } from '#spec/abi/xen.ts';
import { R11, RCX, type SyscallServer } from '../../cpu/interface.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import type { Machine } from '../machine.ts';
import { isRunnable } from '../scheduler.ts';
import { isCanonical } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { wantsUpcall } from '../vcpu_info.ts';
import { enterXen } from './exit_state.ts';
import { handleSyscall } from './syscall.ts';

export class SyscallEntry implements SyscallServer {
  /** Steps of the run at work that the machine's counts have already. */
  counted = 0;
  /** Events before what the run is at. */
  since = 0;
  private readonly machine: Machine;
  private readonly vcpu: Vcpu;

  constructor(machine: Machine, vcpu: Vcpu) {
    this.machine = machine;
    this.vcpu = vcpu;
  }

  /** A run begins. */
  begin(): void {
    this.counted = 0;
    this.since = this.machine.events.length;
  }

  /** Let the machine's counts have the steps of the run up to here. */
  count(retired: number): void {
    const { machine } = this;
    const steps = retired - this.counted;
    machine.retired += steps;
    machine.retiredSinceTime += steps;
    this.counted = retired;
  }

  serve(retired: number): boolean {
    const { machine, vcpu } = this;
    this.count(retired);
    CALL_STATE.gaveUp = false;
    enterXen(vcpu, true);
    const flags = vcpu.savedFlags.lo;
    handleSyscall(machine, vcpu);
    if (!goesOn(machine, vcpu) || vcpu.savedFlags.lo !== flags) return false;
    sysret(vcpu, flags);
    this.since = machine.events.length;
    return true;
  }
}

/** Nothing is to be done before the guest's next instruction, and SYSRET leads there. */
const goesOn = (machine: Machine, vcpu: Vcpu): boolean =>
  !CALL_STATE.gaveUp &&
  !machine.timerDue &&
  !vcpu.mustMove &&
  isRunnable(vcpu) &&
  vcpu.pendingVector < 0 &&
  !vcpu.nmiPending &&
  !wantsUpcall(machine, vcpu) &&
  vcpu.exitBySysret &&
  vcpu.savedCs === FLAT.RING3_CS64 &&
  isCanonical(vcpu.cpu.ripHi());

/** What `returnToGuest` does then, when the flags are those that the guest came with. */
const sysret = (vcpu: Vcpu, flags: number): void => {
  const { cpu } = vcpu;
  cpu.setGprHalves(RCX, cpu.ripLo(), cpu.ripHi());
  cpu.setGprHalves(R11, flags, 0);
  cpu.xen.enterBySysret(true);
  vcpu.inXen = false;
};
