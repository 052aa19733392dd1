/** What hypercalls set of a vCPU: handlers, segments, debug registers, assists; and what they tell about Xen. */
import type { Value } from '#spec/program.ts';
import { PAGES } from '../state.ts';
import { type Args, type Operation, operation, POINTERS, struct, wrong, wrongField } from './operation.ts';

const BAD_CODE = { noncanonical: '0x800000000000' } as const;
const handler = (name: 'event' | 'failsafe' | 'syscall' | 'nmi'): Value => ({ handler: name });
const caught = (vector: number) => struct('xen.trap_info', { vector, flags: 0, cs: 0xe033, address: { handler: 'catch', vector } });
const register = (type: number, address: Value, flags = 0): Args => [0, struct('callback.register', { type, flags, address })];

const TRAPS: readonly Operation[] = [
  operation('set_trap_table', [{ structs: [caught(200), caught(201)], end: true }], {
    variants: [[{ structs: [caught(3), caught(13), caught(250)], end: true }]],
    spared: ['flags'],
    faults: [wrongField(0, 'address', BAD_CODE)],
  }),
  operation('set_callbacks', [handler('event'), handler('failsafe'), handler('syscall')], {
    faults: [wrong(0, 'event', BAD_CODE), wrong(1, 'failsafe', BAD_CODE), wrong(2, 'syscall', BAD_CODE)],
  }),
  operation('callback_op/register', register(0, handler('event')), {
    variants: [register(1, handler('failsafe')), register(2, handler('syscall')), register(4, handler('nmi')), register(7, '0x400000')],
    faults: [
      wrong(0, 'command', { unknown: 2, far: '0x7fffffff' }),
      wrongField(1, 'type', { deprecated: 3, unknown: 8, far: 0xffff }),
      wrongField(1, 'address', BAD_CODE),
    ],
  }),
  operation('callback_op/unregister', [1, struct('callback.unregister', { type: 4 })], {
    faults: [wrong(0, 'command', { unknown: 2, far: '0x7fffffff' }), wrongField(1, 'type', { never: 2, event: 0, unknown: 8 })],
  }),
  operation('stack_switch', [0xe02b, '0x450000'], {
    onlyWrong: true,
    faults: [wrong(0, 'selector', { null: 0, xen: 0xe010, beyond: 0xffff }), wrong(1, 'pointer', { noncanonical: '0x800000000000' })],
  }),
  operation('nmi_op/register_callback', [0, { array: [handler('nmi'), 0], size: 8 }], {
    faults: [wrong(0, 'command', { unknown: 2 })],
  }),
  operation('nmi_op/unregister_callback', [1, 0], {
    faults: [wrong(0, 'command', { unknown: 2 }), wrong(1, 'argument', POINTERS)],
  }),
];

const REGISTERS: readonly Operation[] = [
  operation('fpu_taskswitch', [0], { variants: [[1], ['0xffffffff']] }),
  operation('set_debugreg', [0, '0x500000'], {
    variants: [
      [1, '0x500001'],
      [2, 0],
      [3, '0x7fffffffffff'],
      [6, 0],
      [7, 0],
      [7, 0x400],
    ],
    faults: [
      wrong(0, 'register', { 'not there': 4, beyond: 8, far: '0x7fffffff' }),
      wrong(1, 'value', { noncanonical: '0x800000000000', xen: '0xffff830000000000', bits: '0x100000000' }),
    ],
  }),
  operation('get_debugreg', [0], {
    variants: [[1], [3], [5], [6], [7]],
    faults: [wrong(0, 'register', { 'not there': 4, beyond: 8, far: '0x7fffffff' })],
  }),
  ...['fs', 'gs_user', 'gs_kernel'].map((name, command) =>
    operation(`set_segment_base/${name}`, [command, '0x500000'], {
      variants: [
        [command, 0],
        [command, '0x7fffffffffff'],
      ],
      faults: [wrong(0, 'which', { unknown: 4, far: '0xffffffff' }), wrong(1, 'base', { noncanonical: '0x800000000000' })],
    }),
  ),
  operation('set_segment_base/gs_user_sel', [3, 0], {
    variants: [
      [3, 0xe02b],
      [3, 0xffff],
    ],
    faults: [wrong(0, 'which', { unknown: 4 }), wrong(1, 'selector', { beyond: 0xfff8 })],
  }),
  ...['enable', 'disable'].map((name, command) =>
    operation(`vm_assist/${name}`, [command, 2], {
      variants: [0, 1, 5, 32].map((type) => [command, type]),
      faults: [
        wrong(0, 'command', { unknown: 2, far: '0xffffffff' }),
        wrong(1, 'type', { unknown: 6, 'not for 64 bits': 3, last: 31, far: '0xffffffff' }),
      ],
    }),
  ),
];

const tablePage: Value = { page: PAGES.tables[0], as: 'mfn' };
const list = (...frames: readonly Value[]) => ({ array: frames, size: 8 }) as const;
/** Flat data, user mode. */
const DESCRIPTOR = '0xcff3000000ffff';

const DESCRIPTORS: readonly Operation[] = [
  operation('set_gdt', [list(tablePage), 512], {
    variants: [
      [list(), 0],
      [list(tablePage), 1],
    ],
    faults: [
      wrong(0, 'frames', { beyond: list('0xfffffffff'), table: list({ page: 'l1', as: 'mfn' }), foreign: list(1) }),
      wrong(1, 'entries', { many: 7169, far: '0xffffffff' }),
    ],
  }),
  operation('update_descriptor', [{ page: PAGES.data[3], as: 'maddr', plus: 8 }, DESCRIPTOR], {
    variants: [[{ page: PAGES.data[3], as: 'maddr' }, 0]],
    faults: [
      wrong(0, 'address', {
        unaligned: { page: PAGES.data[3], as: 'maddr', plus: 12 },
        beyond: '0xfffffffff008',
        table: { page: 'l1', as: 'maddr', plus: 8 },
        foreign: '0x1008',
      }),
      wrong(1, 'descriptor', {
        'of ring 0': '0xcf93000000ffff',
        'call gate of ring 0': '0x8c00e0330000',
        'trap gate': '0xef00e0330000',
        'not present': 0,
      }),
    ],
  }),
  operation('physdev_op/set_iopl', [6, struct('physdev.set_iopl', { iopl: 1 })], {
    variants: [0, 2, 3].map((iopl): Args => [6, struct('physdev.set_iopl', { iopl })]),
    faults: [wrong(0, 'command', { unknown: 60 }), wrongField(1, 'iopl', { beyond: 4, far: '0xffffffff' })],
  }),
  operation('physdev_op/set_iobitmap', [7, struct('physdev.set_iobitmap', { bitmap: '0x500000', nr_ports: 1024 })], {
    variants: [[7, struct('physdev.set_iobitmap', { bitmap: 0, nr_ports: 0 })]],
    spared: ['bitmap'],
    faults: [
      wrong(0, 'command', { unknown: 60 }),
      wrongField(1, 'nr_ports', { many: 65537, far: '0xffffffff' }),
      wrongField(1, 'bitmap', POINTERS),
    ],
  }),
];

const nothing = { buffer: 1040, show: 'nothing' } as const;
const COMMAND = wrong(0, 'command', { unknown: 99 });
const told = (name: string, command: number, more: Parameters<typeof operation>[2] = {}): Operation =>
  operation(`xen_version/${name}`, [command, nothing], { ...more, faults: [COMMAND, ...(more.faults ?? [])] });

const VERSION: readonly Operation[] = [
  operation('xen_version/version', [0, 0], { variants: [[0, '0x10000']], faults: [COMMAND, wrong(1, 'argument', POINTERS)] }),
  told('extraversion', 1),
  told('compile_info', 2),
  told('capabilities', 3),
  told('changeset', 4),
  told('platform_parameters', 5),
  operation('xen_version/get_features', [6, struct('version.feature_info', { submap_idx: 0 })], {
    faults: [COMMAND, wrongField(1, 'submap_idx', { beyond: 2, far: '0xffffffff' })],
  }),
  operation('xen_version/pagesize', [7, 0], { faults: [COMMAND, wrong(1, 'argument', { given: '0x10000' })] }),
  told('guest_handle', 8),
  told('commandline', 9),
  operation('xen_version/build_id', [10, 0], {
    faults: [COMMAND, wrong(1, 'argument', { unmapped: '0x10000', 'no room': struct('version.build_id', { len: 4 }) })],
  }),
];

const CONSOLE: readonly Operation[] = [
  operation('console_io/write', [0, 0, { text: '' }], {
    faults: [wrong(0, 'command', { unknown: 2 }), wrong(1, 'count', { some: 8 })],
  }),
  operation('console_io/read', [1, 4, { buffer: 16, show: 'nothing' }], {
    faults: [wrong(0, 'command', { unknown: 2 })],
  }),
];

export const PROCESSOR: readonly Operation[] = [...TRAPS, ...REGISTERS, ...DESCRIPTORS, ...VERSION, ...CONSOLE];
