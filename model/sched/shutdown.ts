/** The end of a domain. Chapter: spec/chapters/sched.md, "Shutdown". */
import { SHUTDOWN, VIRQ } from '#spec/abi/xen.ts';
import type { CrashReason, VcpuRef } from '#spec/event.ts';
import { send } from '../hypercall/event_channel/send.ts';
import { sendGlobalVirq } from '../hypercall/event_channel/virq.ts';
import { cite, emit } from '../journal.ts';
import { domainOf, pcpuOf, refOf, updateDomain, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { updateRunstateArea } from '../time/areas.ts';
import { stopPeriodic } from '../time/timers.ts';
import { changeRunstate } from './runstate.ts';

/** Shut a domain down. A reason that SCHEDOP_shutdown_code stored before takes precedence. */
export const shutdownDomain = (machine: Machine, domid: number, asked: number): Machine => {
  const domain = domainOf(machine, domid);
  const reason = domain.shutdownCode ?? asked;
  const coded = updateDomain(machine, domid, { shutdownCode: reason });
  if (domain.shutdown !== null) return cite(coded, 'sched/shutdown-again');
  let m = emit(updateDomain(coded, domid, { shutdown: reason }), { kind: 'shutdown', domid, reason });
  for (const vcpu of domainOf(m, domid).vcpus) m = stopVcpu(m, refOf(vcpu));
  if (domid === 0) return { ...cite(m, 'sched/shutdown-dom0'), halted: reason };
  return tellEnd(m, domid, reason);
};

/** Domain 0's toolstack hears of it: by the port that it subscribed to, or by a VIRQ. */
const tellEnd = (machine: Machine, domid: number, reason: number): Machine => {
  const port = domainOf(machine, domid).suspendPort ?? 0;
  if (reason !== SHUTDOWN.suspend || port === 0) return sendGlobalVirq(cite(machine, 'sched/shutdown-domain'), VIRQ.DOM_EXC);
  return send(cite(machine, 'domctl/subscribe-suspend'), { domid, vcpu: 0 }, { port }).machine;
};

/** A vCPU that waits in line goes offline at once; one that runs, when it leaves its pCPU; one that sleeps goes on sleeping. */
export const stopVcpu = (machine: Machine, at: VcpuRef): Machine => {
  if (pcpuOf(machine, at) >= 0) return leavePcpu(machine, at);
  return vcpuOf(machine, at).runstate.state === 'runnable' ? changeRunstate(machine, at, 'offline') : machine;
};

/** Take a vCPU that may not run any more off its pCPU, which idles. */
export const leavePcpu = (machine: Machine, at: VcpuRef): Machine => {
  const holder = pcpuOf(machine, at);
  if (holder < 0) return machine;
  const cpus = machine.cpus.map((cpu, i) => (i === holder ? { ...cpu, current: null } : cpu));
  const stopped = stopPeriodic({ ...machine, cpus }, at);
  return updateRunstateArea(changeRunstate(stopped, at, vcpuOf(machine, at).blocked ? 'blocked' : 'offline'), at);
};

/** Xen ends a domain because of what it did. */
export const crashDomain = (machine: Machine, domid: number, why: CrashReason): Machine =>
  shutdownDomain(emit(cite(machine, 'sched/shutdown-crash'), { kind: 'crash', domid, why }), domid, SHUTDOWN.crash);
