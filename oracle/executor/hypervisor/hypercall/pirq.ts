/** Interrupts of devices, as far as a domain can go that has none: numbers (pirqs) are handed out, and nothing is behind them. */
import { NR_PIRQS } from '#spec/abi/event_channel.ts';
import { MAP_PIRQ_TYPE, NR_GSIS, NR_ISA_IRQS, physdev, XENIRQSTAT_NEEDS_EOI } from '#spec/abi/physdev.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId } from '../domids.ts';
import { putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';

/** Pirqs of a domain lie below this number. */
export const pirqLimit = ({ privileged }: Domain): number => (privileged ? NR_PIRQS.dom0 : NR_PIRQS.other);

/** Write back a structure of two words, all of it or nothing. */
const replyPair = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, first: number, second: number): number =>
  putGuest(machine, vcpu, lo, hi, 8, first, second) ? 0 : minus('EFAULT');

/** The number is not asked to belong to an interrupt. */
export const queryStatus = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const irq = scratch.getInt32(physdev.irq_status_query.fields.irq.at, true);
  if (irq < 0 || irq >= pirqLimit(vcpu.domain)) return minus('EINVAL');
  return replyPair(machine, vcpu, lo, hi, irq, XENIRQSTAT_NEEDS_EOI);
};

/** Only numbers that were handed out are known. */
export const endOfInterrupt = (domain: Domain): number =>
  domain.pirqs.has(scratch.getUint32(physdev.eoi.fields.irq.at, true)) ? 0 : minus('EINVAL');

/** A number stays taken when it cannot be told. */
export const getFreePirq = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const type = scratch.getInt32(physdev.get_free_pirq.fields.type.at, true);
  const pirq = freePirq(vcpu.domain, type === MAP_PIRQ_TYPE.GSI);
  if (pirq < 0) return minus('ENOSPC');
  vcpu.domain.pirqs.add(pirq);
  return replyPair(machine, vcpu, lo, hi, type, pirq);
};

/** Lines of the I/O APIC from the first that is not an old one; else from the last number down to behind those lines. -1: all are taken. */
export const freePirq = (domain: Domain, line: boolean): number => {
  if (line) for (let pirq = NR_ISA_IRQS; pirq < NR_GSIS; pirq++) if (!domain.pirqs.has(pirq)) return pirq;
  for (let pirq = pirqLimit(domain) - 1; pirq >= NR_GSIS; pirq--) if (!domain.pirqs.has(pirq)) return pirq;
  return -1;
};

/** Nothing is mapped. */
export const unmapPirq = (machine: Machine, caller: Domain): number => {
  if (!domainByAnyId(machine, caller, scratch.getUint16(physdev.unmap_pirq.fields.domid.at, true))) return minus('ESRCH');
  return minus(caller.privileged ? 'EINVAL' : 'EPERM');
};
