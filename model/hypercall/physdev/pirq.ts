/** physdev_op about the numbers of interrupts. Nothing maps one here. Chapter: spec/chapters/physdev.md. */
import type { Errno } from '#spec/abi/errno.ts';
import { IRQS_PER_CPU, LINES_OF_XEN, MAP_PIRQ_TYPE, NR_GSIS, NR_ISA_IRQS, physdev, XENIRQSTAT_NEEDS_EOI } from '#spec/abi/physdev.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { ClauseId } from '#spec/clauses.ts';
import type { VcpuRef } from '#spec/event.ts';
import { HARDWARE_LEFT_OUT } from '#spec/releases/control.ts';
import { copyToGuestUnchecked } from '../../guest_copy.ts';
import { cite } from '../../journal.ts';
import { domainOf, findDomain, updateDomain } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { isControlDomain } from '../domids.ts';
import { type Fields, withFields } from '../guest_struct.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail } from '../result.ts';
import { answer, type PhysdevOperation, pirqsOf, privileged, reading } from './rule.ts';

export const irqUnmaskNotify: PhysdevOperation = (machine) => done(machine, 'physdev/irq_unmask_notify');

export const irqStatusQuery = reading(physdev.irq_status_query, (machine, asked) => {
  // A number below 0 as a signed one is above every limit as an unsigned one.
  if (asked.fields.irq >= pirqsOf(asked.caller)) return fail(machine, 'EINVAL', 'physdev/irq_status_query-number');
  return answer(machine, physdev.irq_status_query, asked, { flags: XENIRQSTAT_NEEDS_EOI }, 'physdev/irq_status_query-done');
});

const taken = (machine: Machine, { domid }: Pick<VcpuRef, 'domid'>): readonly number[] => domainOf(machine, domid).pirqs ?? [];

export const eoi = reading(physdev.eoi, (machine, { caller, fields }) =>
  taken(machine, caller).includes(fields.irq) ? done(machine, 'physdev/eoi-done') : fail(machine, 'EINVAL', 'physdev/eoi-number'),
);

/** The number that get_free_pirq chooses for a domain, if any is left. Clause `physdev/get_free_pirq-choice`. */
const freePirq = (machine: Machine, caller: Pick<VcpuRef, 'domid'>, type: number): number | undefined => {
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
  const { type, table_base } = fields;
  if (type === MAP_PIRQ_TYPE.MULTI_MSI && table_base !== 0) return fail(machine, 'EINVAL', 'physdev/map_pirq-multi_msi');
  const { release } = machine.config;
  const isKnown = !isControlDomain(caller) || !HARDWARE_LEFT_OUT[release].includes('physdev_op/map_pirq');
  if (!isKnown) return notModelled(machine, caller, 'physdev_op/map_pirq');
  const refused = wrongMapping(machine, caller, fields);
  if (!refused) return notModelled(machine, caller, 'physdev_op/map_pirq');
  const [errno, clause] = refused;
  const after = type === MAP_PIRQ_TYPE.MSI_SEG ? withFields(bytes, physdev.map_pirq, { type: MAP_PIRQ_TYPE.MSI }) : bytes;
  const written = copyToGuestUnchecked(machine, caller, arg, after);
  return written.ok ? fail(written.machine, errno, clause) : fail(written.machine, 'EFAULT', 'physdev/map_pirq-domain');
});

type MapPirq = Fields<typeof physdev.map_pirq>;
type Refusal = readonly [Errno, ClauseId];

/** null: Xen would map it. */
const wrongMapping = (machine: Machine, caller: VcpuRef, fields: MapPirq): Refusal | null => {
  if (!someDomain(machine, fields.domid)) return ['ESRCH', 'physdev/map_pirq-domain'];
  if (!isControlDomain(caller)) return ['EPERM', 'physdev/map_pirq-privilege'];
  switch (fields.type) {
    case MAP_PIRQ_TYPE.GSI:
      return fields.index < NR_GSIS ? null : ['EINVAL', 'physdev/map_pirq-line'];
    case MAP_PIRQ_TYPE.MSI:
    case MAP_PIRQ_TYPE.MSI_SEG:
      return fields.index === NEW_INTERRUPT ? null : wrongMessage(machine, caller, fields);
    default:
      return fields.type === MAP_PIRQ_TYPE.MULTI_MSI ? null : ['EINVAL', 'physdev/map_pirq-type'];
  }
};
const NEW_INTERRUPT = 0xffffffff;

/** Of an interrupt that Xen has already, of which none is domain 0's. */
const wrongMessage = (machine: Machine, caller: VcpuRef, { domid, index, pirq }: MapPirq): Refusal => {
  if (index < NR_GSIS || index >= IRQS_PER_CPU * machine.config.pcpus) return ['EINVAL', 'physdev/map_pirq-interrupt'];
  const target = { domid: domid === DOMID.SELF ? caller.domid : domid };
  const isChosen = (pirq | 0) < 0;
  return isChosen && freePirq(machine, target, MAP_PIRQ_TYPE.MSI) === undefined
    ? ['ENOSPC', 'physdev/get_free_pirq-none']
    : ['EPERM', 'physdev/map_pirq-interrupt'];
};

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

const setUp = privileged<typeof physdev.setup_gsi>((machine, { fields: { gsi } }) => {
  const lines = machine.lines ?? LINES_OF_XEN;
  if (lines.includes(gsi)) return fail(machine, 'EEXIST', 'physdev/setup_gsi-taken');
  return done({ ...machine, lines: [...lines, gsi] }, 'physdev/setup_gsi-done');
});

export const setupGsi = reading(physdev.setup_gsi, (machine, asked) =>
  asked.fields.gsi >= NR_GSIS ? fail(machine, 'EINVAL', 'physdev/setup_gsi-number') : setUp(machine, asked),
);
