/** grant_table_op. */
import { PAGES, SELF } from '../state.ts';
import { type Args, type Manners, type Operation, operation, struct, va, wrong, wrongField } from './operation.ts';

/** More elements than there are would be carried out on whatever follows, so counts are refused or none. */
const COUNT = wrong(2, 'count', { none: 0, negative: '0x80000000', most: '0xffffffff' });
const COMMAND = wrong(0, 'command', { unknown: 50, 'unknown and much': '0x7fffffff' });
const [WINDOW] = PAGES.windows;

/** Own frames: domain 0 names itself by its number, the alias is refused. */
const map = (ref: number, flags = 2): Args => [
  0,
  { structs: [struct('gnttab.map_grant_ref', { host_addr: va(WINDOW), flags, ref, dom: 0 })] },
  1,
];
const HOSTS: Manners = { noncanonical: '0x800000000000', xen: '0xffff830000000000', 'no table': '0x7fff00000000' };

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
  operation('grant_table_op/set_version', [8, { structs: [struct('gnttab.set_version', { version: 1 })] }, 1], {
    faults: [COMMAND, wrongField(1, 'version', { none: 0, three: 3, most: '0xffffffff' })],
  }),
  operation('grant_table_op/get_version', [10, { structs: [struct('gnttab.get_version', { dom: SELF })] }, 1], {
    faults: [COMMAND, wrongField(1, 'dom', { nobody: 77, reserved: 0x7ff1 })],
  }),
  operation('grant_table_op/dump_table', [3, 0, 1], { faults: [COMMAND, COUNT] }),
];
