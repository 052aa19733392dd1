/**
 * Which vCPU may run and what becomes of its runstate. The choice of the next one is an input; everything that Xen does around a
 * choice is here.
 */
import { RUNSTATE } from '#spec/abi/xen.ts';
import { loadSegments } from './load_segments.ts';
import type { Machine } from './machine.ts';
import { startPeriodic, stopPeriodic } from './periodic_timer.ts';
import { updateRunstateArea } from './runstate_area.ts';
import { refreshTime } from './system_time.ts';
import { dirtyCpu } from './tlbflush.ts';
import { type Vcpu, VPF } from './vcpu.ts';

export const RUNSTATE_NAMES = ['running', 'runnable', 'blocked', 'offline'] as const;

/** Nothing keeps the vCPU from running: initialised, up, not blocked, its domain neither shut down nor held. */
export const isRunnable = (vcpu: Vcpu): boolean =>
  vcpu.initialised && vcpu.pauseFlags === 0 && vcpu.domain.shutdown === null && vcpu.domain.holds === 0;

/** A pCPU could be given to the vCPU, or holds it. One that came up without being woken waits for a wake. */
export const canRun = (vcpu: Vcpu): boolean => isRunnable(vcpu) && vcpu.runstate <= RUNSTATE.runnable;

/** Enter a runstate, account the time spent in the old one, and tell it. */
export const changeRunstate = (machine: Machine, vcpu: Vcpu, state: number): void => {
  if (vcpu.runstate === state) return;
  const spent = machine.now - vcpu.runstateEntry;
  if (spent > 0) {
    vcpu.runstateTime[vcpu.runstate] += spent;
    vcpu.runstateEntry = machine.now;
  }
  vcpu.runstate = state;
  machine.emit({ kind: 'runstate', at: vcpu.ref, state: RUNSTATE_NAMES[state] });
};

/** The vCPU may have become able to run. */
export const wake = (machine: Machine, vcpu: Vcpu): void => {
  if (isRunnable(vcpu)) {
    if (vcpu.runstate >= RUNSTATE.blocked) changeRunstate(machine, vcpu, RUNSTATE.runnable);
  } else if ((vcpu.pauseFlags & VPF.blocked) === 0 && vcpu.runstate === RUNSTATE.blocked) {
    changeRunstate(machine, vcpu, RUNSTATE.offline);
  }
};

/** End a block or a poll, if the vCPU is in one. */
export const unblock = (machine: Machine, vcpu: Vcpu): void => {
  if ((vcpu.pauseFlags & VPF.blocked) === 0) return;
  vcpu.pauseFlags &= ~VPF.blocked;
  if (vcpu.pollPort !== 0) {
    vcpu.pollPort = 0;
    vcpu.domain.polling.delete(vcpu.id);
  }
  wake(machine, vcpu);
};

/** The vCPU may have become unable to run: if it waits for a pCPU it goes offline, if another pCPU holds it, it leaves that one now. */
export const sleep = (machine: Machine, vcpu: Vcpu, caller: Vcpu | null): void => {
  if (isRunnable(vcpu)) return;
  if (vcpu.runstate === RUNSTATE.runnable) changeRunstate(machine, vcpu, RUNSTATE.offline);
  if (vcpu.processor >= 0 && vcpu !== caller) leave(machine, vcpu);
};

/** State of a vCPU that no pCPU holds. */
const stateOffCpu = (vcpu: Vcpu): number => {
  if ((vcpu.pauseFlags & VPF.blocked) !== 0) return RUNSTATE.blocked;
  return isRunnable(vcpu) ? RUNSTATE.runnable : RUNSTATE.offline;
};

/** Take the vCPU off its pCPU, which stays idle. */
export const leave = (machine: Machine, vcpu: Vcpu): void => {
  changeRunstate(machine, vcpu, stateOffCpu(vcpu));
  stopPeriodic(vcpu);
  updateRunstateArea(machine, vcpu);
  machine.pcpus[vcpu.processor].current = null;
  vcpu.processor = -1;
};

/** The pCPU loads the segments of `next` unless it has them still; that may end the domain. */
const takeOver = (machine: Machine, cpu: number, next: Vcpu): void => {
  const pcpu = machine.pcpus[cpu];
  if (pcpu.loaded === next && next.loadedOn === cpu) return;
  machine.tlb.tick((1 << cpu) | dirtyCpu(machine, next));
  pcpu.loaded = next;
  next.loadedOn = cpu;
  next.cpu.xen.setFpuLoaded(false);
  next.cpu.xen.showInterrupts(cpu);
  loadSegments(machine, next);
};

/** Put `next` on a pCPU in place of what it holds. The return-to-guest check is the caller's. */
export const switchTo = (machine: Machine, cpu: number, next: Vcpu | null): void => {
  const pcpu = machine.pcpus[cpu];
  const previous = pcpu.current;
  if (previous) changeRunstate(machine, previous, stateOffCpu(previous));
  if (next) changeRunstate(machine, next, RUNSTATE.running);
  if (previous) {
    stopPeriodic(previous);
    previous.processor = -1;
  }
  pcpu.current = next;
  if (next) {
    next.processor = cpu;
    startPeriodic(machine, next);
  }
  if (previous) updateRunstateArea(machine, previous);
  if (next) {
    takeOver(machine, cpu, next);
    updateRunstateArea(machine, next);
    refreshTime(machine, next);
  }
};
