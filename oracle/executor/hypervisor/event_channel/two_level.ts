/** The two-level ABI: pending and mask bits in shared info, the selector in vcpu_info. */
import type { Domain } from '../domain.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { infoAddress } from '../vcpu_info.ts';
import { markEventsPending, wakePollers } from './wake.ts';

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

/** Set the selector bit of a port's word; true when it was clear. */
const select = (machine: Machine, vcpu: Vcpu, port: number): boolean =>
  !testAndSet(machine, infoAddress(vcpu) + vcpu.domain.info.selector, port >>> vcpu.domain.info.wordShift);

/** Make a port pending, notify `vcpu` unless the port is masked, and end polls that wait for it. */
export const setPending2l = (machine: Machine, vcpu: Vcpu, port: number): void => {
  const { domain } = vcpu;
  if (testAndSet(machine, pendingBits(domain), port)) return;
  if (!test(machine, maskBits(domain), port) && select(machine, vcpu, port)) markEventsPending(machine, vcpu);
  wakePollers(machine, domain, port);
};

export const clearPending2l = (machine: Machine, domain: Domain, port: number): void => {
  testAndClear(machine, pendingBits(domain), port);
};

export const isPending2l = (machine: Machine, domain: Domain, port: number): boolean => test(machine, pendingBits(domain), port);

export const unmask2l = (machine: Machine, vcpu: Vcpu, port: number): void => {
  const { domain } = vcpu;
  if (testAndClear(machine, maskBits(domain), port) && isPending2l(machine, domain, port) && select(machine, vcpu, port))
    markEventsPending(machine, vcpu);
};
