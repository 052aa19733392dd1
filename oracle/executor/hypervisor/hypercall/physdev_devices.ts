/** physdev_op of domain 0 about interrupts and PCI, as far as the machine's devices need not be known: what reaches a device stops. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { IOAPIC_FRAME } from '#spec/abi/iomem.ts';
import { IRQS_PER_CPU, MAP_PIRQ_TYPE, NR_GSIS, physdev, XEN_PCI_DEV_PXM, XEN_PCI_MMCFG_RESERVED } from '#spec/abi/physdev.ts';
import { HARDWARE_LEFT_OUT, TOOLS_ANSWERED } from '#spec/releases/control.ts';
import type { Domain } from '../domain.ts';
import { domainByAnyId } from '../domids.ts';
import { copyFromGuest, copyToGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import { TWO32 } from '../u64.ts';
import type { Vcpu } from '../vcpu.ts';
import { freePirq } from './pirq.ts';

const OP = SUBOPERATIONS.physdev_op;
/** The machine's devices would be asked. */
const DEVICE = 1;
const IOAPIC = BigInt(IOAPIC_FRAME) << 12n;
const NEW_IRQ = -1;

/** The structure is in the scratch buffer and lies at `hi:lo`. Answers like a hypercall, or DEVICE. */
type Work = (machine: Machine, vcpu: Vcpu, lo: number, hi: number) => number;

const u32 = ({ at }: { readonly at: number }): number => scratch.getUint32(at, true);
const i32 = ({ at }: { readonly at: number }): number => scratch.getInt32(at, true);

/** It goes back whatever the answer. */
const readApic: Work = (machine, vcpu, lo, hi) => {
  const { size, fields } = physdev.apic;
  if (scratch.getBigUint64(fields.apic_physbase.at, true) === IOAPIC) return DEVICE;
  return minus(copyToGuest(machine, vcpu, lo, hi, size) ? 'EINVAL' : 'EFAULT');
};

/** Each line once. */
const setUpLine: Work = (machine) => {
  const line = u32(physdev.setup_gsi.fields.gsi);
  if (line >= NR_GSIS) return minus('EINVAL');
  if (machine.linesSetUp.has(line)) return minus('EEXIST');
  machine.linesSetUp.add(line);
  return 0;
};

const addExtended: Work = () => {
  const { is_extfn, is_virtfn } = physdev.manage_pci_ext.fields;
  return u32(is_extfn) > 1 || u32(is_virtfn) > 1 ? minus('EINVAL') : DEVICE;
};

const addDevice: Work = (machine, vcpu, lo, hi) => {
  const { size, fields } = physdev.pci_device_add;
  return (u32(fields.flags) & XEN_PCI_DEV_PXM) !== 0 && !hasWord(machine, vcpu, lo, hi, size) ? minus('EFAULT') : DEVICE;
};

/** Whether the word at an offset of the structure can be read. */
export const hasWord = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, offset: number): boolean => {
  const low = (lo >>> 0) + offset;
  return copyFromGuest(machine, vcpu, low | 0, low >= TWO32 ? (hi + 1) | 0 : hi, 4);
};

/** The machine has no configuration space in memory. */
const reserveConfigSpace: Work = () =>
  minus((u32(physdev.pci_mmcfg_reserved.fields.flags) & ~XEN_PCI_MMCFG_RESERVED) !== 0 ? 'EINVAL' : 'ENODEV');

/** It goes back, with a type of old as today's, unless several MSIs come with a table. */
const mapPirq: Work = (machine, vcpu, lo, hi) => {
  const { size, fields } = physdev.map_pirq;
  const type = u32(fields.type);
  if (type === MAP_PIRQ_TYPE.MULTI_MSI && scratch.getBigUint64(fields.table_base.at, true) !== 0n) return minus('EINVAL');
  if (type === MAP_PIRQ_TYPE.MSI_SEG) scratch.setUint32(fields.type.at, MAP_PIRQ_TYPE.MSI, true);
  const domain = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true));
  const answer = domain ? refuseMapping(machine, domain, type) : minus('ESRCH');
  if (answer === DEVICE) return DEVICE;
  return copyToGuest(machine, vcpu, lo, hi, size) ? answer : minus('EFAULT');
};

/** Domain 0 may use the lines, and no interrupt beyond those. */
const refuseMapping = (machine: Machine, domain: Domain, type: number): number => {
  const { index, pirq } = physdev.map_pirq.fields;
  const irq = i32(index);
  switch (type) {
    case MAP_PIRQ_TYPE.GSI:
      return irq < 0 || irq >= NR_GSIS ? minus('EINVAL') : DEVICE;
    case MAP_PIRQ_TYPE.MULTI_MSI:
      return DEVICE;
    case MAP_PIRQ_TYPE.MSI:
    case MAP_PIRQ_TYPE.MSI_SEG:
      if (irq === NEW_IRQ) return DEVICE;
      if (irq < NR_GSIS || irq >= IRQS_PER_CPU * machine.config.pcpus) return minus('EINVAL');
      return minus(i32(pirq) < 0 && freePirq(domain, false) < 0 ? 'ENOSPC' : 'EPERM');
    default:
      return minus('EINVAL');
  }
};

const ROWS: ReadonlyMap<number, readonly [name: string, bytes: number, work: Work]> = new Map([
  [OP.apic_read, ['apic_read', physdev.apic.size, readApic]],
  [OP.map_pirq, ['map_pirq', physdev.map_pirq.size, mapPirq]],
  [OP.manage_pci_add, ['manage_pci_add', physdev.manage_pci.size, () => DEVICE]],
  [OP.manage_pci_add_ext, ['manage_pci_add_ext', physdev.manage_pci_ext.size, addExtended]],
  [OP.setup_gsi, ['setup_gsi', physdev.setup_gsi.size, setUpLine]],
  [OP.pci_mmcfg_reserved, ['pci_mmcfg_reserved', physdev.pci_mmcfg_reserved.size, reserveConfigSpace]],
  [OP.pci_device_add, ['pci_device_add', physdev.pci_device_add.size, addDevice]],
]);

const isKnown = ({ config: { release } }: Machine, name: string): boolean =>
  TOOLS_ANSWERED[release] && !HARDWARE_LEFT_OUT[release].includes(name);

/** The answer, or null when the operation is none of these or a device would be asked. */
export const aboutDevices = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number | null => {
  const row = ROWS.get(cmd);
  if (!row || !isKnown(machine, `physdev_op/${row[0]}`)) return null;
  if (!copyFromGuest(machine, vcpu, lo, hi, row[1])) return minus('EFAULT');
  const answer = row[2](machine, vcpu, lo, hi);
  return answer === DEVICE ? null : answer;
};
