/** Programs whose domain has a second vCPU: vCPU 0 starts it, asks it for hypercalls, and acts on it from outside. */
import { cpu_user_regs, vcpu_guest_context } from '#spec/abi/sched.ts';
import { VIRQ } from '#spec/abi/xen.ts';
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { BAD_POINTERS, port } from '../values.ts';
import { ownContext } from './contexts.ts';

const context = vcpu_guest_context.fields;
const registers = cpu_user_regs.fields;
const MS = 1_000_000;
const FAR = 100_000 * MS;

const call = (g: Generation, name: string, args: readonly Argument[], vcpu: 0 | 1 = 0, id = g.id()): Step =>
  g.step({ do: 'hypercall', call: name, args, ...(vcpu === 1 ? { vcpu: 1 } : {}) } as never, id);
const vcpuOp = (g: Generation, command: number, argument: Argument = 0, by: 0 | 1 = 0): Step =>
  call(g, 'vcpu_op', [command, 1, argument], by);
const event = (g: Generation, command: number, struct: string, fields: Readonly<Record<string, Argument>>, id = g.id()): Step =>
  call(g, 'event_channel_op', [command, { struct, fields } as never], g.r.one(3) ? 1 : 0, id);
/** Whoever makes the call. */
const either = (g: Generation): 0 | 1 => (g.r.one(3) ? 1 : 0);

/** A call that leaves nothing behind: when it is answered, all that was sent to vCPU 1 before has come. */
const sync = (g: Generation): Step => call(g, 'xen_version', [0], 1);

/** Contexts that Xen refuses, at each of its checks. */
const refusedContext = (g: Generation): { readonly at: number; readonly value: Value } => {
  const bad = '0x800000000000';
  return g.r.pick([
    { at: context.event_callback_eip.at, value: bad },
    { at: context.failsafe_callback_eip.at, value: bad },
    { at: context.syscall_callback_eip.at, value: bad },
    { at: context.kernel_sp.at, value: bad },
    { at: context.user_regs.at + registers.rip.at, value: bad },
    { at: context.user_regs.at + registers.rsp.at, value: bad },
    { at: context.trap_ctxt.at + 16 * g.r.int(0, 255) + 8, value: bad },
    { at: context.fs_base.at, value: bad },
    { at: context.ldt_base.at, value: 8 },
    { at: context.ldt_ents.at, value: 8193 },
    { at: context.gdt_ents.at, value: 8193 },
    { at: context.ctrlreg.at + 24, value: 0 },
    { at: context.ctrlreg.at + 24, value: '0xfffffffff000' },
    { at: context.ctrlreg.at + 24, value: { page: 'l3', as: 'maddr' } },
    { at: context.ctrlreg.at + 24, value: { page: 0, as: 'maddr' } },
    { at: context.ctrlreg.at + 8, value: { page: 'l2', as: 'maddr' } },
    { at: context.flags.at, value: 0 },
    { at: context.flags.at, value: g.r.pick([1, 2, 32, 33]) },
  ]);
};

/** Harmless variations of a context. */
const variedContext = (g: Generation): { readonly at: number; readonly value: Value } =>
  g.r.pick([
    { at: context.flags.at, value: 36 },
    { at: context.debugreg.at, value: '0x500000' },
    { at: context.debugreg.at + 56, value: 0x400 },
    { at: context.fs_base.at, value: '0x600000' },
    { at: context.gs_base_user.at, value: '0x600000' },
    { at: context.user_regs.at + registers.rflags.at, value: '0x3202' },
    { at: context.user_regs.at + registers.saved_upcall_mask.at - 4, value: '0x10000e033' },
    { at: context.ctrlreg.at, value: 8 },
    { at: context.vm_assist.at, value: 0x20 },
  ]);

/** Steps at the beginning of each program: vCPU 1 runs afterwards, almost always. */
export const startSecond = (g: Generation): readonly Step[] => {
  const { r } = g;
  const steps: Step[] = [];
  if (r.one(3)) steps.push(vcpuOp(g, r.pick([1, 3, 2])));
  if (r.one(2)) steps.push(g.step({ do: 'initialise', words: [refusedContext(g)] } as never));
  if (r.one(4))
    steps.push(vcpuOp(g, 13, { struct: 'vcpu.register_time_memory_area', fields: { addr: { page: PAGES.times, as: 'va', plus: 2048 } } }));
  if (r.one(3)) steps.push(moveInfo(g));
  steps.push(g.step({ do: 'initialise', ...(r.one(2) ? { words: [variedContext(g)] } : {}) } as never));
  if (r.one(4)) steps.push(vcpuOp(g, 3));
  steps.push(vcpuOp(g, 1), sync(g));
  return steps;
};

const moveInfo = (g: Generation): Step => {
  const fields = { mfn: { page: PAGES.vcpu_info, as: 'mfn' as const }, offset: g.r.pick([2048, 2048 + 64, 4032, 4090]) };
  return vcpuOp(g, 10, { struct: 'vcpu.register_vcpu_info', fields });
};

const again: Family = {
  weight: 2,
  make: (g) => [
    g.step({
      do: 'initialise',
      ...(g.r.one(3) ? { vcpu: g.r.pick([0, 2, 0xffffffff]) } : {}),
      ...(g.r.one(2) ? { words: [refusedContext(g)] } : {}),
    } as never),
  ],
};

/** Down, something meanwhile, and up again. */
const downAndUp: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const steps: Step[] = [vcpuOp(g, 2, 0, r.one(3) ? 1 : 0)];
    if (r.one(2)) steps.push(vcpuOp(g, 3));
    // When a vCPU that is put down is seen to be offline is up to its CPU.
    if (r.one(3)) steps.push(vcpuOp(g, 4, { buffer: 48, show: 'nothing' }));
    if (r.one(3)) steps.push(moveInfo(g));
    if (r.one(4)) steps.push(vcpuOp(g, 11));
    if (r.one(3)) steps.push(...aimed.make(g));
    if (r.one(6)) steps.push(sync(g));
    steps.push(vcpuOp(g, 1), sync(g));
    return steps;
  },
};

const look: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 3)) {
      case 0:
        return [call(g, 'vcpu_op', [3, r.int(0, 2), 0], either(g))];
      case 1:
        return [call(g, 'vcpu_op', [4, r.int(0, 1), { buffer: 48, show: 'nothing' }], either(g))];
      case 2:
        return [call(g, 'vcpu_op', [12, r.int(0, 1), r.pick(BAD_POINTERS)], either(g))];
      default:
        return [call(g, 'vcpu_op', [1, r.int(0, 1), 0], either(g))];
    }
  },
};

const BIND = { ipi: 7, virq: 1, vcpu: 8 } as const;
const VCPU_VIRQS = [VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU] as const;

/** A port for vCPU 1: made for it, or moved to it; then signals, and what came of them. */
const aimed: Family = {
  weight: 10,
  make: (g) => {
    const { r, state } = g;
    const steps: Step[] = [];
    const id = g.id();
    const how = r.pick(['ipi', 'ipi', 'virq', 'vcpu'] as const);
    if (how === 'vcpu') {
      steps.push(event(g, BIND.vcpu, 'evtchn.bind_vcpu', { port: port(g), vcpu: r.int(0, 1) }, id));
    } else {
      state.addPort(id, 'port', how);
      const fields = how === 'ipi' ? { vcpu: r.one(4) ? 0 : 1 } : { virq: r.pick(VCPU_VIRQS), vcpu: 1 };
      steps.push(event(g, BIND[how], how === 'ipi' ? 'evtchn.bind_ipi' : 'evtchn.bind_virq', fields, id));
    }
    return steps;
  },
};

const signal: Family = {
  weight: 8,
  make: (g) => {
    const { r, state } = g;
    if (state.ports.length === 0) return [];
    const target = r.pick(state.ports).value;
    const steps: Step[] = [];
    if (r.one(2)) steps.push(g.step({ do: 'port', port: target, pending: false, mask: r.one(4) } as never));
    steps.push(event(g, r.one(4) ? 9 : 4, r.one(4) ? 'evtchn.unmask' : 'evtchn.send', { port: target }));
    steps.push(r.one(4) ? g.step({ do: 'events' } as never) : sync(g));
    return steps;
  },
};

/** The domain takes up queues of events, but for one vCPU only; then signals go to either, and it gives them up again. */
const queuesOfOne: Family = {
  weight: 3,
  make: (g) => {
    const { r, state } = g;
    state.clearPorts();
    const frame = (page: number) => ({ page, as: 'mfn' as const });
    const [blocks, words] = [PAGES.data[3], PAGES.data[4]];
    const steps: Step[] = [
      call(g, 'event_channel_op', [
        11,
        { struct: 'evtchn.init_control', fields: { control_gfn: frame(blocks), offset: 0, vcpu: r.int(0, 1) } },
      ]),
      call(g, 'event_channel_op', [12, { struct: 'evtchn.expand_array', fields: { array_gfn: frame(words) } }]),
    ];
    for (let n = r.int(1, 3); n > 0; n--) steps.push(...aimed.make(g), ...signal.make(g));
    steps.push(call(g, 'event_channel_op', [10, { struct: 'evtchn.reset', fields: { dom: SELF } }]));
    state.clearPorts();
    return steps;
  },
};

const nmi: Family = { weight: 3, make: (g) => [vcpuOp(g, 11, 0, either(g)), ...(g.r.one(2) ? [sync(g)] : [])] };

/** Timers of vCPU 1: far away, or over already. */
const timers: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 4)) {
      case 0:
        return [vcpuOp(g, 6, { struct: 'vcpu.set_periodic_timer', fields: { period_ns: r.pick([FAR, FAR * 10, 999_999, 0]) } }, either(g))];
      case 1:
        return [vcpuOp(g, 7, 0, either(g))];
      case 2: {
        const fields = { timeout_abs_ns: r.pick<Value>([1, { now: FAR }]), flags: r.pick([0, 1]) };
        return [vcpuOp(g, 8, { struct: 'vcpu.set_singleshot_timer', fields }, either(g)), sync(g)];
      }
      case 3:
        return [vcpuOp(g, 9, 0, either(g))];
      default:
        return [call(g, 'set_timer_op', [r.pick<Value>([0, 1, { now: FAR }])], 1)];
    }
  },
};

/** vCPU 1 sleeps, and wakes by a timeout or by a signal to a port of its own. */
const sleep: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const ports = r.list(0, 2, () => port(g));
    const fields = { ports: { array: ports, size: 4 }, nr_ports: ports.length, timeout: { now: r.int(1, 20) * MS } } as const;
    return [call(g, 'sched_op', [3, { struct: 'sched.poll', fields }], 1)];
  },
};

const areas: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const by = either(g);
    const addr = r.one(4)
      ? r.pick(BAD_POINTERS.filter((p) => p !== 0))
      : { page: PAGES.times, as: 'va' as const, plus: r.pick([0, 8, 1024]) };
    return [
      r.one(2)
        ? vcpuOp(g, 5, { struct: 'vcpu.register_runstate_memory_area', fields: { addr } }, by)
        : vcpuOp(g, 13, { struct: 'vcpu.register_time_memory_area', fields: { addr } }, by),
    ];
  },
};

/** Flushes on both vCPUs, one, or none; and of a vCPU that is not there. */
const flush: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const mask: Argument = r.one(5) ? r.pick(BAD_POINTERS) : { array: [r.pick([0, 1, 2, 3, 4, '0xffffffffffffffff'] as const)], size: 8 };
    const fields = { cmd: r.pick([8, 9, 10, 11]), arg1: { page: r.pick(PAGES.windows), as: 'va' as const }, arg2: mask };
    return [call(g, 'mmuext_op', [{ structs: [{ struct: 'xen.mmuext_op', fields }] }, 1, 0, SELF], either(g))];
  },
};

/** What vCPU 1 changes of itself and nobody's way. */
const own: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const n = r.pick([0, 1, 2, 3, 6]);
    switch (r.int(0, 4)) {
      case 0:
        return [
          call(g, 'set_debugreg', [n, r.pick([0, '0x123000', '0xffff800000000000'] as const)], 1),
          call(g, 'get_debugreg', [n], either(g)),
        ];
      case 1:
        return [call(g, 'fpu_taskswitch', [r.int(0, 1)], 1)];
      case 2:
        return [call(g, 'set_segment_base', [r.int(0, 2), r.pick([0, '0x500000', '0x800000000000'] as const)], 1)];
      case 3:
        return [call(g, 'stack_switch', [r.pick([0xe02b, 0, 3]), r.pick<Value>(['0x800000000000'])], 1)];
      default:
        return [call(g, 'vm_assist', [r.int(0, 1), r.pick([2, 5, 99])], 1)];
    }
  },
};

/** Calls that any vCPU may make without harm to the runtime: those of other families now and then come from vCPU 1. */
const ELSEWHERE: ReadonlySet<unknown> = new Set(['event_channel_op', 'xen_version', 'grant_table_op', 'update_va_mapping', 'mmu_update']);
type CallStep = Extract<Step, { do: 'hypercall' }>;
/** The number of PIRQs goes with the number of CPUs, which is not the same everywhere. */
const bindsPirq = (step: CallStep): boolean => step.call === 'event_channel_op' && step.args[0] === 2;
/** What a second vCPU would make a matter of timing: its runstate. */
const tellsRunstate = (step: CallStep): boolean => step.call === 'vcpu_op' && step.args[0] === 4 && step.args[1] === 1;

export const onEither = (family: Family): Family => ({
  weight: family.weight,
  make: (g) =>
    family
      .make(g)
      .filter((step) => step.do !== 'hypercall' || !(bindsPirq(step) || tellsRunstate(step)))
      .map((step) =>
        step.do === 'hypercall' && !step.via && ELSEWHERE.has(step.call) && g.r.one(3) ? { ...step, vcpu: 1 as const } : step,
      ),
});

export const SMP: readonly Family[] = [
  again,
  downAndUp,
  look,
  aimed,
  signal,
  queuesOfOne,
  nmi,
  timers,
  sleep,
  areas,
  flush,
  own,
  ownContext,
];
