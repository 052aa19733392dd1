/**
 * The FIFO ABI, in episodes: a domain takes it up, works with ports, words and queues, and gives it back. What a guest may write into event
 * words and control blocks is written: anything.
 */
import { EVTCHN_FIFO_BIT } from '#spec/abi/event_channel.ts';
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, SELF } from '../state.ts';

/** Pages of an episode: control blocks, and event words twice. */
const CONTROL = 3;
const ARRAY = 4;
const SECOND = 5;
/** Ports that episodes work with are below this. */
const PORTS = 9;
const BLOCK = 128;

const call = (g: Generation, cmd: number, struct: string, fields: Readonly<Record<string, Argument>>, id = g.id()): Step =>
  g.step({ do: 'hypercall', call: 'event_channel_op', args: [cmd, { struct: `evtchn.${struct}`, fields } as never] } as never, id);

const write = (g: Generation, page: number, plus: number, value: number): Step =>
  g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus }, size: 4, value } as never);
const hash = (g: Generation, page: number): Step => g.step({ do: 'hash', page } as never);
const mfn = (page: number | 'l1' | 'code'): Value => ({ page, as: 'mfn' });

const port = (g: Generation): number =>
  g.r.one(16) ? g.r.pick([0, 63, 64, 1023, 1024, 4095, 4096, 0x1ffff, 0x20000, 0xffffffff]) : g.r.int(1, PORTS);
const vcpu = (g: Generation): number => (g.r.one(16) ? g.r.pick([2, 31, 0xffffffff]) : g.r.one(4) ? 1 : 0);

/** An event word: its four bits, some port behind it, now and then bits that mean nothing. */
const word = (g: Generation): number => {
  const { pending, masked, linked, busy } = EVTCHN_FIFO_BIT;
  const bits = [pending, masked, linked].reduce((sum, bit) => sum + (g.r.one(2) ? 2 ** bit : 0), g.r.one(4) ? 2 ** busy : 0);
  return bits + (g.r.one(3) ? g.r.int(0, 0x1ffff) : 0) + (g.r.one(8) ? 0x20000 * g.r.int(0, 0x7ff) : 0);
};

const initControl = (g: Generation): Step => {
  const { r } = g;
  const frame = r.one(10) ? r.pick<Value>([0, '0xfffffffffff', mfn('l1')]) : mfn(r.one(12) ? ARRAY : CONTROL);
  const offset = r.one(8) ? r.pick([4, 4024, 4025, 4032, 0xffffffff]) : BLOCK * r.int(0, 2);
  return call(g, 11, 'init_control', { control_gfn: frame, offset, vcpu: vcpu(g) });
};

const expandArray = (g: Generation): Step => {
  const { r } = g;
  const frame = r.one(10) ? r.pick<Value>([0, '0xfffffffffff', mfn('l1')]) : mfn(r.one(12) ? CONTROL : r.pick([ARRAY, ARRAY, SECOND]));
  return call(g, 12, 'expand_array', { array_gfn: frame });
};

/** What a guest does to words and blocks: it takes ports out, masks, or writes whatever it likes. */
const scribble = (g: Generation): Step => {
  const { r } = g;
  if (r.one(4)) return write(g, CONTROL, BLOCK * r.int(0, 2) + (r.one(2) ? 0 : 4 * r.int(0, 17)), r.one(2) ? 0 : r.int(0, 0xffff));
  return write(g, r.one(6) ? SECOND : ARRAY, 4 * r.int(0, PORTS), r.one(2) ? 0 : word(g));
};

const pair = (g: Generation): Step[] => {
  const id = g.id();
  const waiting = call(g, 6, 'alloc_unbound', { dom: SELF, remote_dom: SELF }, id);
  if (g.r.one(3)) return [waiting];
  return [waiting, call(g, 0, 'bind_interdomain', { remote_dom: SELF, remote_port: { step: id, of: 'port', else: 1 } })];
};

const ACTIONS: readonly { readonly weight: number; readonly make: (g: Generation) => readonly Step[] }[] = [
  { weight: 26, make: (g) => [call(g, 4, 'send', { port: port(g) })] },
  { weight: 8, make: (g) => [call(g, 7, 'bind_ipi', { vcpu: vcpu(g) })] },
  { weight: 4, make: pair },
  { weight: 2, make: (g) => [call(g, 1, 'bind_virq', { virq: g.r.pick([1, 2, 5, 9, 23, 24]), vcpu: vcpu(g) })] },
  { weight: 5, make: (g) => [call(g, 3, 'close', { port: port(g) })] },
  { weight: 8, make: (g) => [call(g, 9, 'unmask', { port: port(g) })] },
  {
    weight: 6,
    make: (g) => [call(g, 13, 'set_priority', { port: port(g), priority: g.r.one(8) ? g.r.pick([16, 0xffffffff]) : g.r.int(0, 15) })],
  },
  { weight: 5, make: (g) => [call(g, 8, 'bind_vcpu', { port: port(g), vcpu: vcpu(g) })] },
  { weight: 3, make: (g) => [initControl(g)] },
  { weight: 3, make: (g) => [expandArray(g)] },
  { weight: 1, make: (g) => [call(g, 10, 'reset', { dom: SELF })] },
  { weight: 1, make: (g) => [call(g, 5, 'status', { dom: SELF, port: port(g) })] },
  { weight: 18, make: (g) => [scribble(g)] },
  { weight: 2, make: (g) => [g.step({ do: 'port', port: g.r.int(1, 70), pending: g.r.one(2), mask: g.r.one(2) } as never)] },
  { weight: 3, make: (g) => [g.step({ do: 'upcalls', on: g.r.one(2) } as never)] },
  { weight: 4, make: (g) => [hash(g, g.r.pick([CONTROL, ARRAY, ARRAY, SECOND]))] },
  { weight: 2, make: (g) => [g.step({ do: 'events' } as never)] },
];

/** One stay with the FIFO ABI. In a program of two domains the ports of the turns must stay, so there is none. */
export const fifoEpisode: Family = {
  weight: 2,
  make: (g) => {
    const { r, state } = g;
    if (state.two) return [];
    state.clearPorts();
    const steps: Step[] = [];
    // Ports that live already are raised when their words come.
    if (!r.one(4)) steps.push(call(g, 10, 'reset', { dom: SELF }));
    for (let n = r.int(0, 2); n > 0; n--) steps.push(call(g, 7, 'bind_ipi', { vcpu: 0 }));
    if (!r.one(4)) steps.push(call(g, 11, 'init_control', { control_gfn: mfn(CONTROL), offset: 0, vcpu: 0 }));
    if (!r.one(4)) steps.push(call(g, 12, 'expand_array', { array_gfn: mfn(ARRAY) }));
    for (let n = r.int(8, 40); n > 0; n--) steps.push(...r.weighted(ACTIONS).make(g));
    steps.push(hash(g, CONTROL), hash(g, ARRAY), call(g, 10, 'reset', { dom: SELF }));
    return steps;
  },
};
