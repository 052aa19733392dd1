/** Waking vCPUs. Chapter: spec/chapters/sched.md, "Waking". */
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../journal.ts';
import { updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { changeRunstate, isRunnable } from './runstate.ts';

/** End a block or a poll, if the vCPU is in one. */
export const vcpuUnblock = (machine: Machine, at: VcpuRef): Machine => {
  const vcpu = vcpuOf(machine, at);
  if (!vcpu.blocked) return machine;
  return vcpuWake(cite(updateVcpu(machine, at, { blocked: false, poll: null }), 'sched/wake-unblock'), at);
};

/** An event came up for the vCPU: it stops waiting. One that runs elsewhere notices at its next return from Xen. */
export const vcpuKick = (machine: Machine, at: VcpuRef): Machine => vcpuUnblock(machine, at);

/** Bring the runstate in line after something that kept the vCPU from running went away. */
export const vcpuWake = (machine: Machine, at: VcpuRef): Machine => {
  const vcpu = vcpuOf(machine, at);
  const { state } = vcpu.runstate;
  if (isRunnable(machine, vcpu)) return state === 'blocked' || state === 'offline' ? changeRunstate(machine, at, 'runnable') : machine;
  return !vcpu.blocked && state === 'blocked' ? changeRunstate(machine, at, 'offline') : machine;
};
