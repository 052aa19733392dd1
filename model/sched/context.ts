/** Putting vCPUs on pCPUs and taking them off. Chapter: spec/chapters/sched.md, "Switching". */
import type { VcpuRef } from '#spec/event.ts';
import { BadInput } from '#spec/failure.ts';
import { cite } from '../journal.ts';
import { findDomain, pcpuOf, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { updateRunstateArea } from '../time/areas.ts';
import { refreshTime } from '../time/clock.ts';
import { periodicWork, stopPeriodic } from '../time/timers.ts';
import { forget } from '../tlb.ts';
import { loadSegments } from '../traps/failsafe.ts';
import { isPinnedElsewhere, returnToGuest } from '../traps/return.ts';
import { changeRunstate, isRunnable, isSchedulable } from './runstate.ts';
import { leavePcpu } from './shutdown.ts';

const same = (a: VcpuRef | null, b: VcpuRef | null): boolean => a?.domid === b?.domid && a?.vcpu === b?.vcpu;

/** Give pCPU `cpu` another vCPU, or none. Throws BadInput when that vCPU cannot run there. */
export const schedule = (machine: Machine, cpu: number, next: VcpuRef | null): Machine => {
  const holder = machine.cpus[cpu];
  if (!holder) throw new BadInput(`input: there is no pCPU ${cpu}`);
  if (same(holder.current, next)) return machine;
  if (next) checkRunnable(machine, cpu, next);
  const out = holder.current ? switchOut(machine, holder.current) : machine;
  const m = next
    ? periodicWork(changeRunstate(cite(handOver(out, cpu, next), 'sched/switch-in'), next, 'running'), next)
    : cite(cite({ ...out, cpus: out.cpus.with(cpu, { ...holder, current: null }) }, 'sched/switch-idle'), 'tlb/dirty');
  const left = holder.current ? updateRunstateArea(m, holder.current) : m;
  if (!next) return left;
  const { machine: ready, failsafe } = same(holder.loaded ?? null, next)
    ? { machine: left, failsafe: false }
    : loadSegments(putOn(left, cpu, next), next);
  return returnToGuest(refreshTime(updateRunstateArea(ready, next), next), next, failsafe ? 'sysret' : vcpuOf(ready, next).wayBack);
};

/** The pCPU has the vCPU and what belongs to it; no other still does. */
const handOver = (machine: Machine, cpu: number, next: VcpuRef): Machine => {
  const has = (k: number): boolean => same(machine.cpus[k]?.loaded ?? null, next);
  if (has(cpu)) return { ...machine, cpus: machine.cpus.with(cpu, { current: next, loaded: next }) };
  const others = [...machine.cpus.keys()].filter(has);
  const forgotten = forget(cite(machine, 'tlb/switch'), [cpu, ...others]);
  return {
    ...forgotten,
    cpus: machine.cpus.map((pcpu, k) => {
      if (k === cpu) return { current: next, loaded: next };
      return others.includes(k) ? { ...pcpu, loaded: null } : pcpu;
    }),
  };
};

/** trap/fpu-aside: Xen loads the state of x87, MMX and SSE when the guest wants it. */
const putOn = (machine: Machine, cpu: number, next: VcpuRef): Machine => {
  const { cpu: state, fpuUsed } = vcpuOf(machine, next);
  const system = { ...state.system, fpuAside: true };
  const used = fpuUsed !== undefined && (fpuUsed || !state.system.fpuAside);
  return updateVcpu(cite(machine, 'trap/fpu-aside'), next, { cpu: { ...state, system }, elsewhere: cpu !== 0, fpuUsed: used });
};

const checkRunnable = (machine: Machine, cpu: number, next: VcpuRef): void => {
  const vcpu = findDomain(machine, next.domid)?.vcpus[next.vcpu];
  const name = `vCPU ${next.vcpu} of domain ${next.domid}`;
  if (!vcpu) throw new BadInput(`input: there is no ${name}`);
  if (!isSchedulable(machine, vcpu)) throw new BadInput(`input: ${name} cannot run`);
  if (pcpuOf(machine, next) >= 0) throw new BadInput(`input: ${name} runs on another pCPU`);
  if (vcpu.pinnedTo !== null && vcpu.pinnedTo !== cpu) throw new BadInput(`input: ${name} is pinned to pCPU ${vcpu.pinnedTo}`);
};

const switchOut = (machine: Machine, at: VcpuRef): Machine =>
  changeRunstate(
    stopPeriodic(cite(machine, 'sched/switch-out'), at),
    at,
    isRunnable(machine, vcpuOf(machine, at)) ? 'runnable' : 'offline',
  );

/** At the end of a step: a vCPU that blocked, went down or was pinned elsewhere leaves its pCPU. */
export const leaveIfStopped = (machine: Machine, at: VcpuRef): Machine => {
  const holder = pcpuOf(machine, at);
  if (holder < 0) return machine;
  const vcpu = vcpuOf(machine, at);
  if (!isRunnable(machine, vcpu)) return leavePcpu(machine, at);
  if (!isPinnedElsewhere(machine, at)) return machine;
  const out = switchOut(machine, at);
  const left: Machine = { ...out, cpus: out.cpus.with(holder, { ...out.cpus[holder], current: null }) };
  return cite(updateRunstateArea(left, at), 'sched/switch-pinned');
};
