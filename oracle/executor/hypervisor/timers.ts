/** All timers of the machine: setting them, the earliest, and firing those that are due. */
import { SHUTDOWN, VIRQ } from '#spec/abi/xen.ts';
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';
import { startPeriodic } from './periodic_timer.ts';
import { unblock } from './scheduler.ts';
import { domainShutdown } from './shutdown.ts';
import { sendGuestVcpuVirq } from './upcall.ts';
import type { Vcpu } from './vcpu.ts';

/** Deadlines that no run reaches, 104 days and more ahead, are all told as one. */
const within = (deadline: number): number => Math.min(deadline, Number.MAX_SAFE_INTEGER);

export const setSingleshot = (machine: Machine, vcpu: Vcpu, deadline: number | null): void => {
  vcpu.singleshot = deadline === null ? null : within(deadline);
  machine.noteTimer(deadline);
};

export const setPollTimer = (machine: Machine, vcpu: Vcpu, deadline: number): void => {
  vcpu.pollDeadline = within(deadline);
  machine.noteTimer(deadline);
};

export const setWatchdog = (machine: Machine, domain: Domain, slot: number, deadline: number | null): void => {
  domain.watchdogs[slot] = deadline;
  machine.noteTimer(deadline);
};

const fireSingleshot = (machine: Machine, vcpu: Vcpu): void => {
  vcpu.singleshot = null;
  machine.emit({ kind: 'timer', at: vcpu.ref, which: 'singleshot' });
  sendGuestVcpuVirq(machine, vcpu, VIRQ.TIMER);
};

const firePoll = (machine: Machine, vcpu: Vcpu): void => {
  vcpu.pollDeadline = null;
  machine.emit({ kind: 'timer', at: vcpu.ref, which: 'poll' });
  if (!vcpu.domain.polling.delete(vcpu.id)) return;
  unblock(machine, vcpu);
};

/** The slot stays taken: only setting it to zero frees it. */
const fireWatchdog = (machine: Machine, domain: Domain, slot: number): void => {
  domain.watchdogs[slot] = null;
  machine.emit({ kind: 'timer', at: domain.vcpus[0].ref, which: 'watchdog' });
  domainShutdown(machine, domain, SHUTDOWN.watchdog);
};

type Due = { readonly deadline: number; readonly fire: () => void };

/** Timers that are due, in the order in which they fire when their deadlines are equal: by domid, its vCPUs, its watchdogs. */
const dueTimers = (machine: Machine): Due[] => {
  const due: Due[] = [];
  const { now } = machine;
  const isDue = (deadline: number | null): deadline is number => deadline !== null && deadline <= now;
  for (const domain of machine.domainsByDomid()) {
    for (const vcpu of domain.vcpus) {
      const { singleshot, periodicDue, pollDeadline } = vcpu;
      if (isDue(singleshot)) due.push({ deadline: singleshot, fire: () => fireSingleshot(machine, vcpu) });
      if (isDue(periodicDue)) due.push({ deadline: periodicDue, fire: () => startPeriodic(machine, vcpu) });
      if (isDue(pollDeadline)) due.push({ deadline: pollDeadline, fire: () => firePoll(machine, vcpu) });
    }
    domain.watchdogs.forEach((deadline, slot) => {
      if (isDue(deadline)) due.push({ deadline, fire: () => fireWatchdog(machine, domain, slot) });
    });
  }
  return due;
};

const earlier = (least: number | null, deadline: number | null): number | null =>
  deadline !== null && (least === null || deadline < least) ? deadline : least;

/** Earliest deadline; null when nothing is armed. */
export const earliestDeadline = (machine: Machine): number | null => {
  let least: number | null = null;
  for (const domain of machine.domains) {
    for (const { singleshot, periodicDue, pollDeadline } of domain.vcpus)
      least = earlier(earlier(earlier(least, singleshot), periodicDue), pollDeadline);
    for (const deadline of domain.watchdogs) least = earlier(least, deadline);
  }
  return least;
};

/** Fire what is due, each timer at most once. Answers whether any fired. */
export const fireDueTimers = (machine: Machine): boolean => {
  machine.timerDue = false;
  const due = dueTimers(machine);
  due.sort((a, b) => a.deadline - b.deadline);
  for (const { fire } of due) if (machine.halted === null) fire();
  return due.length > 0;
};
