/** Timers that Xen keeps for guests: which are armed, which are due, what happens when one fires. Chapter: spec/chapters/time.md. */
import { SHUTDOWN, VIRQ } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import type { Domain } from '../domain.ts';
import { sendGuestVcpuVirq } from '../hypercall/event_channel/virq.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, refOf, updateDomain, updateVcpu, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { shutdownDomain } from '../sched/shutdown.ts';
import { vcpuUnblock } from '../sched/wake.ts';
import type { Vcpu } from '../vcpu.ts';

type Due = { readonly deadline: number; readonly fire: (machine: Machine) => Machine };

/** Earliest time at which some timer is due; null when none is armed. */
export const nextDeadline = (machine: Machine): number | null =>
  armed(machine).reduce<number | null>((least, { deadline }) => (least === null || deadline < least ? deadline : least), null);

/** Fire what is due, earliest first; equal deadlines in order of domain, vCPU and kind. */
export const fireDueTimers = (machine: Machine): { readonly machine: Machine; readonly fired: boolean } => {
  const due = earliest(machine);
  return due === null ? { machine, fired: false } : { machine: fireDueTimers(due.fire(machine)).machine, fired: true };
};

/** What is due already fires before the caller of a hypercall goes on. */
export const fireAtOnce = (machine: Machine): Machine =>
  isTimerDue(machine) ? fireDueTimers(cite(machine, 'time/due-at_once')).machine : machine;

/** Some timer is due. Asked after every hypercall and in the middle of long ones, so without making anything. */
export const isTimerDue = ({ domains, now }: Machine): boolean => {
  for (const { vcpus, watchdogs } of domains) {
    for (const { timers } of vcpus)
      if (isDue(timers.singleshot, now) || isDue(timers.periodicDeadline, now) || isDue(timers.pollDeadline, now)) return true;
    for (const { deadline } of watchdogs) if (isDue(deadline, now)) return true;
  }
  return false;
};

const isDue = (deadline: number | null, now: number): boolean => deadline !== null && deadline <= now;

const earliest = (machine: Machine): Due | null => {
  let first: Due | null = null;
  for (const timer of armed(machine))
    if (timer.deadline <= machine.now && (first === null || timer.deadline < first.deadline)) first = timer;
  return first;
};

const armed = (machine: Machine): Due[] => machine.domains.flatMap((domain) => [...domain.vcpus.flatMap(ofVcpu), ...watchdogsOf(domain)]);

const ofVcpu = (vcpu: Vcpu): Due[] => {
  const at = refOf(vcpu);
  const { singleshot, periodicDeadline, pollDeadline } = vcpu.timers;
  const all: Due[] = [];
  if (singleshot !== null) all.push({ deadline: singleshot, fire: (machine) => fireSingleshot(machine, at) });
  if (periodicDeadline !== null) all.push({ deadline: periodicDeadline, fire: (machine) => periodicWork(machine, at) });
  if (pollDeadline !== null) all.push({ deadline: pollDeadline, fire: (machine) => firePoll(machine, at) });
  return all;
};

const setTimers = (machine: Machine, at: VcpuRef, change: Partial<Vcpu['timers']>): Machine =>
  updateVcpu(machine, at, { timers: { ...vcpuOf(machine, at).timers, ...change } });

const fireSingleshot = (machine: Machine, at: VcpuRef): Machine => {
  const fired = emit(setTimers(machine, at, { singleshot: null }), { kind: 'timer', at, which: 'singleshot' });
  return sendGuestVcpuVirq(cite(fired, 'time/timer-singleshot'), at, VIRQ.TIMER);
};

/** time/timer-poll: only a vCPU that polls is woken; a deadline of an earlier poll stays armed and can end a later one. */
const firePoll = (machine: Machine, at: VcpuRef): Machine => {
  const fired = emit(setTimers(machine, at, { pollDeadline: null }), { kind: 'timer', at, which: 'poll' });
  return vcpuOf(fired, at).poll === null ? fired : vcpuUnblock(cite(fired, 'time/timer-poll'), at);
};

const watchdogsOf = ({ domid, watchdogs }: Domain): Due[] =>
  watchdogs.flatMap(({ deadline }, slot) =>
    deadline === null ? [] : [{ deadline, fire: (machine: Machine) => fireWatchdog(machine, domid, slot) }],
  );

/** time/timer-watchdog: the slot stays taken. */
const fireWatchdog = (machine: Machine, domid: number, slot: number): Machine => {
  const { watchdogs, shutdown } = domainOf(machine, domid);
  const spent = updateDomain(machine, domid, { watchdogs: watchdogs.with(slot, { inUse: true, deadline: null }) });
  const fired = emit(spent, { kind: 'timer', at: { domid, vcpu: 0 }, which: 'watchdog' });
  return shutdown === null ? shutdownDomain(cite(fired, 'time/timer-watchdog'), domid, SHUTDOWN.watchdog) : fired;
};

/**
 * time/timer-periodic: when a period has passed since the last tick, send VIRQ_TIMER and take now for the last tick. Either way
 * the timer is armed for the tick after it.
 */
export const periodicWork = (machine: Machine, at: VcpuRef): Machine => {
  const { period, lastTick } = vcpuOf(machine, at).timers;
  if (period === 0) return machine;
  if (machine.now < lastTick + period) return setTimers(machine, at, { periodicDeadline: lastTick + period });
  const ticked = setTimers(machine, at, { lastTick: machine.now, periodicDeadline: machine.now + period });
  return sendGuestVcpuVirq(cite(emit(ticked, { kind: 'timer', at, which: 'periodic' }), 'time/timer-periodic'), at, VIRQ.TIMER);
};

/** The periodic timer does not run while its vCPU runs nowhere. */
export const stopPeriodic = (machine: Machine, at: VcpuRef): Machine => setTimers(machine, at, { periodicDeadline: null });

/** Set a new period, 0 to stop. */
export const setPeriodic = (machine: Machine, at: VcpuRef, period: number): Machine =>
  periodicWork(setTimers(machine, at, { period, periodicDeadline: null }), at);

/** Deadlines beyond exact numbers, in a hundred days and more, are as good as the last exact one (spec/engine.ts). */
const exact = (deadline: number): number => Math.min(deadline, Number.MAX_SAFE_INTEGER);

/** Arm the one-shot timer, null to stop it. */
export const setSingleshot = (machine: Machine, at: VcpuRef, singleshot: number | null): Machine =>
  setTimers(machine, at, { singleshot: singleshot === null ? null : exact(singleshot) });

/** Arm the deadline of a poll. */
export const setPollDeadline = (machine: Machine, at: VcpuRef, deadline: number): Machine =>
  setTimers(machine, at, { pollDeadline: exact(deadline) });
