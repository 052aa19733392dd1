/** memory_op. Pages that change hands are the last of the pool's data pages, which nothing else here names. */
import type { LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Value } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { type Args, type Manners, type Operation, operation, POINTERS, struct, wrong, wrongField } from './operation.ts';

const DOMIDS: Manners = { absent: 0x7fe0, nobody: 0x7ff4, io: 0x7ff1, xen: 0x7ff2 };
const COMMAND = wrong(0, 'command', { unknown: 63, 'unknown and begun': 63 + 64 });
const LAST = PAGES.data[5];
const frames = (...values: readonly Value[]): Argument => ({ array: values, size: 8, show: 'nothing' });

type More = Parameters<typeof operation>[2];
const memory = (name: string, command: number, argument: Argument, more: More = {}): Operation =>
  operation(`memory_op/${name}`, [command, argument], { ...more, faults: [COMMAND, ...(more?.faults ?? [])] });

const reservation = (extents: Argument, nr_extents: number, extent_order = 0, mem_flags: Value = 0, domid = SELF): Argument =>
  struct('memory.reservation', { extent_start: extents, nr_extents, extent_order, mem_flags, domid });
/** No argument is read. */
const UNREAD: More = { faults: [wrong(1, 'argument', POINTERS)] };
const BEGUN = wrong(0, 'command', { 'begun beyond its end': 64 * 5 });
const ORDERS: Manners = { large: 10, beyond: 19, far: '0xffffffff' };
/** Fewer would be carried out, until nothing is left. */
const COUNTS: Manners = { 'too many': '0x4000000', far: '0xffffffffffffffff' };

const reserved = (name: string, command: number, good: Argument, variants: readonly Argument[], extents: Manners): Operation =>
  memory(name, command, good, {
    variants: variants.map((argument): Args => [command, argument]),
    spared: ['mem_flags', 'extent_start'],
    faults: [
      wrong(0, 'command', { 'begun beyond its end': command + 64 * 5 }),
      wrongField(1, 'extent_order', ORDERS),
      wrongField(1, 'nr_extents', COUNTS),
      wrongField(1, 'extent_start', extents),
      wrongField(1, 'mem_flags', { 'node that is not there': 0x300, vnode: '0x40000' }),
    ],
  });

/** What is behind a frame of the domain's own differs between machines, so none is named where extents may be large. */
const OUTPUTS: Manners = { unmapped: '0x10000', noncanonical: '0x800000000000', xen: '0xffff830000000000', beyond: frames('0xfffffffff') };
const EXTENTS: Manners = {
  ...OUTPUTS,
  table: frames({ page: 'l4', as: 'mfn' }),
};

const domainOf = (name: string, command: number): Operation => memory(name, command, struct('memory.domain', { domid: SELF }));
const refused = (
  name: string,
  command: number,
  layout: LayoutName,
  fields: Readonly<Record<string, Argument>>,
  faults: More = {},
): Operation => memory(name, command, struct(layout, fields), faults);

const exchange = (fields: Readonly<Record<string, Argument>>): Argument =>
  struct('memory.exchange', {
    in_extent_start: frames({ page: LAST, as: 'mfn' }),
    in_nr_extents: 1,
    in_extent_order: 0,
    in_mem_flags: 0,
    in_domid: SELF,
    out_extent_start: frames({ page: LAST, as: 'pfn' }),
    out_nr_extents: 1,
    out_extent_order: 0,
    out_mem_flags: 0,
    out_domid: SELF,
    nr_exchanged: 0,
    ...fields,
  });

export const MEMORY_OP: readonly Operation[] = [
  reserved('increase_reservation', 0, reservation(0, 1), [reservation(0, 0), reservation(frames(0), 1)], { ...EXTENTS }),
  reserved('decrease_reservation', 1, reservation(frames('0xfffffffff'), 1), [reservation(0, 0)], OUTPUTS),
  reserved('populate_physmap', 6, reservation(frames(0), 0), [reservation(0, 0)], EXTENTS),
  memory('maximum_ram_page', 2, 0, UNREAD),
  domainOf('current_reservation', 3),
  domainOf('maximum_reservation', 4),
  domainOf('maximum_gpfn', 14),
  memory('machphys_mfn_list', 5, struct('memory.machphys_mfn_list', { max_extents: 0, extent_start: frames(0) }), {
    variants: [[5, struct('memory.machphys_mfn_list', { max_extents: 1, extent_start: frames(0) })]],
    faults: [wrongField(1, 'max_extents', { some: 1 })],
  }),
  memory('machphys_mapping', 12, struct('memory.machphys_mapping')),
  memory('memory_map', 9, struct('memory.memory_map', { nr_entries: 4, buffer: { buffer: 80, show: 'nothing' } }), {
    faults: [wrongField(1, 'nr_entries', { none: 0 })],
  }),
  memory('machine_memory_map', 10, struct('memory.memory_map', { nr_entries: 32, buffer: { buffer: 640, show: 'nothing' } }), {
    faults: [wrongField(1, 'nr_entries', { none: 0, one: 1 })],
  }),
  memory(
    'set_memory_map',
    13,
    struct('memory.foreign_memory_map', { domid: SELF, nr_entries: 1, buffer: { buffer: 24, show: 'nothing' } }),
    {
      variants: [[13, struct('memory.foreign_memory_map', { domid: SELF, nr_entries: 0, buffer: 0 })]],
      faults: [wrongField(1, 'nr_entries', { many: 1025, far: '0xffffffff' })],
    },
  ),
  memory('exchange', 11, exchange({}), {
    spared: ['in_mem_flags', 'out_mem_flags', 'in_extent_start', 'out_extent_start'],
    faults: [
      wrongField(1, 'in_extent_order', ORDERS),
      wrongField(1, 'out_extent_order', { ...ORDERS, one: 1 }),
      wrongField(1, 'in_nr_extents', { ...COUNTS, none: 0 }),
      wrongField(1, 'out_nr_extents', { ...COUNTS, none: 0 }),
      wrongField(1, 'in_extent_start', OUTPUTS),
      wrongField(1, 'out_extent_start', { unmapped: '0x10000', noncanonical: '0x800000000000', xen: '0xffff830000000000' }),
      wrongField(1, 'nr_exchanged', { all: 1, more: 2 }),
    ],
  }),
  refused(
    'add_to_physmap',
    7,
    'memory.add_to_physmap',
    { domid: SELF, size: 0, space: 0, idx: 0, gpfn: 20 },
    {
      faults: [wrongField(1, 'space', { foreign: 4, unknown: 9, range: 3 })],
    },
  ),
  refused(
    'add_to_physmap_batch',
    23,
    'memory.add_to_physmap_batch',
    { domid: SELF, space: 0, size: 0, foreign_domid: 0, idxs: frames(0), gpfns: frames(0), errs: { array: [0], size: 4 } },
    {
      spared: ['foreign_domid'],
      faults: [wrongField(1, 'space', { foreign: 4, unknown: 9, range: 3 }), wrongField(1, 'size', { one: 1 })],
    },
  ),
  refused('remove_from_physmap', 15, 'memory.remove_from_physmap', { domid: SELF, gpfn: 20 }, { faults: [BEGUN] }),
  refused('set_pod_target', 16, 'memory.pod_target', { target_pages: 0, domid: SELF }),
  refused('get_pod_target', 17, 'memory.pod_target', { target_pages: 0, domid: SELF }),
  memory('get_sharing_freed_pages', 18, 0, UNREAD),
  memory('get_sharing_shared_pages', 19, 0, UNREAD),
  refused(
    'claim_pages',
    24,
    'memory.reservation',
    { extent_start: 0, nr_extents: 0, extent_order: 0, mem_flags: 0, domid: 0 },
    {
      spared: ['extent_start'],
      faults: [
        wrongField(1, 'extent_start', { given: '0x10000' }),
        wrongField(1, 'extent_order', { one: 1 }),
        wrongField(1, 'mem_flags', { set: 1 }),
        wrongField(1, 'nr_extents', { many: '0xffffffffffff' }),
      ],
    },
  ),
  memory('machphys_compat_mfn_list', 25, struct('memory.machphys_mfn_list', { max_extents: 1, extent_start: frames(0) })),
  refused(
    'get_vnumainfo',
    26,
    'memory.vnuma_topology_info',
    { domid: SELF, nr_vnodes: 0, nr_vcpus: 0, nr_vmemranges: 0, vdistance: 0, vcpu_to_vnode: 0, vmemrange: 0 },
    {
      spared: ['vdistance', 'vcpu_to_vnode', 'vmemrange'],
      faults: [wrongField(1, 'pad', { set: 1 })],
    },
  ),
  refused(
    'reserved_device_memory_map',
    27,
    'memory.reserved_device_memory_map',
    { flags: 1, nr_entries: 0, buffer: 0, pci_seg: 0, pci_bus: 0, pci_devfn: 0 },
    {
      spared: ['buffer'],
      faults: [wrongField(1, 'flags', { unknown: 2 })],
    },
  ),
  refused(
    'acquire_resource',
    28,
    'memory.acquire_resource',
    { domid: 0x7fe1, type: 1, id: 0, nr_frames: 1, frame: 0, frame_list: frames(0) },
    {
      faults: [
        wrongField(1, 'type', { unknown: 9 }),
        wrongField(1, 'id', { unknown: 7 }),
        wrongField(1, 'domid', { self: SELF }),
        wrongField(1, 'nr_frames', { none: 0, many: 1000 }),
        wrongField(1, 'frame', { far: '0xffffffff' }),
      ],
    },
  ),
  ...(
    [
      ['paging_op', 20],
      ['sharing_op', 22],
    ] as const
  ).map(([name, command]) => memory(name, command, { buffer: 64, show: 'nothing' })),
  refused(
    'access_op',
    21,
    'memory.access_op',
    { op: 0, access: 0, domid: 0x7fe1, nr: 0, pfn: 0, pfn_list: 0, access_list: 0 },
    {
      spared: ['pfn_list', 'access_list'],
      faults: [wrongField(1, 'op', { unknown: 9 }), wrongField(1, 'domid', { self: SELF, ...DOMIDS })],
    },
  ),
];
