/** xen_version structures. Source: Xen public headers `version.h`, `features.h`. */
import { layout } from './layout.ts';

export const xen_version = {
  extraversion: layout(16, { extraversion: [0, 16, 'string', 'out'] }),
  compile_info: layout(144, {
    compiler: [0, 64, 'string', 'out'],
    compile_by: [64, 16, 'string', 'out'],
    compile_domain: [80, 32, 'string', 'out'],
    compile_date: [112, 32, 'string', 'out'],
  }),
  capabilities: layout(1024, { info: [0, 1024, 'string', 'out'] }),
  changeset: layout(64, { info: [0, 64, 'string', 'out'] }),
  platform_parameters: layout(8, { virt_start: [0, 8, 'vaddr', 'out'] }),
  feature_info: layout(8, { submap_idx: [0, 4], submap: [4, 4, 'flags', 'out'] }),
  guest_handle: layout(16, { handle: [0, 16, 'number', 'out'] }),
  commandline: layout(1024, { buf: [0, 1024, 'string', 'out'] }),
  build_id: layout(4, { len: [0, 4, 'number', 'inout'] }),
} as const;

export const XENFEAT = {
  writable_page_tables: 0,
  writable_descriptor_tables: 1,
  auto_translated_physmap: 2,
  supervisor_mode_kernel: 3,
  pae_pgdir_above_4gb: 4,
  mmu_pt_update_preserve_ad: 5,
  highmem_assist: 6,
  gnttab_map_avail_bits: 7,
  hvm_callback_vector: 8,
  hvm_safe_pvclock: 9,
  hvm_pirqs: 10,
  dom0: 11,
  grant_map_identity: 12,
  memory_op_vnode_supported: 13,
  ARM_SMCCC_supported: 14,
  linux_rsdp_unrestricted: 15,
  not_direct_mapped: 16,
  direct_mapped: 17,
} as const;
