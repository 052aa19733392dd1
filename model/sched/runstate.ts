/** What a vCPU is doing, and for how long. Chapter: spec/chapters/sched.md, "Runstates". */
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from '../domain.ts';
import { emit } from '../journal.ts';
import { domainOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { RUNSTATES, type Runstate, type RunstateName, type Vcpu } from '../vcpu.ts';

/** Change the runstate; the time spent in the old one is added up. The same state again changes nothing. */
export const changeRunstate = (machine: Machine, at: VcpuRef, state: RunstateName): Machine => {
  const { runstate } = vcpuOf(machine, at);
  if (runstate.state === state) return machine;
  const changed: Runstate = { ...accounted(runstate, machine.now), state };
  return emit(updateVcpu(machine, at, { runstate: changed }), { kind: 'runstate', at, state });
};

/** The runstate with all time up to `now` counted. */
export const accounted = ({ state, since, times }: Runstate, now: number): Runstate => {
  const add = (name: RunstateName): number => times[RUNSTATES.indexOf(name)] + (name === state ? now - since : 0);
  return { state, since: now, times: [add('running'), add('runnable'), add('blocked'), add('offline')] };
};

/** Nothing keeps the vCPU from running: it is up, not blocked, and its domain lives. */
export const isRunnable = (machine: Machine, vcpu: Vcpu): boolean => vcpu.online && !vcpu.blocked && isAlive(domainOf(machine, vcpu.domid));

const isAlive = ({ shutdown, dying, pauses }: Domain): boolean => shutdown === null && dying === undefined && !pauses;

/** Runnable, and known to the scheduler: a vCPU that VCPUOP_initialise put up was never woken. */
export const isSchedulable = (machine: Machine, vcpu: Vcpu): boolean => isRunnable(machine, vcpu) && vcpu.runstate.state !== 'offline';
