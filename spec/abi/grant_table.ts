/** grant_table_op structures, and the entries of both versions. Source: Xen public header `grant_table.h`. */
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
/** Bits of an entry that accepts a transfer, in the places of other bits. */
export const GTF_TRANSFER = { committed: 4, completed: 8 } as const;
export const GNTCOPY = { source_gref: 1, dest_gref: 2 } as const;
export const GNTTAB_CACHE = { clean: 1, inval: 2, source_gref: 0x80000000 } as const;
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
/** 16 bytes an entry, 256 entries a frame; bytes 4 to 15 by type: a whole page (frame), a part (page_off, length, frame), or another's grant. */
export const grant_entry_v2 = layout(16, {
  flags: [0, 2, 'flags'],
  domid: [2, 2, 'domid'],
  page_off: [4, 2],
  length: [6, 2],
  frame: [8, 8, 'mfn'],
  trans_domid: [4, 2, 'domid'],
  trans_gref: [8, 4, 'gref'],
});
export const GRANT_V2_PER_FRAME = 256;
/** Marks of use of version 2: 16 bits each. */
export const GRANT_STATUS_PER_FRAME = 2048;
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
  unmap_and_replace: layout(24, {
    host_addr: [0, 8, 'vaddr'],
    new_addr: [8, 8, 'vaddr'],
    handle: [16, 4, 'handle'],
    status: [20, 2, 'status', 'out'],
  }),
  transfer: layout(24, { mfn: [0, 8, 'mfn'], domid: [8, 2, 'domid'], ref: [12, 4, 'gref'], status: [16, 2, 'status', 'out'] }),
  copy: layout(40, {
    source: [0, 8, 'mfn'],
    source_domid: [8, 2, 'domid'],
    source_offset: [10, 2],
    dest: [16, 8, 'mfn'],
    dest_domid: [24, 2, 'domid'],
    dest_offset: [26, 2],
    len: [32, 2],
    flags: [34, 2, 'flags'],
    status: [36, 2, 'status', 'out'],
  }),
  get_status_frames: layout(16, {
    nr_frames: [0, 4],
    dom: [4, 2, 'domid'],
    status: [6, 2, 'status', 'out'],
    frame_list: [8, 8, 'pointer'],
  }),
  swap_grant_ref: layout(12, { ref_a: [0, 4, 'gref'], ref_b: [4, 4, 'gref'], status: [8, 2, 'status', 'out'] }),
  cache_flush: layout(16, { dev_bus_addr: [0, 8, 'maddr'], offset: [8, 2], length: [10, 2], op: [12, 4, 'flags'] }),
} as const;
