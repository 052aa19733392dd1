/** grant_table_op structures, version 1 entries. Source: Xen public header `grant_table.h`. */
import { layout } from './layout.ts';

export const GTF = {
  invalid: 0,
  permit_access: 1,
  accept_transfer: 2,
  transitive: 3,
  type_mask: 3,
  readonly: 4,
  reading: 8,
  writing: 16,
  PWT: 32,
  PCD: 64,
  PAT: 128,
  sub_page: 256,
} as const;
export const GNTMAP = { device_map: 1, host_map: 2, readonly: 4, application_map: 8, contains_pte: 16, guest_avail_shift: 16 } as const;
export const GNTST = {
  okay: 0,
  general_error: -1,
  bad_domain: -2,
  bad_gntref: -3,
  bad_handle: -4,
  bad_virt_addr: -5,
  bad_dev_addr: -6,
  no_device_space: -7,
  permission_denied: -8,
  bad_page: -9,
  bad_copy_arg: -10,
  address_too_big: -11,
  eagain: -12,
  no_space: -13,
} as const;
export type Gntst = keyof typeof GNTST;

/** 8 bytes an entry, 512 entries a frame. */
export const grant_entry_v1 = layout(8, { flags: [0, 2, 'flags'], domid: [2, 2, 'domid'], frame: [4, 4, 'mfn'] });
export const GRANT_V1_PER_FRAME = 512;
export const GNTTAB_NR_RESERVED_ENTRIES = 8;

export const gnttab = {
  map_grant_ref: layout(32, {
    host_addr: [0, 8, 'vaddr'],
    flags: [8, 4, 'flags'],
    ref: [12, 4, 'gref'],
    dom: [16, 2, 'domid'],
    status: [18, 2, 'status', 'out'],
    handle: [20, 4, 'handle', 'out'],
    dev_bus_addr: [24, 8, 'maddr', 'out'],
  }),
  unmap_grant_ref: layout(24, {
    host_addr: [0, 8, 'vaddr'],
    dev_bus_addr: [8, 8, 'maddr'],
    handle: [16, 4, 'handle'],
    status: [20, 2, 'status', 'out'],
  }),
  setup_table: layout(24, { dom: [0, 2, 'domid'], nr_frames: [4, 4], status: [8, 2, 'status', 'out'], frame_list: [16, 8, 'pointer'] }),
  set_version: layout(4, { version: [0, 4, 'number', 'inout'] }),
  get_version: layout(8, { dom: [0, 2, 'domid'], version: [4, 4, 'number', 'out'] }),
  query_size: layout(16, {
    dom: [0, 2, 'domid'],
    nr_frames: [4, 4, 'number', 'out'],
    max_nr_frames: [8, 4, 'number', 'out'],
    status: [12, 2, 'status', 'out'],
  }),
} as const;
