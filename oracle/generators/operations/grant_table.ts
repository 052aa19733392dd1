/** grant_table_op. */
import type { Argument } from '#spec/program.ts';
import { PAGES, SELF } from '../state.ts';
import { type Args, type Manners, mfn, type Operation, operation, struct, va, wrong, wrongField } from './operation.ts';

/** More elements than there are would be carried out on whatever follows, so counts are refused or none. */
const COUNT = wrong(2, 'count', { none: 0, negative: '0x80000000', most: '0xffffffff' });
const COMMAND = wrong(0, 'command', { unknown: 50, 'unknown and much': '0x7fffffff' });
const [WINDOW, SECOND] = PAGES.windows;
const [FROM, TO] = PAGES.data;

/** Own frames: domain 0 names itself by its number, the alias is refused. */
const map = (ref: number, flags = 2): Args => [
  0,
  { structs: [struct('gnttab.map_grant_ref', { host_addr: va(WINDOW), flags, ref, dom: 0 })] },
  1,
];
const HOSTS: Manners = { noncanonical: '0x800000000000', xen: '0xffff830000000000', 'no table': '0x7fff00000000' };

const copy = (fields: Readonly<Record<string, Argument>>): Args => [
  5,
  {
    structs: [
      struct('gnttab.copy', {
        source: mfn(FROM),
        source_domid: SELF,
        source_offset: 0,
        dest: mfn(TO),
        dest_domid: SELF,
        dest_offset: 64,
        len: 32,
        flags: 0,
        ...fields,
      }),
    ],
  },
  1,
];
const OFFSETS: Manners = { 'near the end': 4090, beyond: 4096, most: 65535 };
const flush = (op: number, length: number): Args => [
  12,
  { structs: [struct('gnttab.cache_flush', { dev_bus_addr: { page: FROM, as: 'maddr' }, offset: 0, length, op })] },
  1,
];
const statusFrames = (nr_frames: number): Args => [
  9,
  { structs: [struct('gnttab.get_status_frames', { nr_frames, dom: SELF, frame_list: { buffer: 64, show: 'nothing' } })] },
  1,
];
const swap = (ref_a: number, ref_b: number): Args => [11, { structs: [struct('gnttab.swap_grant_ref', { ref_a, ref_b })] }, 1];
const version = (number: number): Args => [8, { structs: [struct('gnttab.set_version', { version: number })] }, 1];

export const GRANT_TABLE: readonly Operation[] = [
  operation('grant_table_op/map_grant_ref', map(9), {
    variants: [map(9, 6), map(10), map(9, 1), map(9, 18)],
    spared: ['host_addr', 'flags'],
    faults: [
      COMMAND,
      COUNT,
      wrongField(1, 'host_addr', HOSTS),
      wrongField(1, 'flags', { nothing: 0, 'read only alone': 4 }),
      wrongField(1, 'dom', { alias: SELF }),
    ],
  }),
  operation(
    'grant_table_op/unmap_grant_ref',
    [1, { structs: [struct('gnttab.unmap_grant_ref', { host_addr: va(WINDOW), dev_bus_addr: 0, handle: 0 })] }, 1],
    {
      variants: [[1, { structs: [struct('gnttab.unmap_grant_ref', { host_addr: va(WINDOW), dev_bus_addr: 0, handle: 1 })] }, 1]],
      spared: ['host_addr'],
      faults: [COMMAND, COUNT, wrongField(1, 'host_addr', HOSTS), wrongField(1, 'dev_bus_addr', { another: '0x1000' })],
    },
  ),
  operation(
    'grant_table_op/setup_table',
    [2, { structs: [struct('gnttab.setup_table', { dom: SELF, nr_frames: 1, frame_list: { buffer: 32, show: 'nothing' } })] }, 1],
    {
      faults: [COMMAND, wrong(2, 'count', { none: 0, two: 2 }), wrongField(1, 'nr_frames', { many: 1000, most: '0xffffffff' })],
    },
  ),
  operation('grant_table_op/query_size', [6, { structs: [struct('gnttab.query_size', { dom: SELF })] }, 1], {
    faults: [COMMAND, wrong(2, 'count', { none: 0, two: 2 })],
  }),
  operation('grant_table_op/set_version', version(1), {
    variants: [version(2)],
    faults: [COMMAND, wrongField(1, 'version', { none: 0, three: 3, most: '0xffffffff' })],
  }),
  operation('grant_table_op/get_version', [10, { structs: [struct('gnttab.get_version', { dom: SELF })] }, 1], {
    faults: [COMMAND, wrongField(1, 'dom', { nobody: 77, reserved: 0x7ff1 })],
  }),
  operation('grant_table_op/transfer', [4, { structs: [struct('gnttab.transfer', { mfn: mfn(FROM), domid: 0, ref: 9 })] }, 1], {
    faults: [COMMAND, COUNT, wrongField(1, 'domid', { alias: SELF })],
  }),
  operation('grant_table_op/copy', copy({}), {
    variants: [
      copy({ source: 9, source_domid: 0, flags: 1 }),
      copy({ dest: 10, dest_domid: 0, flags: 2 }),
      copy({ source: 9, source_domid: SELF, dest: 10, dest_domid: SELF, flags: 3 }),
      copy({ dest: mfn(FROM), dest_offset: 5 }),
      copy({ len: 0 }),
    ],
    // What stands in a table differs between machines: it is not for copying.
    spared: ['flags', 'source'],
    faults: [
      COMMAND,
      COUNT,
      wrongField(1, 'source', { beyond: '0xfffffffff', huge: '0xffffffffffffffff' }),
      wrongField(1, 'source_domid', { number: 0 }),
      wrongField(1, 'dest_domid', { number: 0 }),
      wrongField(1, 'source_offset', OFFSETS),
      wrongField(1, 'dest_offset', OFFSETS),
      wrongField(1, 'len', { page: 4096, much: 5000, most: 65535 }),
      wrongField(1, 'flags', { 'a reference for a frame': 1, 'two references': 3, all: 0xffff }),
    ],
  }),
  operation(
    'grant_table_op/unmap_and_replace',
    [7, { structs: [struct('gnttab.unmap_and_replace', { host_addr: va(WINDOW), new_addr: va(SECOND), handle: 0 })] }, 1],
    {
      spared: ['host_addr', 'new_addr'],
      faults: [COMMAND, COUNT, wrongField(1, 'host_addr', HOSTS), wrongField(1, 'new_addr', { none: 0, ...HOSTS })],
    },
  ),
  operation('grant_table_op/get_status_frames', statusFrames(0), {
    variants: [statusFrames(1)],
    faults: [COMMAND, wrong(2, 'count', { none: 0, two: 2 }), wrongField(1, 'nr_frames', { many: 9, most: '0xffffffff' })],
  }),
  operation('grant_table_op/swap_grant_ref', swap(9, 10), { variants: [swap(9, 9), swap(10, 11)], faults: [COMMAND, COUNT] }),
  operation('grant_table_op/cache_flush', flush(1, 64), {
    variants: [flush(3, 4096), flush(1, 0), flush(0, 64)],
    spared: ['op'],
    faults: [
      wrong(0, 'command', { unknown: 50, 'in a search': 0x100c, 'at the end of a search': '0xfffff00c' }),
      COUNT,
      wrongField(1, 'dev_bus_addr', { beyond: '0xfffffffff000', table: { page: 'l4', as: 'maddr' } }),
      wrongField(1, 'offset', { inside: 4000, beyond: 4096, most: 65535 }),
      wrongField(1, 'length', { page: 4096, much: 4097, most: 65535 }),
      wrongField(1, 'op', { invalidate: 2, unknown: 4, all: '0xffffffff' }),
    ],
  }),
  operation('grant_table_op/dump_table', [3, 0, 1], { faults: [COMMAND, COUNT] }),
];
