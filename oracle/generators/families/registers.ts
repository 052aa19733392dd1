/** Calls that set a vCPU's own registers and handlers, and those that only tell. */
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES } from '../state.ts';
import { BAD_POINTERS } from '../values.ts';

const hypercall = (g: Generation, call: string | number, ...args: readonly Argument[]): Step =>
  g.step({ do: 'hypercall', call, args, ...(g.r.one(8) ? { via: 'page' } : {}) } as never);

const VERSION_STRUCTS = [
  '',
  'extraversion',
  'compile_info',
  'capabilities',
  'changeset',
  'platform_parameters',
  'feature_info',
  '',
  'guest_handle',
] as const;

const version: Family = {
  weight: 6,
  make: (g) => {
    const { r } = g;
    const command = r.int(0, 13);
    if (r.one(6)) return [hypercall(g, 'xen_version', command, r.pick(BAD_POINTERS))];
    if (command === 6)
      return [hypercall(g, 'xen_version', 6, { struct: 'version.feature_info', fields: { submap_idx: r.pick([0, 0, 1, 2, 0xffffffff]) } })];
    // The command line and the build differ with the setup; only that they can be asked for counts.
    if (command === 9) return [hypercall(g, 'xen_version', 9, { buffer: 1024, show: 'nothing' })];
    if (command === 10) return [hypercall(g, 'xen_version', 10, { struct: 'version.build_id', fields: { len: r.pick([0, 4, 19]) } })];
    const name = VERSION_STRUCTS[command] ?? '';
    if (name === '') return [hypercall(g, 'xen_version', command, r.one(3) ? { buffer: 8, show: 'nothing' } : 0)];
    return [hypercall(g, 'xen_version', command, { struct: `version.${name as 'changeset'}`, fields: {} })];
  },
};

const consoleIo: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    // Whether another domain than 0 may write depends on how Xen was built.
    switch (g.domain === 0 ? r.int(0, 4) : 0) {
      case 0:
        return [hypercall(g, 'console_io', 1, r.pick([0, 1, 16]), { buffer: 16, show: 'nothing' })];
      case 1:
        return [hypercall(g, 'console_io', 0, r.pick([1, 8]), r.pick(BAD_POINTERS))];
      case 2:
        return [hypercall(g, 'console_io', r.pick([2, 100, 0x7fffffff]), 1, { text: 'x' })];
      case 3:
        return [hypercall(g, 'console_io', 0, 0, r.one(2) ? 0 : { text: 'x' })];
      default: {
        const text = `${r.list(1, 40, () => String.fromCharCode(r.int(0x21, 0x7e))).join('')}\n`;
        return [hypercall(g, 'console_io', 0, text.length, { text })];
      }
    }
  },
};

/** Vectors below 32 keep a handler that the runtime knows; the others may get anything. */
const trapTable: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    if (r.one(8)) return [hypercall(g, 'set_trap_table', r.pick(BAD_POINTERS.slice(1)))];
    const entry = (): { struct: 'xen.trap_info'; fields: Record<string, Argument> } => {
      const vector = r.one(3) ? r.int(32, 255) : r.pick([0, 1, 3, 4, 6, 13, 14, 0x80]);
      const address: Value =
        vector >= 32 && vector !== 0x80 && r.one(2)
          ? r.pick(['0x10000', '0x800000000000', '0xffff800000000000'])
          : { handler: vector < 32 && vector !== 14 && vector !== 13 && r.one(3) ? 'resume' : 'catch', vector };
      return {
        struct: 'xen.trap_info',
        fields: { vector, flags: r.pick([0, 3, 4, 7, 0xff]), cs: r.pick([0xe033, 0xe033, 0xe033, 0xe030, 0]), address },
      };
    };
    return [hypercall(g, 'set_trap_table', { structs: r.list(1, 4, entry), end: true })];
  },
};

const callbacks: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const bad = (): Value => r.pick(['0x800000000000', '0xfff8000000000000'] as const);
    switch (r.int(0, 5)) {
      case 0:
        return [hypercall(g, 'set_callbacks', { handler: 'event' }, { handler: 'failsafe' }, r.one(4) ? bad() : { handler: 'syscall' })];
      case 1:
        g.state.nmi = true;
        return [
          hypercall(g, 'callback_op', 0, {
            struct: 'callback.register',
            fields: { type: 4, flags: r.int(0, 1), address: { handler: 'nmi' } },
          }),
        ];
      case 2:
        return [hypercall(g, 'callback_op', 1, { struct: 'callback.unregister', fields: { type: r.pick([2, 3, 5, 6, 7, 8, 0xffff]) } })];
      case 3:
        return [
          hypercall(g, 'callback_op', 0, {
            struct: 'callback.register',
            fields: { type: r.pick([0, 1, 2, 3, 5, 6, 7, 8, 0xffff]), flags: r.int(0, 3), address: bad() },
          }),
        ];
      case 4:
        return [hypercall(g, 'callback_op', r.pick([2, 3, 0x7fffffff]), r.one(2) ? r.pick(BAD_POINTERS) : { buffer: 16, show: 'nothing' })];
      default: {
        const type = r.pick(['event', 'failsafe', 'syscall'] as const);
        const number = { event: 0, failsafe: 1, syscall: 2 }[type];
        return [
          hypercall(g, 'callback_op', 0, {
            struct: 'callback.register',
            fields: { type: number, flags: r.int(0, 1), address: { handler: type } },
          }),
        ];
      }
    }
  },
};

/** An NMI for the vCPU itself, once a handler stands. */
const nmi: Family = {
  weight: 2,
  make: (g) => {
    if (!g.state.nmi) return [];
    return [hypercall(g, 'vcpu_op', 11, 0, 0)];
  },
};

const bases: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const base = r.one(4) ? r.pick(['0x800000000000', '0xffff7fffffffffff', '0xffff800000000000', '0x7fffffffffff'] as const) : r.word();
    const which = r.int(0, 4);
    const value: Argument = which === 3 ? r.pick([0, 0xe02b, 0xe033, 0x1234, 0xffff, 7]) : base;
    return [hypercall(g, 'set_segment_base', which, value), ...(r.one(2) ? [segments(g)] : [])];
  },
};
/** A load through FS or GS shows the base. */
const segments = (g: Generation): Step =>
  g.step({
    do: 'code',
    code: [
      { op: 'mov', args: ['eax', 'fs'] },
      { op: 'mov', args: ['ecx', 'gs'] },
    ],
    show: ['rax', 'rcx'],
    ...(g.r.one(3) ? { mode: 'user', back: 'int' } : {}),
  } as never);

const debug: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    const number = r.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 0xffffffff]);
    if (r.one(2)) return [hypercall(g, 'get_debugreg', number)];
    // No breakpoint is switched on: where it would strike is another matter.
    const value: Value =
      number === 7 || number === 5
        ? r.pick([0, '0x400', '0x300', '0x2000', '0x100000000', '0xd000'])
        : r.one(3)
          ? r.pick(['0xffff800000000000', '0x800000000000', '0xffffffffffffffff'])
          : r.word();
    return [hypercall(g, 'set_debugreg', number, value)];
  },
};

const taskSwitch: Family = {
  weight: 3,
  make: (g) => [
    hypercall(g, 'fpu_taskswitch', g.r.pick([0, 1, 2, 0xffffffff])),
    ...(g.r.one(2)
      ? [
          g.step({
            do: 'code',
            code: [{ op: 'mov', args: ['rcx', 'cr0'] }],
            show: ['rcx'],
          } as never),
        ]
      : []),
  ],
};

const assist: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const type = r.one(3) ? r.pick([3, 6, 7, 31, 33, 63, 64, 0xffffffff]) : r.pick([0, 1, 2, 4, 5]);
    return [hypercall(g, 'vm_assist', r.pick([0, 1, 0, 1, 2, 0xffffffff]), type)];
  },
};

const stack: Family = {
  weight: 3,
  make: (g) => {
    const { r } = g;
    const ss = r.pick([0xe02b, 0xe02b, 0xe02b, 0xe033, 0, 0x1234, 0xffff]);
    return [
      hypercall(g, 'stack_switch', ss === 0xe033 || ss === 0x1234 ? 0xe02b : ss, {
        page: PAGES.stack,
        as: 'va',
        plus: 4096 - 16 * r.int(0, 4) - (r.one(5) ? 8 : 0),
      }),
    ];
  },
};

/** Numbers without a hypercall. */
const unknown: Family = { weight: 2, make: (g) => [hypercall(g, g.r.pick([43, 47, 56, 63, 64, 100, 0x7fffffff, 0xffffffff]), 1, 2, 3)] };

export const REGISTERS: readonly Family[] = [
  version,
  consoleIo,
  trapTable,
  callbacks,
  nmi,
  bases,
  debug,
  taskSwitch,
  assist,
  stack,
  unknown,
];
