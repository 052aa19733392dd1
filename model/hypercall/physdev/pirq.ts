/** physdev_op about the numbers of interrupts. Nothing maps one here. Chapter: spec/chapters/physdev.md. */
import { MAP_PIRQ_TYPE, NR_GSIS, NR_ISA_IRQS, physdev, XENIRQSTAT_NEEDS_EOI } from '#spec/abi/physdev.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isControlDomain } from '../domids.ts';
import { withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { answer, type PhysdevOperation, pirqsOf, privileged, reading } from './rule.ts';

export const irqUnmaskNotify: PhysdevOperation = (machine) => done(machine, 'physdev/irq_unmask_notify');

export const irqStatusQuery = reading(physdev.irq_status_query, (machine, asked) => {
  // A number below 0 as a signed one is above every limit as an unsigned one.
  if (asked.fields.irq >= pirqsOf(asked.caller)) return fail(machine, 'EINVAL', 'physdev/irq_status_query-number');
  return answer(machine, physdev.irq_status_query, asked, { flags: XENIRQSTAT_NEEDS_EOI }, 'physdev/irq_status_query-done');
});

const taken = (machine: Machine, { domid }: VcpuRef): readonly number[] => domainOf(machine, domid).pirqs ?? [];

export const eoi = reading(physdev.eoi, (machine, { caller, fields }) =>
  taken(machine, caller).includes(fields.irq) ? done(machine, 'physdev/eoi-done') : fail(machine, 'EINVAL', 'physdev/eoi-number'),
);

/** The number that get_free_pirq chooses, if any is left. Clause `physdev/get_free_pirq-choice`. */
const freePirq = (machine: Machine, caller: VcpuRef, type: number): number | undefined => {
  const inUse = taken(machine, caller);
  const isFree = (pirq: number): boolean => !inUse.includes(pirq);
  const gsis = Array.from({ length: NR_GSIS - NR_ISA_IRQS }, (_, i) => NR_ISA_IRQS + i);
  const others = Array.from({ length: pirqsOf(caller) - NR_GSIS }, (_, i) => pirqsOf(caller) - 1 - i);
  return (type === MAP_PIRQ_TYPE.GSI ? gsis.find(isFree) : undefined) ?? others.find(isFree);
};

export const getFreePirq = reading(physdev.get_free_pirq, (machine, asked) => {
  const pirq = freePirq(machine, asked.caller, asked.fields.type);
  if (pirq === undefined) return fail(machine, 'ENOSPC', 'physdev/get_free_pirq-none');
  const m = updateDomain(cite(machine, 'physdev/get_free_pirq-choice'), asked.caller.domid, {
    pirqs: [...taken(machine, asked.caller), pirq],
  });
  return answer(m, physdev.get_free_pirq, asked, { pirq }, 'physdev/get_free_pirq-done');
});

const someDomain = (machine: Machine, domid: number): boolean => domid === DOMID.SELF || findDomain(machine, domid) !== undefined;

export const mapPirq = reading(physdev.map_pirq, (machine, { caller, arg, fields, bytes }) => {
  const { domid, type, table_base } = fields;
  if (type === MAP_PIRQ_TYPE.MULTI_MSI && table_base !== 0) return fail(machine, 'EINVAL', 'physdev/map_pirq-multi_msi');
  const known = someDomain(machine, domid);
  if (known && isControlDomain(caller)) return notModelled(machine, caller, 'physdev_op/map_pirq');
  const after = type === MAP_PIRQ_TYPE.MSI_SEG ? withFields(bytes, physdev.map_pirq, { type: MAP_PIRQ_TYPE.MSI }) : bytes;
  const written = copyToGuestUnchecked(machine, caller, arg, after);
  const refuse = (): HypercallResult =>
    known ? fail(written.machine, 'EPERM', 'physdev/map_pirq-privilege') : fail(written.machine, 'ESRCH', 'physdev/map_pirq-domain');
  return written.ok ? refuse() : fail(written.machine, 'EFAULT', 'physdev/map_pirq-domain');
});

export const unmapPirq = reading(physdev.unmap_pirq, (machine, { caller, fields }) => {
  if (!someDomain(machine, fields.domid)) return fail(machine, 'ESRCH', 'physdev/unmap_pirq-domain');
  if (!isControlDomain(caller)) return fail(machine, 'EPERM', 'physdev/unmap_pirq-privilege');
  return fail(machine, 'EINVAL', 'physdev/unmap_pirq-none');
});

export const allocIrqVector = reading(
  physdev.irq,
  privileged((machine, asked) => answer(machine, physdev.irq, asked, { vector: asked.fields.irq }, 'physdev/alloc_irq_vector')),
);

export const freeIrqVector: PhysdevOperation = (machine) => fail(machine, 'ENOSYS', 'physdev/free_irq_vector');

export const setupGsi = reading(physdev.setup_gsi, (machine, asked) =>
  asked.fields.gsi >= NR_GSIS
    ? fail(machine, 'EINVAL', 'physdev/setup_gsi-number')
    : privileged((m, { caller }) => notModelled(m, caller, 'physdev_op/setup_gsi'))(machine, asked),
);
