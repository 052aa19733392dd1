/** Event channels, interrupts, versions, the console. */
import { hypercall, modelled, not, op, ops, other, type Row, refused } from './cell.ts';

const INTERRUPTS = not('physical interrupts and the I/O APIC behind PV guests');
const NO_APIC = refused('EINVAL', ['EFAULT'], 'no I/O APIC is there; the registers of the one that is are not modelled');
const PCI = not('the PCI bus');
const NO_DEVICE = refused('ENODEV', ['EFAULT'], 'Xen knows no PCI device before domain 0 adds one');

export const CHANNELS: readonly Row[] = [
  ...hypercall('event_channel_op_compat', 16, [
    ...ops({ bind_interdomain: 0, bind_virq: 1, bind_pirq: 2, close: 3, send: 4, status: 5, alloc_unbound: 6, bind_ipi: 7 }, modelled),
    ...ops({ bind_vcpu: 8, unmask: 9 }, modelled),
  ]),
  ...hypercall('xen_version', 17, [
    ...ops({ version: 0, extraversion: 1, compile_info: 2, capabilities: 3, changeset: 4, platform_parameters: 5 }, modelled),
    ...ops({ get_features: 6, pagesize: 7, guest_handle: 8, commandline: 9 }, modelled),
    op('build_id', 10, modelled, refused('EPERM')),
    other(refused('ENOSYS')),
  ]),
  ...hypercall('console_io', 18, [
    op('write', 0, modelled),
    op('read', 1, modelled, refused('EPERM')),
    other(refused('ENOSYS'), refused('EPERM')),
  ]),
  ...hypercall('event_channel_op', 32, [
    ...ops({ bind_interdomain: 0, bind_virq: 1 }, modelled),
    op('bind_pirq', 2, refused('EPERM', ['EFAULT', 'EINVAL'], 'no interrupt is mapped for the domain')),
    ...ops({ close: 3, send: 4, status: 5, alloc_unbound: 6, bind_ipi: 7, bind_vcpu: 8, unmask: 9, reset: 10 }, modelled),
    ...ops({ init_control: 11, expand_array: 12, set_priority: 13, reset_cont: 14 }, modelled),
    other(refused('ENOSYS')),
  ]),
  ...hypercall('physdev_op_compat', 19, [
    ...ops({ irq_unmask_notify: 4, irq_status_query: 5, set_iopl: 6, set_iobitmap: 7 }, modelled),
    op('apic_read', 8, NO_APIC, refused('EPERM', ['EFAULT'])),
    op('apic_write', 9, INTERRUPTS, refused('EPERM', ['EFAULT'])),
    op('alloc_irq_vector', 10, modelled, refused('EPERM', ['EFAULT'])),
    op('free_irq_vector', 11, refused('ENOSYS', ['EFAULT'], 'the name alone is left of it')),
  ]),
  ...hypercall('physdev_op', 33, [
    ...ops({ irq_unmask_notify: 4, irq_status_query: 5, set_iopl: 6, set_iobitmap: 7 }, modelled),
    op('apic_read', 8, NO_APIC, refused('EPERM', ['EFAULT'])),
    op('apic_write', 9, INTERRUPTS, refused('EPERM', ['EFAULT'])),
    op('alloc_irq_vector', 10, modelled, refused('EPERM', ['EFAULT'])),
    op('free_irq_vector', 11, refused('ENOSYS', [], 'the name alone is left of it')),
    op('eoi', 12, modelled),
    op(
      'map_pirq',
      13,
      refused('EINVAL', ['EFAULT', 'ESRCH', 'EPERM', 'ENOSPC'], 'what could be mapped is not modelled'),
      refused('EPERM', ['EFAULT', 'EINVAL', 'EFAULT', 'ESRCH']),
    ),
    op('unmap_pirq', 14, refused('EINVAL', ['EFAULT', 'ESRCH'], 'no interrupt is mapped'), refused('EPERM', ['EFAULT', 'ESRCH'])),
    op('manage_pci_add', 15, PCI, refused('EPERM', ['EFAULT'])),
    op('manage_pci_remove', 16, NO_DEVICE, refused('EPERM', ['EFAULT'])),
    op('pirq_eoi_gmfn_v1', 17, modelled),
    op('restore_msi', 19, NO_DEVICE),
    op('manage_pci_add_ext', 20, PCI, refused('EPERM', ['EFAULT', 'EINVAL'])),
    op('setup_gsi', 21, modelled, refused('EPERM', ['EFAULT', 'EINVAL'])),
    op('get_free_pirq', 23, modelled),
    op('pci_mmcfg_reserved', 24, refused('ENODEV', ['EFAULT', 'EINVAL'], 'no configuration space is in memory'), refused('EPERM')),
    op('pci_device_add', 25, PCI, refused('EPERM', ['EFAULT'])),
    op('pci_device_remove', 26, NO_DEVICE, refused('EPERM', ['EFAULT'])),
    op('restore_msi_ext', 27, NO_DEVICE),
    op('pirq_eoi_gmfn_v2', 28, modelled),
    op('dbgp_op', 29, modelled, refused('EPERM')),
    ...ops({ prepare_msix: 30, release_msix: 31 }, NO_DEVICE, refused('EPERM', ['EFAULT'])),
    other(refused('ENOSYS')),
  ]),
];
