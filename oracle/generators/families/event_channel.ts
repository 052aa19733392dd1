/** Event channels: every operation, on ports that live and on ports that do not; upcalls and the bits in the shared info page. */

import type { Argument, Step } from '#spec/program.ts';
import { type Family, type Generation, SELF } from '../state.ts';
import { BAD_POINTERS, domid, port, vcpuNumber } from '../values.ts';
import { quietVirq } from '../virqs.ts';

const call = (g: Generation, command: number, argument: Argument, id = g.id()): Step => {
  // A structure that cannot be reached is refused before anything else.
  const arg = g.r.one(25) ? g.r.pick(BAD_POINTERS) : argument;
  return g.step({ do: 'hypercall', call: 'event_channel_op', args: [command, arg], ...(g.r.one(8) ? { via: 'page' } : {}) } as never, id);
};

const allocUnbound: Family = {
  weight: 6,
  make: (g) => {
    const id = g.id();
    const dom = g.r.one(8) ? domid(g) : SELF;
    const remote = g.peer && g.r.one(2) ? g.peer.domid : g.r.one(4) ? domid(g) : SELF;
    if (dom === SELF) g.state.addPort(id, 'port', 'unbound');
    return [call(g, 6, { struct: 'evtchn.alloc_unbound', fields: { dom, remote_dom: remote } }, id)];
  },
};

const bindInterdomain: Family = {
  weight: 5,
  make: (g) => {
    const id = g.id();
    const { r, state } = g;
    const waiting = state.ports.filter((p) => p.kind === 'unbound');
    const valid = waiting.length > 0 && !r.one(4);
    if (valid) state.addPort(id, 'local_port', 'interdomain');
    return [
      call(
        g,
        0,
        {
          struct: 'evtchn.bind_interdomain',
          fields: { remote_dom: valid ? SELF : domid(g), remote_port: valid ? r.pick(waiting).value : port(g) },
        },
        id,
      ),
    ];
  },
};

const bindVirq: Family = {
  weight: 5,
  make: (g) => {
    const id = g.id();
    const { r, state } = g;
    const virq = r.one(2) ? 0 : r.one(5) ? r.pick([24, 25, 255, 0xffffffff]) : quietVirq(r);
    const vcpu = vcpuNumber(g);
    if (virq < 24 && vcpu === 0 && !(virq === 0 && state.timer)) {
      const made = state.addPort(id, 'port', 'virq');
      if (virq === 0) state.timer = made;
    }
    return [call(g, 1, { struct: 'evtchn.bind_virq', fields: { virq, vcpu } }, id)];
  },
};

const bindIpi: Family = {
  weight: 3,
  make: (g) => {
    const id = g.id();
    const vcpu = vcpuNumber(g);
    if (vcpu === 0) g.state.addPort(id, 'port', 'ipi');
    return [call(g, 7, { struct: 'evtchn.bind_ipi', fields: { vcpu } }, id)];
  },
};

const bindPirq: Family = {
  weight: 1,
  make: (g) => [call(g, 2, { struct: 'evtchn.bind_pirq', fields: { pirq: g.r.pick([208, 209, 4096, 0xffffffff]), flags: g.r.int(0, 3) } })],
};

const close: Family = {
  weight: 4,
  make: (g) => {
    const { r, state } = g;
    const living = state.ports.length > 0 && !r.one(3) ? r.pick(state.ports) : undefined;
    const step = call(g, 3, { struct: 'evtchn.close', fields: { port: living ? living.value : port(g) } });
    if (living) state.removePort(living);
    return [step];
  },
};

/** What becomes of a signal when its port goes away: raise a port, close it, and look. */
const closeRaised: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const id = g.id();
    const made = g.state.addPort(id, 'port', 'ipi');
    const steps = [
      g.step({ do: 'hypercall', call: 'event_channel_op', args: [7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }] } as never, id),
      ...(r.one(2) ? [g.step({ do: 'port', port: made.value, mask: true } as never)] : []),
      call(g, 4, { struct: 'evtchn.send', fields: { port: made.value } }),
      call(g, 3, { struct: 'evtchn.close', fields: { port: made.value } }),
      g.step({ do: 'port', port: made.value } as never),
    ];
    g.state.removePort(made);
    return steps;
  },
};

const onPort =
  (command: number, struct: 'evtchn.send' | 'evtchn.unmask'): ((g: Generation) => readonly Step[]) =>
  (g) => [call(g, command, { struct, fields: { port: port(g) } })];
const send: Family = { weight: 9, make: onPort(4, 'evtchn.send') };
const unmask: Family = { weight: 4, make: onPort(9, 'evtchn.unmask') };

const status: Family = {
  weight: 7,
  make: (g) => [call(g, 5, { struct: 'evtchn.status', fields: { dom: g.r.one(5) ? domid(g) : SELF, port: port(g) } })],
};

const bindVcpu: Family = {
  weight: 3,
  make: (g) => [call(g, 8, { struct: 'evtchn.bind_vcpu', fields: { port: port(g), vcpu: vcpuNumber(g) } })],
};

const reset: Family = {
  weight: 1,
  make: (g) => {
    const { r, state } = g;
    // In a program of two domains the ports of the turns must stay.
    const dom = state.two ? r.pick([5, 0x7ff1, 0x7ff4]) : r.one(3) ? domid(g) : SELF;
    if (dom === SELF || dom === state.domid) state.clearPorts();
    return [call(g, r.one(4) ? 14 : 10, { struct: 'evtchn.reset', fields: { dom } })];
  },
};

/** Operations of the FIFO ABI and unknown ones, only where the two-level ABI refuses them. */
const refused: Family = {
  weight: 2,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 3)) {
      case 0:
        return [
          call(g, 11, {
            struct: 'evtchn.init_control',
            fields: r.one(2) ? { vcpu: 1 + r.int(0, 100) } : { offset: r.pick([1, 4, 4090, 4096]) },
          }),
        ];
      case 1:
        return [call(g, 12, { struct: 'evtchn.expand_array', fields: { array_gfn: { page: 1, as: 'mfn' } } })];
      case 2:
        return [call(g, 13, { struct: 'evtchn.set_priority', fields: { port: port(g), priority: r.pick([0, 7, 15, 16]) } })];
      default:
        return [call(g, r.pick([15, 16, 100, 0x7fffffff]), { struct: 'evtchn.send', fields: { port: port(g) } })];
    }
  },
};

const bitsOfPort: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const mask = r.one(2) ? { mask: r.one(2) } : {};
    const pending = r.one(6) ? { pending: r.one(2) } : {};
    const which = g.state.ports.length > 0 ? r.pick(g.state.ports).value : r.int(2, 20);
    return [g.step({ do: 'port', port: which, ...mask, ...pending } as never)];
  },
};

const upcalls: Family = { weight: 4, make: (g) => [g.step({ do: 'upcalls', on: !g.r.one(3) } as never)] };
const events: Family = { weight: 3, make: (g) => [g.step({ do: 'events' } as never)] };

export const EVENT_CHANNELS: readonly Family[] = [
  allocUnbound,
  bindInterdomain,
  bindVirq,
  bindIpi,
  bindPirq,
  close,
  closeRaised,
  send,
  unmask,
  status,
  bindVcpu,
  reset,
  refused,
  bitsOfPort,
  upcalls,
  events,
];
