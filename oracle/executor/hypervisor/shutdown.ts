/** The end of a domain, by its own wish, by Xen's verdict or by a watchdog. dom0's end stops the machine. */
import { SHUTDOWN, VIRQ } from '#spec/abi/xen.ts';
import type { CrashReason } from '#spec/event.ts';
import type { Domain } from './domain.ts';
import { sendPort } from './event_channel/notify.ts';
import type { Machine } from './machine.ts';
import { sleep } from './scheduler.ts';
import { sendGlobalVirq } from './upcall.ts';

/** Shut the domain down. A code that it stored before wins over `reason`. Its vCPUs leave their pCPUs at once, in order. */
export const domainShutdown = (machine: Machine, domain: Domain, reason: number): void => {
  if (domain.shutdown !== null) return;
  const effective = domain.shutdownCode ?? reason;
  domain.shutdown = effective;
  domain.shutdownCode = effective;
  machine.emit({ kind: 'shutdown', domid: domain.domid, reason: effective });
  if (domain.privileged) machine.halted = effective;
  for (const vcpu of domain.vcpus) sleep(machine, vcpu, null);
  tell(machine, domain, effective);
};

/** Domain 0 is told; of a suspension the one that waits for the domain's own port, if there is one. */
const tell = (machine: Machine, domain: Domain, reason: number): void => {
  if (reason === SHUTDOWN.suspend && domain.suspendPort > 0) {
    sendPort(machine, domain, domain.suspendPort);
    return;
  }
  if (!domain.privileged) sendGlobalVirq(machine, VIRQ.DOM_EXC);
};

/** Xen gives up on a domain. */
export const domainCrash = (machine: Machine, domain: Domain, why: CrashReason): void => {
  if (domain.shutdown !== null) return;
  machine.emit({ kind: 'crash', domid: domain.domid, why });
  domainShutdown(machine, domain, SHUTDOWN.crash);
};
