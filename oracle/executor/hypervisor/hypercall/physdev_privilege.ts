/** physdev_op where it matters who asks: domain 0, which is given the machine's devices, or another, which is refused them. */
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { MAP_PIRQ_TYPE, NR_GSIS, physdev, XEN_PCI_DEV_PXM } from '#spec/abi/physdev.ts';
import { domainByAnyId } from '../domids.ts';
import { copyFromGuest, copyToGuest, putGuest, scratch } from '../guest_access.ts';
import type { Machine } from '../machine.ts';
import { minus } from '../result.ts';
import type { Vcpu } from '../vcpu.ts';
import { aboutDevices, hasWord } from './physdev_devices.ts';

const OP = SUBOPERATIONS.physdev_op;

/** The operation is not one of these. */
export const UNDECIDED = 1;

/** Bytes that are read before a device is looked for. Xen knows none before domain 0 has told of it. */
const ABOUT_KNOWN_DEVICE: ReadonlyMap<number, number> = new Map([
  [OP.manage_pci_remove, physdev.manage_pci.size],
  [OP.pci_device_remove, physdev.pci_device.size],
  [OP.restore_msi, physdev.restore_msi.size],
  [OP.restore_msi_ext, physdev.pci_device.size],
  [OP.prepare_msix, physdev.pci_device.size],
  [OP.release_msix, physdev.pci_device.size],
]);

const noDevice = (machine: Machine, vcpu: Vcpu, bytes: number, lo: number, hi: number): number =>
  minus(copyFromGuest(machine, vcpu, lo, hi, bytes) ? 'ENODEV' : 'EFAULT');

/** What domain 0 is answered without a device being asked. */
export const asDomain0 = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number => {
  const bytes = ABOUT_KNOWN_DEVICE.get(cmd);
  if (bytes !== undefined) return noDevice(machine, vcpu, bytes, lo, hi);
  const answer = aboutDevices(machine, vcpu, cmd, lo, hi);
  if (answer !== null) return answer;
  switch (cmd) {
    case OP.alloc_irq_vector: {
      if (!copyFromGuest(machine, vcpu, lo, hi, physdev.irq.size)) return minus('EFAULT');
      // Vectors are Xen's own business: it names the interrupt's number.
      const irq = scratch.getInt32(physdev.irq.fields.irq.at, true);
      return putGuest(machine, vcpu, lo, hi, 8, irq, irq) ? 0 : minus('EFAULT');
    }
    case OP.dbgp_op:
      // Xen uses no debug port of USB.
      return copyFromGuest(machine, vcpu, lo, hi, physdev.dbgp_op.size) ? 0 : minus('EFAULT');
  }
  const read = READ_FIRST.get(cmd) ?? 0;
  return read > 0 && !copyFromGuest(machine, vcpu, lo, hi, read) ? minus('EFAULT') : UNDECIDED;
};

/** Bytes that are read before others than domain 0 are refused. */
const READ_FIRST: ReadonlyMap<number, number> = new Map([
  [OP.apic_read, physdev.apic.size],
  [OP.apic_write, physdev.apic.size],
  [OP.alloc_irq_vector, physdev.irq.size],
  [OP.map_pirq, physdev.map_pirq.size],
  [OP.manage_pci_add, physdev.manage_pci.size],
  [OP.manage_pci_remove, physdev.manage_pci.size],
  [OP.manage_pci_add_ext, physdev.manage_pci_ext.size],
  [OP.setup_gsi, physdev.setup_gsi.size],
  [OP.pci_mmcfg_reserved, 0],
  [OP.pci_device_add, physdev.pci_device_add.size],
  [OP.pci_device_remove, physdev.pci_device.size],
  [OP.dbgp_op, 0],
  [OP.prepare_msix, physdev.pci_device.size],
  [OP.release_msix, physdev.pci_device.size],
]);

export const asOther = (machine: Machine, vcpu: Vcpu, cmd: number, lo: number, hi: number): number => {
  // Nobody's privilege is asked for these two.
  if (cmd === OP.restore_msi || cmd === OP.restore_msi_ext) return noDevice(machine, vcpu, ABOUT_KNOWN_DEVICE.get(cmd) ?? 0, lo, hi);
  const bytes = READ_FIRST.get(cmd);
  if (bytes === undefined) return UNDECIDED;
  if (bytes > 0 && !copyFromGuest(machine, vcpu, lo, hi, bytes)) return minus('EFAULT');
  switch (cmd) {
    case OP.map_pirq:
      return refuseMapping(machine, vcpu, lo, hi);
    case OP.manage_pci_add_ext: {
      const { is_extfn, is_virtfn } = physdev.manage_pci_ext.fields;
      if (scratch.getUint32(is_extfn.at, true) > 1 || scratch.getUint32(is_virtfn.at, true) > 1) return minus('EINVAL');
      break;
    }
    case OP.setup_gsi:
      if (scratch.getUint32(physdev.setup_gsi.fields.gsi.at, true) >= NR_GSIS) return minus('EINVAL');
      break;
    case OP.pci_device_add:
      if (
        (scratch.getUint32(physdev.pci_device_add.fields.flags.at, true) & XEN_PCI_DEV_PXM) !== 0 &&
        !hasWord(machine, vcpu, lo, hi, bytes)
      )
        return minus('EFAULT');
  }
  return minus('EPERM');
};

/** A domain that there is not, or EPERM; the structure is written back, in which a type of old has become today's. */
const refuseMapping = (machine: Machine, vcpu: Vcpu, lo: number, hi: number): number => {
  const { size, fields } = physdev.map_pirq;
  const type = scratch.getUint32(fields.type.at, true);
  if (type === MAP_PIRQ_TYPE.MULTI_MSI && scratch.getBigUint64(fields.table_base.at, true) !== 0n) return minus('EINVAL');
  if (type === MAP_PIRQ_TYPE.MSI_SEG) scratch.setUint32(fields.type.at, MAP_PIRQ_TYPE.MSI, true);
  const exists = domainByAnyId(machine, vcpu.domain, scratch.getUint16(fields.domid.at, true)) !== undefined;
  if (!copyToGuest(machine, vcpu, lo, hi, size)) return minus('EFAULT');
  return minus(exists ? 'EPERM' : 'ESRCH');
};
