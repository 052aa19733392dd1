/**
 * Operations of domain 0 that this machine has and the specification's model is about to have, by the matrix's names: until then they stop as
 * not modelled.
 */
export const WAITING: ReadonlySet<string> = new Set([
  'emulation/call_gate',
  'domctl/ioport_permission',
  'domctl/iomem_permission',
  'physdev_op/apic_read',
  'physdev_op/map_pirq',
  'physdev_op/manage_pci_add',
  'physdev_op/manage_pci_add_ext',
  'physdev_op/setup_gsi',
  'physdev_op/pci_mmcfg_reserved',
  'physdev_op/pci_device_add',
]);
