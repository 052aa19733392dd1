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

/** Timers in the order in which they fire when their deadlines are equal: by domid, its vCPUs, its watchdogs. */
const armed = (machine: Machine): Due[] => {
  const all: Due[] = [];
  const add = (deadline: number | null, fire: () => void): void => {
    if (deadline !== null) all.push({ deadline, fire });
  };
  for (const domain of machine.domainsByDomid()) {
    for (const vcpu of domain.vcpus) {
      add(vcpu.singleshot, () => fireSingleshot(machine, vcpu));
      add(vcpu.periodicDue, () => startPeriodic(machine, vcpu));
      add(vcpu.pollDeadline, () => firePoll(machine, vcpu));
    }
    domain.watchdogs.forEach((deadline, slot) => {
      add(deadline, () => fireWatchdog(machine, domain, slot));
    });
  }
  return all;
};

/** Earliest deadline; null when nothing is armed. */
export const earliestDeadline = (machine: Machine): number | null =>
  armed(machine).reduce<number | null>((least, { deadline }) => (least === null || deadline < least ? deadline : least), null);

/** Fire what is due, each timer at most once. Answers whether any fired. */
export const fireDueTimers = (machine: Machine): boolean => {
  machine.timerDue = false;
  const due = armed(machine).filter(({ deadline }) => deadline <= machine.now);
  due.sort((a, b) => a.deadline - b.deadline);
  for (const { fire } of due) if (machine.halted === null) fire();
  return due.length > 0;
};
