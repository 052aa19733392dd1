/** HYPERVISOR_physdev_op(cmd, arg): interrupts of devices, PCI, virtual IOPL and I/O bitmaps. Chapter: spec/chapters/physdev.md. */
import { type SUBOPERATIONS, suboperation } from '#spec/abi/hypercall.ts';
import { IO_BITMAP_BYTES, IO_PORTS, physdev } from '#spec/abi/physdev.ts';
import { arrayOk, copyFromGuest } from '../../guest_copy.ts';
import { updateVcpu } from '../../lens.ts';
import { wordIn } from '../../memory/guest.ts';
import { fieldOf } from '../guest_struct.ts';
import { done, fail, type Perform } from '../result.ts';
import { pirqEoiGmfn } from './eoi_map.ts';
import {
  apicRead,
  apicWrite,
  dbgpOp,
  managePciAdd,
  managePciAddExt,
  managePciRemove,
  pciDeviceAdd,
  pciDeviceRemove,
  pciMmcfgReserved,
  releaseMsix,
  restoreMsi,
  restoreMsiExt,
} from './pci.ts';
import { allocIrqVector, eoi, freeIrqVector, getFreePirq, irqStatusQuery, irqUnmaskNotify, mapPirq, setupGsi, unmapPirq } from './pirq.ts';
import type { PhysdevOperation } from './rule.ts';

const MOST_IOPL = 3;

const set_iopl: PhysdevOperation = (machine, caller, arg) => {
  const copied = copyFromGuest(machine, caller, arg, physdev.set_iopl.size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'physdev/set_iopl-fault');
  const iopl = fieldOf(copied.bytes, physdev.set_iopl.fields.iopl);
  if (iopl > MOST_IOPL) return fail(copied.machine, 'EINVAL', 'physdev/set_iopl-level');
  return done(updateVcpu(copied.machine, caller, { iopl }), 'physdev/set_iopl-done');
};

const set_iobitmap: PhysdevOperation = (machine, caller, arg) => {
  const { size, fields } = physdev.set_iobitmap;
  const copied = copyFromGuest(machine, caller, arg, size);
  if (!copied.ok) return fail(copied.machine, 'EFAULT', 'physdev/set_iobitmap-fault');
  const address = wordIn(copied.bytes, fields.bitmap.at);
  const ports = fieldOf(copied.bytes, fields.nr_ports);
  if (!arrayOk(address, IO_BITMAP_BYTES, 1) || ports > IO_PORTS) return fail(copied.machine, 'EINVAL', 'physdev/set_iobitmap-argument');
  return done(updateVcpu(copied.machine, caller, { ioBitmap: { address, ports } }), 'physdev/set_iobitmap-done');
};

type Name = keyof typeof SUBOPERATIONS.physdev_op;

const OPERATIONS: Readonly<Record<Name, PhysdevOperation>> = {
  irq_unmask_notify: irqUnmaskNotify,
  irq_status_query: irqStatusQuery,
  set_iopl,
  set_iobitmap,
  apic_read: apicRead,
  apic_write: apicWrite,
  alloc_irq_vector: allocIrqVector,
  free_irq_vector: freeIrqVector,
  eoi,
  map_pirq: mapPirq,
  unmap_pirq: unmapPirq,
  manage_pci_add: managePciAdd,
  manage_pci_remove: managePciRemove,
  pirq_eoi_gmfn_v1: pirqEoiGmfn,
  restore_msi: restoreMsi,
  manage_pci_add_ext: managePciAddExt,
  setup_gsi: setupGsi,
  get_free_pirq: getFreePirq,
  pci_mmcfg_reserved: pciMmcfgReserved,
  pci_device_add: pciDeviceAdd,
  pci_device_remove: pciDeviceRemove,
  restore_msi_ext: restoreMsiExt,
  pirq_eoi_gmfn_v2: pirqEoiGmfn,
  dbgp_op: dbgpOp,
  prepare_msix: releaseMsix,
  release_msix: releaseMsix,
};

export const physdev_op: Perform = (machine, caller, [cmd, arg]) => {
  const name = suboperation('physdev_op', cmd.lo) as Name | undefined;
  if (!name) return fail(machine, 'ENOSYS', 'physdev/op-unknown');
  return OPERATIONS[name](machine, caller, arg);
};
