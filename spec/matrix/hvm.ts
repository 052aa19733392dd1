/** Hypercalls about HVM guests, as PV guests meet them on a machine without any. */
import { hypercall, modelled, op, ops, other, type Row, refused } from './cell.ts';

const HVM_ONLY = 'there is no HVM domain';
const GONE = 'the name alone is left of it';

const ALTP2M = {
  get_domain_state: 25,
  set_domain_state: 25,
  vcpu_enable_notify: 25,
  create_p2m: 25,
  destroy_p2m: 25,
  switch_p2m: 25,
  set_mem_access: 25,
  change_gfn: 25,
  set_mem_access_multi: 25,
  set_suppress_ve: 25,
  get_suppress_ve: 25,
  get_mem_access: 25,
  vcpu_disable_notify: 25,
  get_p2m_idx: 25,
  set_suppress_ve_multi: 25,
  set_visibility: 25,
};

const DM_OP = {
  create_ioreq_server: 1,
  get_ioreq_server_info: 2,
  map_io_range_to_ioreq_server: 3,
  unmap_io_range_from_ioreq_server: 4,
  set_ioreq_server_state: 5,
  destroy_ioreq_server: 6,
  track_dirty_vram: 7,
  set_pci_intx_level: 8,
  set_isa_irq_level: 9,
  set_pci_link_route: 10,
  modified_memory: 11,
  set_mem_type: 12,
  inject_event: 13,
  inject_msi: 14,
  map_mem_type_to_ioreq_server: 15,
  remote_shutdown: 16,
  relocate_memory: 17,
  pin_memory_cacheattr: 18,
  set_irq_level: 19,
  nr_vcpus: 20,
};

export const HVM: readonly Row[] = [
  ...hypercall('hvm_op', 34, [
    ...ops({ set_param: 0, get_param: 1 }, refused('EINVAL', ['EFAULT', 'EINVAL', 'ESRCH'], HVM_ONLY)),
    ...ops({ set_pci_intx_level: 2, set_isa_irq_level: 3, set_pci_link_route: 4 }, refused('ENOSYS', [], GONE)),
    op('flush_tlbs', 5, refused('EINVAL', [], 'for HVM callers')),
    op('pagetable_dying', 9, refused('EINVAL', ['EFAULT', 'ESRCH', 'EOPNOTSUPP'], 'for HVM callers')),
    ...ops({ get_time: 10, xentrace: 11, guest_request_vm_event: 24 }, modelled),
    ...ops({ set_mem_access: 12, get_mem_access: 13 }, refused('ENOSYS', [], GONE)),
    op('get_mem_type', 15, refused('EINVAL', ['EFAULT', 'ESRCH', 'EPERM'], HVM_ONLY)),
    op('set_evtchn_upcall_vector', 23, refused('EINVAL', [], 'for HVM callers')),
    ...Object.entries(ALTP2M).map(([name, command]) =>
      op(`altp2m/${name}`, command, refused('EOPNOTSUPP', [], 'needs VMX; the reference machine has SVM')),
    ),
    other(refused('ENOSYS')),
  ]),
  ...hypercall('dm_op', 41, ops(DM_OP, refused('EINVAL', ['ENODATA', 'E2BIG', 'EFAULT', 'ESRCH', 'EPERM'], HVM_ONLY))),
];
