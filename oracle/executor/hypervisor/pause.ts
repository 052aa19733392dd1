/** Stopping a whole domain and letting it go on. Each reason to stop counts by itself. */
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';
import { sleep, wake } from './scheduler.ts';
import { dirtyCpu } from './tlbflush.ts';
import type { Vcpu } from './vcpu.ts';

/** No vCPU of the domain, which is not the caller's, runs until the hold ends; no pCPU keeps registers of theirs. */
export const hold = (machine: Machine, caller: Vcpu, domain: Domain): void => {
  domain.holds++;
  for (const vcpu of domain.vcpus) {
    sleep(machine, vcpu, caller);
    forgetRegisters(machine, vcpu);
  }
};

const forgetRegisters = (machine: Machine, vcpu: Vcpu): void => {
  const mask = dirtyCpu(machine, vcpu);
  if (mask === 0) return;
  machine.tlb.tick(mask);
  machine.pcpus[vcpu.loadedOn].loaded = null;
  vcpu.loadedOn = -1;
};

export const release = (machine: Machine, domain: Domain): void => {
  domain.holds--;
  if (domain.holds === 0) for (const vcpu of domain.vcpus) wake(machine, vcpu);
};

/** A domain that was shut down goes on; what it or Xen gave as the reason is forgotten. */
export const resume = (machine: Machine, caller: Vcpu, domain: Domain): void => {
  hold(machine, caller, domain);
  domain.shutdown = null;
  domain.shutdownCode = null;
  release(machine, domain);
};
