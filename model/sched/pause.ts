/** Stopping all vCPUs of a domain, and letting them go on. Chapter: spec/chapters/domctl.md, "Pausing". */
import { domainOf, refOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { forget } from '../tlb.ts';
import { stopVcpu } from './shutdown.ts';
import { vcpuWake } from './wake.ts';

/** Something keeps the domain's vCPUs from running from now on: they leave their pCPUs, and no pCPU keeps state of theirs. */
export const stopDomain = (machine: Machine, domid: number): Machine => {
  let m = machine;
  for (const vcpu of domainOf(m, domid).vcpus) m = stopVcpu(m, refOf(vcpu));
  const holders = [...m.cpus.keys()].filter((cpu) => m.cpus[cpu].loaded?.domid === domid);
  if (holders.length === 0) return m;
  const cpus = m.cpus.map((pcpu) => (pcpu.loaded?.domid === domid ? { ...pcpu, loaded: null } : pcpu));
  return forget({ ...m, cpus }, holders);
};

/** What kept them is gone. */
export const wakeDomain = (machine: Machine, domid: number): Machine =>
  domainOf(machine, domid).vcpus.reduce((m, vcpu) => vcpuWake(m, refOf(vcpu)), machine);
