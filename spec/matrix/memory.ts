/** Hypercalls about memory: page tables, reservations, grants. */
import { hypercall, modelled, op, ops, other, type Row, refused, whole } from './cell.ts';

const TRANSLATED = 'the physical map of a PV guest is its own';
const HVM_ONLY = 'there is no HVM domain';

const MEMORY_OP = hypercall('memory_op', 12, [
  ...ops({ increase_reservation: 0, decrease_reservation: 1, maximum_ram_page: 2, current_reservation: 3 }, modelled),
  ...ops({ maximum_reservation: 4, machphys_mfn_list: 5, populate_physmap: 6 }, modelled),
  op('add_to_physmap', 7, refused('EACCES', ['EDOM', 'EFAULT', 'ENOSYS', 'ESRCH'], TRANSLATED)),
  op('memory_map', 9, modelled),
  op('machine_memory_map', 10, modelled, refused('EPERM')),
  ...ops({ exchange: 11, machphys_mapping: 12, set_memory_map: 13, maximum_gpfn: 14 }, modelled),
  op('remove_from_physmap', 15, refused('EACCES', ['EINVAL', 'EFAULT', 'ESRCH'], TRANSLATED)),
  ...ops({ set_pod_target: 16, get_pod_target: 17 }, refused('EINVAL', ['EFAULT', 'ESRCH'], HVM_ONLY)),
  ...ops({ get_sharing_freed_pages: 18, get_sharing_shared_pages: 19 }, modelled),
  ...ops(
    { paging_op: 20, 'paging_op/nominate': 20, 'paging_op/evict': 20, 'paging_op/prep': 20 },
    refused('ENOSYS', [], 'built without memory paging'),
  ),
  ...ops(
    { access_op: 21, 'access_op/set_access': 21, 'access_op/get_access': 21, 'access_op/set_access_multi': 21 },
    refused('EINVAL', ['EFAULT', 'ESRCH', 'EPERM'], HVM_ONLY),
  ),
  ...ops(
    {
      sharing_op: 22,
      'sharing_op/nominate_gfn': 22,
      'sharing_op/nominate_gref': 22,
      'sharing_op/share': 22,
      'sharing_op/debug_gfn': 22,
      'sharing_op/debug_mfn': 22,
      'sharing_op/debug_gref': 22,
      'sharing_op/add_physmap': 22,
      'sharing_op/audit': 22,
      'sharing_op/range_share': 22,
      'sharing_op/fork': 22,
      'sharing_op/fork_reset': 22,
    },
    refused('ENOSYS', [], 'built without memory sharing'),
  ),
  op('add_to_physmap_batch', 23, refused('EACCES', ['EDOM', 'EFAULT', 'EOPNOTSUPP', 'ESRCH'], TRANSLATED)),
  op('claim_pages', 24, modelled, refused('EPERM', ['EINVAL', 'EFAULT', 'EINVAL'])),
  op('machphys_compat_mfn_list', 25, refused('EOPNOTSUPP', [], 'built without 32-bit PV')),
  op('get_vnumainfo', 26, modelled),
  op('reserved_device_memory_map', 27, modelled),
  op('acquire_resource', 28, modelled, refused('EPERM', ['EFAULT', 'EINVAL', 'ESRCH', 'EPERM'])),
  other(refused('ENOSYS')),
]);

export const MEMORY: readonly Row[] = [
  ...hypercall(
    'mmu_update',
    1,
    ops({ normal_pt_update: 0, machphys_update: 1, pt_update_preserve_ad: 2, pt_update_no_translate: 3 }, modelled),
  ),
  ...MEMORY_OP,
  ...whole('update_va_mapping', 14, modelled),
  ...hypercall('grant_table_op', 20, [
    ...ops({ map_grant_ref: 0, unmap_grant_ref: 1, setup_table: 2 }, modelled),
    op('dump_table', 3, refused('ENOSYS', ['EINVAL', 'EINVAL'], 'the name alone is left of it')),
    op('transfer', 4, modelled),
    op('copy', 5, modelled),
    op('query_size', 6, modelled),
    op('unmap_and_replace', 7, modelled),
    op('set_version', 8, modelled),
    op('get_status_frames', 9, modelled),
    op('get_version', 10, modelled),
    op('swap_grant_ref', 11, modelled),
    op('cache_flush', 12, modelled),
    other(refused('ENOSYS', ['EINVAL', 'EINVAL'])),
  ]),
  ...whole('update_va_mapping_otherdomain', 22, modelled),
  ...hypercall('mmuext_op', 26, [
    ...ops({ pin_l1_table: 0, pin_l2_table: 1, pin_l3_table: 2, pin_l4_table: 3, unpin_table: 4, new_baseptr: 5 }, modelled),
    ...ops({ tlb_flush_local: 6, invlpg_local: 7, tlb_flush_multi: 8, invlpg_multi: 9, tlb_flush_all: 10, invlpg_all: 11 }, modelled),
    op('flush_cache', 12, modelled, refused('EACCES', ['EPERM'], 'no device memory is in its hands')),
    op('set_ldt', 13, modelled),
    ...ops({ new_user_baseptr: 15, clear_page: 16, copy_page: 17 }, modelled),
    op('flush_cache_global', 18, modelled, refused('EINVAL', ['EPERM'], 'no device memory is in its hands')),
    ...ops({ mark_super: 19, unmark_super: 20 }, refused('EOPNOTSUPP', [], 'for HVM guests with superpages, and gone')),
    other(refused('ENOSYS')),
  ]),
];
