/**
 * Undirected steps: any operation of the slice with arguments that only fit their fields' kinds. Left out is only what would end the run, sleep for ever, or
 * print what differs between machines.
 */
import type { LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Call, Literal, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { anyFrame, anyStruct, BAD_POINTERS, domid, gref, handle, port, topFrame, vcpuNumber } from '../values.ts';

const EVENT_STRUCTS: readonly (LayoutName | null)[] = [
  'evtchn.bind_interdomain',
  'evtchn.bind_virq',
  'evtchn.bind_pirq',
  'evtchn.close',
  'evtchn.send',
  'evtchn.status',
  'evtchn.alloc_unbound',
  'evtchn.bind_ipi',
  'evtchn.bind_vcpu',
  'evtchn.unmask',
  'evtchn.reset',
  null,
  'evtchn.expand_array',
  'evtchn.set_priority',
  'evtchn.reset',
];

const eventChannel = (g: Generation): Call => {
  const { r, state } = g;
  const command = r.one(20) ? r.pick([15, 99]) : r.int(0, 14);
  const name = EVENT_STRUCTS[command];
  if (name === null) return { call: 'event_channel_op', args: [11, { struct: 'evtchn.init_control', fields: { vcpu: r.int(1, 200) } }] };
  let struct = anyStruct(g, name ?? 'evtchn.send');
  if (name === 'evtchn.reset') struct = { struct: name, fields: { dom: state.two ? 5 : domid(g) } };
  // Interrupts of devices may be the domain's own on one machine and not on another.
  if (name === 'evtchn.bind_pirq') struct = { struct: name, fields: { pirq: r.pick([208, 4096, 0xffffffff]), flags: r.int(0, 3) } };
  return { call: 'event_channel_op', args: [command, struct] };
};

const grants = (g: Generation): Call => {
  const { r, state } = g;
  switch (r.int(0, 3)) {
    case 0: {
      const one = () => ({
        struct: 'gnttab.map_grant_ref' as const,
        fields: {
          host_addr: r.one(4)
            ? r.pick(BAD_POINTERS)
            : ({ page: r.pick(PAGES.windows), as: r.pick(['va', 'entry_maddr'] as const) } as Value),
          flags: r.one(2) ? r.pick([2, 6, 18, 22]) : r.int(0, 31),
          ref: gref(g),
          dom: r.one(2) ? state.domid : domid(g),
        },
      });
      return { call: 'grant_table_op', args: [0, { structs: r.list(1, 3, one) }, 1] };
    }
    case 1: {
      const which = handle(g);
      return {
        call: 'grant_table_op',
        args: [
          1,
          {
            structs: [
              {
                struct: 'gnttab.unmap_grant_ref',
                fields: {
                  host_addr: { page: r.pick(PAGES.windows), as: r.pick(['va', 'entry_maddr'] as const) },
                  dev_bus_addr: r.one(4) ? '0x1000' : 0,
                  handle: state.two && which === 0 ? 9 : which,
                },
              },
            ],
          },
          1,
        ],
      };
    }
    case 2:
      return {
        call: 'grant_table_op',
        args: [
          2,
          {
            structs: [
              {
                struct: 'gnttab.setup_table',
                fields: { dom: domid(g), nr_frames: r.pick([0, 1, 2, 3, 100]), frame_list: { buffer: 32, show: 'nothing' } },
              },
            ],
          },
          r.pick([0, 1, 1, 1, 2]),
        ],
      };
    default:
      return { call: 'grant_table_op', args: [6, { structs: [anyStruct(g, 'gnttab.query_size')] }, r.pick([0, 1, 1, 1, 2])] };
  }
};

/** Commands of mmuext_op that leave the runtime's own frames alone, whatever frame is named. */
const EXT_ANY_FRAME = [0, 1, 2, 4, 6, 7, 10, 11, 12, 14, 18, 19, 20, 21, 77];

const memory = (g: Generation): Call => {
  const { r } = g;
  switch (r.int(0, 2)) {
    case 0:
      return {
        call: 'update_va_mapping',
        args: [r.one(4) ? r.pick(BAD_POINTERS) : { page: r.pick(PAGES.windows), as: 'va', plus: r.int(0, 4095) }, entry(g), r.int(0, 8)],
      };
    case 1: {
      const one = () => ({
        struct: 'xen.mmu_update' as const,
        fields: {
          ptr: r.one(5)
            ? r.pick(['0x7ffffffff000', '0xffffffffffffffff'])
            : ({ page: r.pick(PAGES.windows), as: 'entry_maddr', plus: r.pick([0, 0, 0, 2, 3, 4, 5]) } as Value),
          val: entry(g),
        },
      });
      const list = r.list(1, 4, one);
      return { call: 'mmu_update', args: [{ structs: list }, r.one(5) ? r.int(0, list.length) : list.length, 0, foreign(g)] };
    }
    default: {
      const one = () => ({
        struct: 'xen.mmuext_op' as const,
        fields: r.one(16) ? { cmd: 3, arg1: topFrame(g), arg2: 0 } : { cmd: r.pick(EXT_ANY_FRAME), arg1: anyFrame(g), arg2: 0 },
      });
      const list = r.list(1, 4, one);
      return { call: 'mmuext_op', args: [{ structs: list }, list.length, 0, foreign(g)] };
    }
  }
};
const entry = (g: Generation): Value =>
  g.r.one(4)
    ? g.r.pick([0, '0x60', '0xffffffffff067', '0x8000000000000000'])
    : ({
        page: g.r.int(0, 11),
        as: 'pte',
        flags: g.r.pick(['0x61', '0x63', '0x67', '0x5', '0x8000000000000063', '0x1e7', '0xe63']),
      } as Value);
const foreign = (g: Generation): Value => (g.r.one(5) ? g.r.pick([5, 0x7ff1, 0x7ff4, 0x7fff, 0xffff]) : SELF);

const vcpu = (g: Generation): Call => {
  const { r } = g;
  const number = vcpuNumber(g);
  const command = r.pick([1, 3, 4, 5, 6, 7, 8, 9, 13, 14, 50]);
  const far = { now: 100_000_000_000 };
  const argument: Argument =
    command === 4
      ? { struct: 'vcpu.runstate_info', fields: {} }
      : command === 5
        ? { struct: 'vcpu.register_runstate_memory_area', fields: { addr: { page: PAGES.times, as: 'va', plus: 8 * r.int(0, 100) } } }
        : command === 6
          ? { struct: 'vcpu.set_periodic_timer', fields: { period_ns: r.pick([1, 999_999, 100_000_000_000, '0xffffffffffffffff']) } }
          : command === 8
            ? { struct: 'vcpu.set_singleshot_timer', fields: { timeout_abs_ns: r.pick([1, far]), flags: r.int(0, 3) } }
            : command === 13
              ? { struct: 'vcpu.register_time_memory_area', fields: { addr: { page: PAGES.times, as: 'va', plus: 2048 } } }
              : 0;
  return { call: 'vcpu_op', args: [command, number, r.one(12) && command !== 1 ? r.pick(BAD_POINTERS) : argument] };
};

const others = (g: Generation): Call => {
  const { r } = g;
  switch (r.int(0, 9)) {
    case 0:
      return { call: 'set_segment_base', args: [r.int(0, 5), r.word()] };
    case 1:
      return { call: 'get_debugreg', args: [r.int(0, 9)] };
    case 2:
      return { call: 'set_debugreg', args: [r.pick([0, 1, 2, 3, 4, 6, 8]), r.word()] };
    case 3:
      return { call: 'vm_assist', args: [r.int(0, 2), r.pick([0, 1, 2, 3, 4, 5, 6, 31, 33, 64])] };
    case 4:
      return {
        call: 'xen_version',
        args: [r.pick([0, 1, 2, 3, 4, 5, 7, 8, 11, 12, 100]), r.one(3) ? r.pick(BAD_POINTERS) : { buffer: 1024, show: 'nothing' }],
      };
    case 5:
      return { call: 'fpu_taskswitch', args: [r.dword()] };
    case 6:
      return { call: 'callback_op', args: [1, anyUnregister(g)] };
    case 7:
      return { call: 'set_timer_op', args: [r.pick([0, 1, { now: 100_000_000_000 }])] };
    case 8:
      return {
        call: 'sched_op',
        args: [r.pick([0, 7, 9, 50]), { struct: 'sched.pin_override', fields: { pcpu: r.pick([0, 1, -1, 1000]) } }],
      };
    default:
      return { call: r.pick([43, 55, 63, 64, 0xffff]), args: r.list(0, 5, (): Literal => r.word()) };
  }
};
const anyUnregister = (g: Generation): Argument => ({
  struct: 'callback.unregister',
  fields: { type: g.r.pick([2, 3, 4, 5, 6, 7, 8, 100, 0xffff]) },
});

const KINDS = [eventChannel, eventChannel, grants, memory, vcpu, others];

/** Any hypercall. */
export const anyCall = (g: Generation): Call => g.r.pick(KINDS)(g);

const asStep = (g: Generation, call: Call): Step =>
  g.step({ do: 'hypercall', call: call.call, args: call.args, ...(g.r.one(10) ? { via: 'page' } : {}) } as never);

/** Calls whose argument is looked at only after the runtime has heard what it changed, so they stay out of multicalls. */
const simple = (g: Generation): Call => g.r.pick([eventChannel, grants, memory, others])(g);

const one: Family = { weight: 30, make: (g) => [asStep(g, anyCall(g))] };

const badPointer: Family = {
  weight: 4,
  make: (g) => {
    const call = anyCall(g);
    const args = call.args.map(
      (argument): Argument =>
        typeof argument === 'object' && !('page' in argument) && !('now' in argument) && !('step' in argument)
          ? g.r.pick(BAD_POINTERS)
          : argument,
    );
    // A null array with bit 31 of the count is a finished call, and a null runstate area is one to drop: both are calls of their own.
    return [asStep(g, { call: call.call, args })];
  },
};

/** Several calls at once. */
export const multicall: Family = {
  weight: 6,
  make: (g) => {
    const { r } = g;
    const calls = r.list(0, 5, () => (r.one(12) ? ({ call: 'multicall', args: [0, 0] } as Call) : simple(g)));
    const count = r.one(15) ? r.int(0, calls.length) : calls.length;
    return [g.step({ do: 'hypercall', call: 'multicall', args: [r.one(20) ? r.pick(BAD_POINTERS) : { calls }, count] } as never)];
  },
};

const noise: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 4)) {
      case 0:
        return [g.step({ do: 'upcalls', on: r.one(2) } as never)];
      case 1:
        return [g.step({ do: 'events' } as never)];
      case 2:
        return [
          g.step({
            do: 'port',
            port: port(g),
            ...(r.one(2) ? { mask: r.one(2) } : {}),
            ...(r.one(4) ? { pending: r.one(2) } : {}),
          } as never),
        ].filter((s) => !g.state.two || 'port' in s);
      case 3:
        return g.state.two ? [] : [g.step({ do: 'grant_setup', frames: 1 } as never)];
      default:
        return g.state.two && g.domain === 0
          ? []
          : [
              g.step({
                do: 'grant_entry',
                ref: 9 + r.int(0, 3),
                flags: r.pick([1, 5, 0, 2]),
                domid: g.state.domid,
                frame: anyFrame(g),
              } as never),
            ];
    }
  },
};

export const WILD: readonly Family[] = [one, badPointer, multicall, noise];
