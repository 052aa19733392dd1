/** memory_op structures and numbers. Source: Xen public header `memory.h`, x86-64 layout. The operations' numbers: hypercall.ts. */
import { layout } from './layout.ts';

/** Low bits of the command: the operation. The bits above: the extent with which an interrupted call goes on. */
export const MEMOP_EXTENT_SHIFT = 6;
export const MEMOP_CMD_MASK = 0x3f;
/** Most extents that a call may have, so that each of them can be named in a continued command. */
export const MEMOP_MOST_EXTENTS = 0xffffffff >>> MEMOP_EXTENT_SHIFT;

/** `mem_flags`. Bits 0 to 7: width of machine addresses in bits, 0 for any. Bits 8 to 15: NUMA node plus 1. */
export const XENMEMF = {
  address_bits_mask: 0xff,
  node_shift: 8,
  populate_on_demand: 1 << 16,
  exact_node_request: 1 << 17,
  vnode: 1 << 18,
} as const;
/** Nodes that a call may name, and the number that means none. One node exists: 0. */
export const MAX_NUMNODES = 64;
export const NUMA_NO_NODE = 0xff;

/** Largest order of an extent: for domains in general, and for domain 0, which controls and has devices. */
export const MEMOP_MAX_ORDER = { domu: 9, devices: 12, dom0: 18 } as const;
/** Largest order of Xen's allocator. */
export const MAX_ORDER = 18;

export const XENMAPSPACE = { shared_info: 0, grant_table: 1, gmfn: 2, gmfn_range: 3, gmfn_foreign: 4, dev_mmio: 5 } as const;
export const XENMEM_resource = { ioreq_server: 0, grant_table: 1, vmtrace_buf: 2 } as const;
/** `id` of a grant table resource. */
export const XENMEM_resource_grant_table_id = { shared: 0, status: 1 } as const;
/** Frames that XENMEM_acquire_resource works on between two questions whether to stop. */
export const ACQUIRE_STRIDE = 32;
export const XENMEM_RDM_ALL = 1;

/** Most rows of a memory map that XENMEM_set_memory_map takes. */
export const E820MAX = 1024;
export const E820 = { RAM: 1, RESERVED: 2, ACPI: 3, NVS: 4, UNUSABLE: 5 } as const;

/** Where guests see the machine-to-phys table, and how many entries have room there. */
export const MACH2PHYS = { v_start: 0xffff800000000000n, v_end: 0xffff804000000000n, entries: 1n << 35n } as const;
/** An entry of the machine-to-phys table for a frame that belongs to no guest. */
export const INVALID_M2P_ENTRY = 0xffffffffffffffffn;

const RESERVATION = {
  extent_start: [0, 8, 'pointer'],
  nr_extents: [8, 8],
  extent_order: [16, 4],
  mem_flags: [20, 4, 'flags'],
  domid: [24, 2, 'domid'],
} as const;

export const memory = {
  /** increase_reservation, decrease_reservation, populate_physmap, claim_pages. */
  reservation: layout(32, RESERVATION),
  exchange: layout(72, {
    in_extent_start: [0, 8, 'pointer'],
    in_nr_extents: [8, 8],
    in_extent_order: [16, 4],
    in_mem_flags: [20, 4, 'flags'],
    in_domid: [24, 2, 'domid'],
    out_extent_start: [32, 8, 'pointer'],
    out_nr_extents: [40, 8],
    out_extent_order: [48, 4],
    out_mem_flags: [52, 4, 'flags'],
    out_domid: [56, 2, 'domid'],
    nr_exchanged: [64, 8, 'number', 'inout'],
  }),
  /** current_reservation, maximum_reservation, maximum_gpfn. */
  domain: layout(2, { domid: [0, 2, 'domid'] }),
  machphys_mfn_list: layout(24, { max_extents: [0, 4], extent_start: [8, 8, 'pointer'], nr_extents: [16, 4, 'number', 'out'] }),
  machphys_mapping: layout(24, { v_start: [0, 8, 'vaddr', 'out'], v_end: [8, 8, 'vaddr', 'out'], max_mfn: [16, 8, 'number', 'out'] }),
  add_to_physmap: layout(24, { domid: [0, 2, 'domid'], size: [2, 2], space: [4, 4], idx: [8, 8], gpfn: [16, 8] }),
  add_to_physmap_batch: layout(32, {
    domid: [0, 2, 'domid'],
    space: [2, 2],
    size: [4, 2],
    foreign_domid: [6, 2, 'domid'],
    idxs: [8, 8, 'pointer'],
    gpfns: [16, 8, 'pointer'],
    errs: [24, 8, 'pointer'],
  }),
  remove_from_physmap: layout(16, { domid: [0, 2, 'domid'], gpfn: [8, 8] }),
  /** memory_map, machine_memory_map. */
  memory_map: layout(16, { nr_entries: [0, 4, 'number', 'inout'], buffer: [8, 8, 'pointer'] }),
  foreign_memory_map: layout(24, { domid: [0, 2, 'domid'], nr_entries: [8, 4], buffer: [16, 8, 'pointer'] }),
  pod_target: layout(40, {
    target_pages: [0, 8],
    tot_pages: [8, 8, 'number', 'out'],
    pod_cache_pages: [16, 8, 'number', 'out'],
    pod_entries: [24, 8, 'number', 'out'],
    domid: [32, 2, 'domid'],
  }),
  paging_op: layout(24, { op: [0, 1], domid: [2, 2, 'domid'], buffer: [8, 8], gfn: [16, 8] }),
  access_op: layout(32, {
    op: [0, 1],
    access: [1, 1],
    domid: [2, 2, 'domid'],
    nr: [4, 4],
    pfn: [8, 8],
    pfn_list: [16, 8, 'pointer'],
    access_list: [24, 8, 'pointer'],
  }),
  reserved_device_memory_map: layout(24, {
    flags: [0, 4, 'flags'],
    nr_entries: [4, 4, 'number', 'inout'],
    buffer: [8, 8, 'pointer'],
    pci_seg: [16, 2],
    pci_bus: [18, 1],
    pci_devfn: [19, 1],
  }),
  acquire_resource: layout(32, {
    domid: [0, 2, 'domid'],
    type: [2, 2],
    id: [4, 4],
    nr_frames: [8, 4, 'number', 'inout'],
    pad: [12, 4, 'padding'],
    frame: [16, 8],
    frame_list: [24, 8, 'pointer'],
  }),
  vnuma_topology_info: layout(40, {
    domid: [0, 2, 'domid'],
    pad: [2, 2, 'padding'],
    nr_vnodes: [4, 4],
    nr_vcpus: [8, 4],
    nr_vmemranges: [12, 4],
    vdistance: [16, 8, 'pointer'],
    vcpu_to_vnode: [24, 8, 'pointer'],
    vmemrange: [32, 8, 'pointer'],
  }),
} as const;

/** A row of a memory map, 20 bytes without padding, in an array of such. */
export const e820entry = layout(20, { addr: [0, 8, 'maddr'], size: [8, 8], type: [16, 4] });
