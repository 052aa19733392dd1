/** event_channel_op. */
import { PAGES, SELF } from '../state.ts';
import { mfn, type Operation, operation, struct, wrong, wrongField } from './operation.ts';

const COMMAND = { unknown: 99, huge: '0x7fffffff' } as const;
/** A command that nobody has, in the place of the right one. */
export const unknownCommand = wrong(0, 'command', COMMAND);

export const EVENT_CHANNEL: readonly Operation[] = [
  operation('event_channel_op/alloc_unbound', [6, struct('evtchn.alloc_unbound', { dom: SELF, remote_dom: SELF })], {
    variants: [[6, struct('evtchn.alloc_unbound', { dom: SELF, remote_dom: 0x7fe0 })]],
    spared: ['remote_dom'],
    faults: [unknownCommand],
  }),
  operation('event_channel_op/bind_interdomain', [0, struct('evtchn.bind_interdomain', { remote_dom: SELF, remote_port: 2 })], {
    variants: [1, 3, 4, 5, 6, 7, 8, 9].map((remote_port) => [0, struct('evtchn.bind_interdomain', { remote_dom: SELF, remote_port })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/bind_virq', [1, struct('evtchn.bind_virq', { virq: 1, vcpu: 0 })], {
    variants: [2, 3, 7, 9, 12, 17].map((virq) => [1, struct('evtchn.bind_virq', { virq, vcpu: 0 })]),
    faults: [unknownCommand, wrongField(1, 'virq', { global: 2 })],
  }),
  operation('event_channel_op/bind_pirq', [2, struct('evtchn.bind_pirq', { pirq: 4096, flags: 0 })], {
    faults: [unknownCommand, wrongField(1, 'pirq', { beyond: '0xffffffff' })],
  }),
  operation('event_channel_op/close', [3, struct('evtchn.close', { port: 3 })], {
    variants: [1, 2, 4, 5, 6, 7, 8].map((port) => [3, struct('evtchn.close', { port })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/send', [4, struct('evtchn.send', { port: 1 })], {
    variants: [2, 3, 4, 5].map((port) => [4, struct('evtchn.send', { port })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/status', [5, struct('evtchn.status', { dom: SELF, port: 1 })], {
    variants: [2, 3, 4, 5, 63, 64].map((port) => [5, struct('evtchn.status', { dom: SELF, port })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/bind_ipi', [7, struct('evtchn.bind_ipi', { vcpu: 0 })], { faults: [unknownCommand] }),
  operation('event_channel_op/bind_vcpu', [8, struct('evtchn.bind_vcpu', { port: 1, vcpu: 0 })], {
    variants: [2, 3, 4, 5].map((port) => [8, struct('evtchn.bind_vcpu', { port, vcpu: 0 })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/unmask', [9, struct('evtchn.unmask', { port: 1 })], {
    variants: [2, 3, 4].map((port) => [9, struct('evtchn.unmask', { port })]),
    faults: [unknownCommand],
  }),
  operation('event_channel_op/reset', [10, struct('evtchn.reset', { dom: SELF })], { faults: [unknownCommand] }),
  operation('event_channel_op/reset_cont', [14, struct('evtchn.reset', { dom: SELF })], { faults: [unknownCommand] }),
  operation('event_channel_op/init_control', [11, struct('evtchn.init_control', { control_gfn: mfn(PAGES.data[4]), offset: 0, vcpu: 0 })], {
    variants: [[11, struct('evtchn.init_control', { control_gfn: mfn(PAGES.data[3]), offset: 4024, vcpu: 0 })]],
    faults: [unknownCommand, wrongField(1, 'offset', { unaligned: 4, 'across the end': 4032 })],
  }),
  operation('event_channel_op/expand_array', [12, struct('evtchn.expand_array', { array_gfn: mfn(PAGES.data[4]) })], {
    faults: [unknownCommand],
  }),
  operation('event_channel_op/set_priority', [13, struct('evtchn.set_priority', { port: 1, priority: 3 })], {
    variants: [2, 3, 4, 5].map((port) => [13, struct('evtchn.set_priority', { port, priority: 3 * port })]),
    faults: [unknownCommand, wrongField(1, 'priority', { beyond: 16 })],
  }),
];
