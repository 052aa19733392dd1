/** Raising event channels (two-level ABI): pending and mask bits in shared info, the selector and the upcall flag in vcpu_info. */
import type { Domain } from './domain.ts';
import type { Machine } from './machine.ts';
import { unblock } from './scheduler.ts';
import type { Vcpu } from './vcpu.ts';
import { infoAddress, setUpcallPending, upcallPending } from './vcpu_info.ts';

/** Set one bit of a bitmap in machine memory; the answer is what it was before. */
const testAndSet = (machine: Machine, base: number, bit: number): boolean => {
  const at = base + (bit >>> 3);
  const old = machine.memory.bytes[at];
  const mask = 1 << (bit & 7);
  if ((old & mask) !== 0) return true;
  machine.memory.write8(at, old | mask);
  return false;
};

const testAndClear = (machine: Machine, base: number, bit: number): boolean => {
  const at = base + (bit >>> 3);
  const old = machine.memory.bytes[at];
  const mask = 1 << (bit & 7);
  if ((old & mask) === 0) return false;
  machine.memory.write8(at, old & ~mask);
  return true;
};

const test = (machine: Machine, base: number, bit: number): boolean => (machine.memory.bytes[base + (bit >>> 3)] & (1 << (bit & 7))) !== 0;

const pendingBits = (domain: Domain): number => domain.sharedInfoMfn * 4096 + domain.info.pending;
const maskBits = (domain: Domain): number => domain.sharedInfoMfn * 4096 + domain.info.mask;

/** The vCPU has something to look at: sets its upcall flag and, if it was clear, ends a block. */
export const markEventsPending = (machine: Machine, vcpu: Vcpu): void => {
  if ((upcallPending(machine, vcpu) & 1) !== 0) return;
  setUpcallPending(machine, vcpu, upcallPending(machine, vcpu) | 1);
  unblock(machine, vcpu);
};

/** Set the selector bit of a port's word; true when it was clear. */
const select = (machine: Machine, vcpu: Vcpu, port: number): boolean =>
  !testAndSet(machine, infoAddress(vcpu) + vcpu.domain.info.selector, port >>> vcpu.domain.info.wordShift);

/** Make a port pending, notify `vcpu` unless the port is masked, and end polls that wait for it. */
export const setPending = (machine: Machine, vcpu: Vcpu, port: number): void => {
  const { domain } = vcpu;
  if (testAndSet(machine, pendingBits(domain), port)) return;
  if (!test(machine, maskBits(domain), port) && select(machine, vcpu, port)) markEventsPending(machine, vcpu);
  wakePollers(machine, domain, port);
};

/** Raise a port of a domain on the vCPU it notifies. A port that is not in use stays silent. */
export const raisePort = (machine: Machine, domain: Domain, port: number): void => {
  const found = domain.portAt(port);
  if (found) setPending(machine, domain.vcpus[found.vcpu], port);
};

export const clearPending = (machine: Machine, domain: Domain, port: number): void => {
  testAndClear(machine, pendingBits(domain), port);
};

export const isPending = (machine: Machine, domain: Domain, port: number): boolean => test(machine, pendingBits(domain), port);
export const isMasked = (machine: Machine, domain: Domain, port: number): boolean => test(machine, maskBits(domain), port);

/** EVTCHNOP_unmask's work on `vcpu`, which the port notifies. */
export const unmaskPort = (machine: Machine, vcpu: Vcpu, port: number): void => {
  const { domain } = vcpu;
  if (testAndClear(machine, maskBits(domain), port) && isPending(machine, domain, port) && select(machine, vcpu, port))
    markEventsPending(machine, vcpu);
};

/** End SCHEDOP_poll of the vCPUs that wait for this port, for several, or that have not yet said for which. */
export const wakePollers = (machine: Machine, domain: Domain, port: number): void => {
  if (domain.polling.size === 0) return;
  for (const vcpu of domain.vcpus) {
    if (!domain.polling.has(vcpu.id) || (vcpu.pollPort > 0 && vcpu.pollPort !== port)) continue;
    domain.polling.delete(vcpu.id);
    vcpu.pollPort = 0;
    unblock(machine, vcpu);
  }
};

/** A virtual interrupt of one vCPU (VIRQ_TIMER, …); dropped when it is not bound. */
export const sendGuestVcpuVirq = (machine: Machine, vcpu: Vcpu, virq: number): void => {
  const port = vcpu.virqPort[virq];
  if (port !== 0) setPending(machine, vcpu, port);
};

/** A virtual interrupt of a whole domain (VIRQ_CONSOLE, …), which lives on vCPU 0's table; dropped when it is not bound. */
export const sendGuestGlobalVirq = (machine: Machine, domain: Domain, virq: number): void => {
  const port = domain.vcpus[0].virqPort[virq];
  if (port !== 0) raisePort(machine, domain, port);
};
