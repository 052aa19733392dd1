/** sched_op, vcpu_op and timers: what sleeps always wakes. */
import type { Argument, Step } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { BAD_POINTERS, port, vcpuNumber } from '../values.ts';

const sched = (g: Generation, command: number, argument: Argument): Step =>
  g.step({ do: 'hypercall', call: 'sched_op', args: [command, g.r.one(20) ? g.r.pick(BAD_POINTERS) : argument] } as never);
const vcpu = (g: Generation, command: number, number: number, argument: Argument): Step =>
  g.step({ do: 'hypercall', call: 'vcpu_op', args: [command, number, g.r.one(20) ? g.r.pick(BAD_POINTERS) : argument] } as never);

const MS = 1_000_000;
const FAR = 100_000 * MS;

const yields: Family = { weight: 2, make: (g) => [g.step({ do: 'hypercall', call: 'sched_op', args: [0, 0] } as never)] };

/** A poll that ends by its timeout at the latest. */
const poll: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const ports = r.list(0, 3, () => port(g));
    const bad = r.one(6);
    const pointer: Argument = bad ? r.pick(BAD_POINTERS) : { array: ports, size: 4 };
    const nr_ports = r.one(8) ? r.pick([129, 0x7fffffff, 0xffffffff]) : ports.length;
    return [
      sched(g, 3, { struct: 'sched.poll', fields: { ports: pointer, nr_ports, timeout: r.one(4) ? 1 : { now: r.int(1, 30) * MS } } }),
    ];
  },
};

const schedOther: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 5)) {
      case 0:
        return [sched(g, 5, { struct: 'sched.shutdown', fields: { reason: r.pick([0, 1, 2, 3, 4, 5, 6, 255, 0xffffffff]) } })];
      case 1:
        return [
          sched(g, 6, {
            struct: 'sched.watchdog',
            fields: { id: r.pick([0, 0, 1, 2, 3, 0xffffffff]), timeout: r.pick([100, 1000, 5000]) },
          }),
        ];
      case 2:
        return [
          sched(g, 4, {
            struct: 'sched.remote_shutdown',
            fields: { domain_id: r.pick([5, 0x7fef, 0x7ff1, 0x7ff4, 0x7fff, SELF]), reason: 0 },
          }),
        ];
      case 3:
        return [sched(g, 7, { struct: 'sched.pin_override', fields: { pcpu: r.pick([0, 1, 64, -1, -2, 0x7fffffff]) } })];
      case 4:
        return [sched(g, 8, 0)];
      default:
        return [
          g.step({
            do: 'hypercall',
            call: 'sched_op',
            args: [r.pick([9, 100, 0x7fffffff]), { struct: 'sched.shutdown', fields: { reason: 0 } }],
          } as never),
        ];
    }
  },
};

const vcpuState: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const number = vcpuNumber(g);
    switch (r.int(0, 7)) {
      case 0:
        return [vcpu(g, 3, number, 0)];
      case 1:
        return [vcpu(g, 4, number, { struct: 'vcpu.runstate_info', fields: {} })];
      case 2:
        return [vcpu(g, 1, number, 0)];
      case 3:
        return [vcpu(g, 0, number, { struct: 'xen.vcpu_guest_context', fields: {} })];
      case 4:
        return [vcpu(g, 12, number, { struct: 'vcpu.get_physid', fields: {} })];
      case 5:
        return [vcpu(g, r.pick([14, 15, 99, 0x7fffffff]), number, 0)];
      case 6:
        return [vcpu(g, 2, r.pick([1, 2, 31, 128, 0xffffffff]), 0)];
      default:
        return [vcpu(g, 11, number === 0 ? 1 : number, 0)];
    }
  },
};

/** Times land in a page that nobody looks at. */
const areas: Family = {
  weight: 2,
  make: (g) => {
    const { r } = g;
    const addr: Argument = r.one(3) ? r.pick(BAD_POINTERS) : { page: PAGES.times, as: 'va', plus: r.pick([0, 8, 1024]) };
    return r.one(2)
      ? [vcpu(g, 5, vcpuNumber(g), { struct: 'vcpu.register_runstate_memory_area', fields: { addr } })]
      : [
          vcpu(g, 13, vcpuNumber(g), {
            struct: 'vcpu.register_time_memory_area',
            fields: { addr: typeof addr === 'object' ? { page: PAGES.times, as: 'va', plus: 2048 } : addr },
          }),
        ];
  },
};

const moveInfo: Family = {
  weight: 1,
  make: (g) => {
    const { r, state } = g;
    const valid = !state.infoMoved && r.one(2);
    if (valid) state.infoMoved = true;
    const fields = valid
      ? { mfn: { page: PAGES.vcpu_info, as: 'mfn' as const }, offset: 64 * r.int(0, 60) }
      : r.pick([
          { mfn: '0xfffffffff', offset: 0 },
          { mfn: { page: PAGES.vcpu_info, as: 'mfn' as const }, offset: 4090 },
          { mfn: { page: PAGES.vcpu_info, as: 'mfn' as const }, offset: 0x10000 },
        ]);
    return [
      g.step({
        do: 'hypercall',
        call: 'vcpu_op',
        args: [10, valid ? 0 : vcpuNumber(g), { struct: 'vcpu.register_vcpu_info', fields }],
      } as never),
    ];
  },
};

const timers: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const number = r.one(3) ? vcpuNumber(g) : 0;
    switch (r.int(0, 6)) {
      case 0:
        return [
          vcpu(g, 6, number, {
            struct: 'vcpu.set_periodic_timer',
            fields: { period_ns: r.pick([FAR, FAR * 10, 1, 999_999, '0x7fffffffffffffff', '0xffffffffffffffff']) },
          }),
        ];
      case 1:
        return [vcpu(g, 7, number, 0)];
      case 2:
        return [
          vcpu(g, 8, number, {
            struct: 'vcpu.set_singleshot_timer',
            fields: { timeout_abs_ns: r.pick([1, { now: FAR }]), flags: r.pick([0, 1, 2, 3]) },
          }),
        ];
      case 3:
        return [vcpu(g, 9, number, 0)];
      default:
        return [g.step({ do: 'hypercall', call: 'set_timer_op', args: [r.pick([0, 1, { now: FAR }])] } as never)];
    }
  },
};

/** Sleep until a timer wakes. */
const sleep: Family = {
  weight: 5,
  make: (g) => {
    const { r, state } = g;
    const steps: Step[] = [];
    if (!state.timer && r.one(2)) {
      const id = g.id();
      state.timer = state.addPort(id, 'port', 'virq');
      steps.push(
        g.step(
          { do: 'hypercall', call: 'event_channel_op', args: [1, { struct: 'evtchn.bind_virq', fields: { virq: 0, vcpu: 0 } }] } as never,
          id,
        ),
      );
    }
    const how = r.one(3) ? 'poll' : 'block';
    const timer = how === 'poll' ? 'none' : r.pick(['singleshot', 'set_timer_op', 'periodic', 'none'] as const);
    steps.push(
      g.step({
        do: 'wait',
        how,
        timer,
        ns: r.int(10, 50) * MS,
        ...(how === 'poll' ? { ports: r.list(0, 3, () => port(g)) } : {}),
      } as never),
    );
    return steps;
  },
};

export const SCHEDULING: readonly Family[] = [yields, poll, schedOther, vcpuState, areas, moveInfo, timers, sleep];
