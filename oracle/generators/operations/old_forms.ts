/** Hypercalls of guests older than interface 0x00030202, whose command stands in the structure, and numbers that nothing has. */
import type { Argument, Value } from '#spec/program.ts';
import { SELF } from '../state.ts';
import { type Args, type Operation, operation, wrong, wrongWord } from './operation.ts';

const words = (size: 4 | 8, count: number, ...first: readonly Value[]): Argument => ({
  array: [...first, ...Array.from({ length: count - first.length }, () => 0)],
  size,
});

const port = (cmd: number, ...rest: readonly Value[]): Argument => words(4, 7, cmd, ...rest);
const COMMAND = wrongWord(0, 0, 'cmd', { unknown: 15, far: '0xffffffff' });
const PORTS = { zero: 0, closed: 4000, beyond: 0x20000 } as const;
const DOMIDS = { absent: 0x7fe0, nobody: 0x7ff4 } as const;

const EVENT_CHANNELS: readonly Operation[] = [
  operation('event_channel_op_compat/alloc_unbound', [port(6, SELF + SELF * 0x10000)], {
    faults: [COMMAND, wrongWord(0, 1, 'dom', DOMIDS)],
  }),
  operation('event_channel_op_compat/bind_interdomain', [port(0, SELF, 2)], {
    faults: [COMMAND, wrongWord(0, 1, 'remote_dom', DOMIDS), wrongWord(0, 2, 'remote_port', PORTS)],
  }),
  operation('event_channel_op_compat/bind_virq', [port(1, 1, 0)], {
    faults: [COMMAND, wrongWord(0, 1, 'virq', { beyond: 24 }), wrongWord(0, 2, 'vcpu', { absent: 1, far: '0xffffffff' })],
  }),
  operation('event_channel_op_compat/bind_pirq', [port(2, 4096, 0)], {
    faults: [COMMAND, wrongWord(0, 2, 'flags', { all: '0xffffffff' })],
  }),
  operation('event_channel_op_compat/close', [port(3, 3)], { faults: [COMMAND, wrongWord(0, 1, 'port', PORTS)] }),
  operation('event_channel_op_compat/send', [port(4, 1)], { faults: [COMMAND, wrongWord(0, 1, 'port', PORTS)] }),
  operation('event_channel_op_compat/status', [port(5, SELF, 1)], {
    faults: [COMMAND, wrongWord(0, 1, 'dom', DOMIDS), wrongWord(0, 2, 'port', PORTS)],
  }),
  operation('event_channel_op_compat/bind_ipi', [port(7, 0)], {
    faults: [COMMAND, wrongWord(0, 1, 'vcpu', { absent: 1, far: '0xffffffff' })],
  }),
  operation('event_channel_op_compat/bind_vcpu', [port(8, 1, 0)], {
    faults: [COMMAND, wrongWord(0, 1, 'port', PORTS), wrongWord(0, 2, 'vcpu', { absent: 1, far: '0xffffffff' })],
  }),
  operation('event_channel_op_compat/unmask', [port(9, 1)], { faults: [COMMAND, wrongWord(0, 1, 'port', PORTS)] }),
];

const PHYSICAL: readonly Operation[] = [
  operation('physdev_op_compat/set_iopl', [words(8, 3, 6, 1)], {
    variants: [[words(8, 3, 6, 0)]],
    faults: [wrongWord(0, 0, 'cmd', { unknown: 1, far: '0xffffffff' }), wrongWord(0, 1, 'iopl', { beyond: 4, far: '0xffffffff' })],
  }),
  operation('physdev_op_compat/set_iobitmap', [words(8, 3, 7, '0x500000', 100)], {
    faults: [
      wrongWord(0, 0, 'cmd', { unknown: 1 }),
      wrongWord(0, 1, 'bitmap', { noncanonical: '0x800000000000', xen: '0xffff830000000000' }),
      wrongWord(0, 2, 'nr_ports', { many: 65537, far: '0xffffffff' }),
    ],
  }),
];

const given = (index: number) => wrong(index, `argument ${index}`, { given: '0x10000' });
const ABSENT: readonly Operation[] = [11, 43, 44, 45, 46, 47, 50, 51, 52, 53, 54, 55].map((number) => {
  const args: Args = [0, 0];
  return { ...operation(`hypercall_${number}`, args, { faults: [given(0), given(1)] }), call: number };
});

export const OLD_FORMS: readonly Operation[] = [
  operation('sched_op_compat/yield', [0, 0], {
    faults: [wrong(0, 'command', { unknown: 3, far: '0xffffffff' }), wrong(1, 'argument', { given: '0x10000' })],
  }),
  operation('sched_op_compat/shutdown', [2, 0], {
    onlyWrong: true,
    faults: [wrong(0, 'command', { unknown: 3, far: '0xffffffff' })],
  }),
  ...EVENT_CHANNELS,
  ...PHYSICAL,
  ...ABSENT,
];
