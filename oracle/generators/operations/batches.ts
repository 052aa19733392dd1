/** multicall, whose lines tell what each entry came to; and a block, which comes back at once because an event waits. */
import type { Argument, Call } from '#spec/program.ts';
import { type AsStep, type Fault, type Operation, operation, POINTERS, wrong } from './operation.ts';
import { MULTICALL_READ_ONLY } from './read_only.ts';

const VERSION: Call = { call: 'xen_version', args: [0] };
const FEATURES: Call = { call: 'xen_version', args: [7, 0] };
const entries = (...calls: readonly Call[]): Argument => ({ calls: [...calls] });

/** The entry is another call, in its number or in its arguments. */
const wrongEntry = (index: number, argument: string, manners: Readonly<Record<string, (call: Call) => Call>>): readonly Fault[] =>
  Object.entries(manners).map(([manner, change]) => ({
    argument,
    manner,
    apply: (args) => {
      const [list, ...rest] = args;
      if (typeof list !== 'object' || !('calls' in list)) return args;
      return [{ calls: list.calls.map((call, i) => (i === index ? change(call) : call)) }, ...rest];
    },
  }));
const number = (call: Call['call']) => (before: Call) => ({ ...before, call });
const argument =
  (...args: readonly Argument[]) =>
  (before: Call) => ({ ...before, args });

const asItsOwnStep: AsStep = ({ call, args }) => ({ before: [], asked: { do: 'hypercall', call, args: [...args] } });

/** Ports of an IPI in domain 0 and in domain 1: one of the two is none, and nobody minds. */
const WAKING: readonly Call[] = [4, 5].map((port) => ({
  call: 'event_channel_op',
  args: [4, { struct: 'evtchn.send', fields: { port } }],
}));
const withEventWaiting: AsStep = (call) => ({
  before: [{ do: 'upcalls', on: false }],
  asked: { do: 'calls', calls: [...WAKING, call] },
  index: WAKING.length,
});

/** Nothing of the argument is looked at. */
const unread = (command: number) => [...wrong(0, 'command', { unknown: command, far: '0xffffffff' }), ...wrong(1, 'argument', POINTERS)];

export const BATCHES: readonly Operation[] = [
  {
    ...operation('multicall', [entries(VERSION, FEATURES), 2], {
      faults: [
        wrong(0, 'list', { 'read only': MULTICALL_READ_ONLY.good, 'read only, and unknown': MULTICALL_READ_ONLY.unknown }),
        wrong(1, 'count', { none: 0, one: 1, 'of 64 bits': '0x100000002' }),
        wrongEntry(0, "first entry's number", { unknown: number(60), nested: number('multicall') }),
        wrongEntry(0, "first entry's arguments", { unknown: argument(99), unreadable: argument(6, '0x10000') }),
        wrongEntry(1, "second entry's number", { unknown: number(60), nested: number('multicall') }),
        wrongEntry(1, "second entry's arguments", { unknown: argument(99), given: argument(7, '0x10000') }),
      ],
    }),
    asStep: asItsOwnStep,
  },
  { ...operation('sched_op/block', [1, 0], { faults: [unread(50)] }), asStep: withEventWaiting },
  { ...operation('sched_op_compat/block', [1, 0], { faults: [unread(3)] }), asStep: withEventWaiting },
];
