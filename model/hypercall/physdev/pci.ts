/** physdev_op about PCI devices, none of which Xen knows, and the I/O APIC's registers. Chapter: spec/chapters/physdev.md. */
import type { Layout } from '#spec/abi/layout.ts';
import { IO_APIC, physdev, XEN_PCI_DEV_PXM, XEN_PCI_MMCFG_RESERVED } from '#spec/abi/physdev.ts';
import { copyFromGuest, copyToGuestUnchecked } from '../../guest_copy.ts';
import type { Machine } from '../../machine.ts';
import { addInt } from '../../word/word.ts';
import { isControlDomain } from '../domids.ts';
import { notModelled } from '../not_modelled.ts';
import { done, fail, type HypercallResult } from '../result.ts';
import { type PhysdevOperation, privileged, type Rule, reading } from './rule.ts';

/** Beyond the privilege: domain 0 would change what Xen knows of the machine. */
const beyond = <L extends Layout>(name: string): Rule<L> => privileged((m, { caller }) => notModelled(m, caller, `physdev_op/${name}`));
const noDevice = (machine: Machine): HypercallResult => fail(machine, 'ENODEV', 'physdev/device-unknown');

export const apicRead = reading(
  physdev.apic,
  privileged((machine, { caller, arg, fields, bytes }) => {
    if (fields.apic_physbase === IO_APIC) return notModelled(machine, caller, 'physdev_op/apic_read');
    const written = copyToGuestUnchecked(machine, caller, arg, bytes);
    return fail(written.machine, written.ok ? 'EINVAL' : 'EFAULT', 'physdev/apic_read-address');
  }),
);
export const apicWrite = reading(physdev.apic, beyond('apic_write'));
export const managePciAdd = reading(physdev.manage_pci, beyond('manage_pci_add'));
export const managePciRemove = reading(physdev.manage_pci, privileged(noDevice));

export const managePciAddExt = reading(physdev.manage_pci_ext, (machine, asked) => {
  const { is_extfn, is_virtfn } = asked.fields;
  if (is_extfn > 1 || is_virtfn > 1) return fail(machine, 'EINVAL', 'physdev/manage_pci_add_ext-function');
  return beyond<typeof physdev.manage_pci_ext>('manage_pci_add_ext')(machine, asked);
});

const PXM_BYTES = 4;
export const pciDeviceAdd = reading(physdev.pci_device_add, (machine, asked) => {
  const add = beyond<typeof physdev.pci_device_add>('pci_device_add');
  if (!(asked.fields.flags & XEN_PCI_DEV_PXM)) return add(machine, asked);
  const pxm = copyFromGuest(machine, asked.caller, addInt(asked.arg, physdev.pci_device_add.size), PXM_BYTES);
  return pxm.ok ? add(pxm.machine, asked) : fail(pxm.machine, 'EFAULT', 'physdev/pci_device_add-proximity');
});

export const pciDeviceRemove = reading(physdev.pci_device, privileged(noDevice));
export const releaseMsix = reading(physdev.pci_device, privileged(noDevice));
export const restoreMsi = reading(physdev.restore_msi, noDevice);
export const restoreMsiExt = reading(physdev.pci_device, noDevice);

const reserved = reading(physdev.pci_mmcfg_reserved, (machine, { fields }) =>
  (fields.flags & ~XEN_PCI_MMCFG_RESERVED) === 0
    ? fail(machine, 'ENODEV', 'physdev/pci_mmcfg_reserved-none')
    : fail(machine, 'EINVAL', 'physdev/pci_mmcfg_reserved-flags'),
);
export const pciMmcfgReserved: PhysdevOperation = (machine, caller, arg) =>
  isControlDomain(caller) ? reserved(machine, caller, arg) : fail(machine, 'EPERM', 'physdev/privilege');

const resetDebugPort = reading(physdev.dbgp_op, (machine) => done(machine, 'physdev/dbgp_op'));
export const dbgpOp: PhysdevOperation = (machine, caller, arg) =>
  isControlDomain(caller) ? resetDebugPort(machine, caller, arg) : fail(machine, 'EPERM', 'physdev/privilege');
