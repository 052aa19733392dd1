/** Rare ways through Xen, each on purpose: results that cannot be written back, odd returns, privileges, and limits. */
import type { Argument, Instruction, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { BAD_POINTERS } from '../values.ts';

const hypercall = (g: Generation, call: string, ...args: readonly Argument[]): Step => g.step({ do: 'hypercall', call, args } as never);
const op = (name: string, ...args: readonly (string | number)[]): Instruction => ({ op: name, args: [...args] });
const code = (g: Generation, instructions: readonly Instruction[], rest: Readonly<Record<string, unknown>> = {}): Step =>
  g.step({ do: 'code', code: [...instructions], ...rest } as never);

/** Words of 8 bytes into a data page, and the page read-only in a window: Xen can read there and not write. */
const readOnly = (g: Generation, words: readonly Value[]): { readonly steps: Step[]; readonly at: Value } => {
  const page = g.r.pick(PAGES.data);
  const window = g.r.pick(PAGES.windows);
  const steps = words.map((value, i) =>
    g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus: 8 * i }, size: 8, value } as never),
  );
  steps.push(hypercall(g, 'update_va_mapping', { page: window, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2));
  return { steps, at: { page: window, as: 'va' } };
};

/** What an operation did stays done when its answer cannot be written. */
const lostResult: Family = {
  weight: 5,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 5)) {
      case 0: {
        const { steps, at } = readOnly(g, [SELF | (SELF << 16)]);
        return [
          ...steps,
          hypercall(g, 'event_channel_op', 6, at),
          hypercall(g, 'event_channel_op', 6, { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: SELF } }),
        ];
      }
      case 1: {
        const { steps, at } = readOnly(g, [0]);
        return [...steps, hypercall(g, 'event_channel_op', 7, at)];
      }
      case 2: {
        const { steps, at } = readOnly(g, [SELF, 0]);
        return [...steps, hypercall(g, 'grant_table_op', 6, at, 1)];
      }
      case 3: {
        const { steps, at } = readOnly(g, [17, 0, 0, 0, 0, 0, 0, 0]);
        return [...steps, hypercall(g, 'multicall', at, 1)];
      }
      case 4: {
        const { steps, at } = readOnly(g, [0]);
        return [...steps, r.one(2) ? hypercall(g, 'vcpu_op', 4, 0, at) : hypercall(g, 'xen_version', 4, at)];
      }
      default: {
        const { steps, at } = readOnly(g, [0, 9 * 2 ** 32 + 2, g.state.domid, 0]);
        return [...steps, hypercall(g, 'grant_table_op', 0, at, 1)];
      }
    }
  },
};

/** The iret hypercall with frames that lead nowhere good. The guest stays in kernel mode. */
const oddReturn: Family = {
  weight: 6,
  make: (g) => {
    const { r } = g;
    // Where the frame's SS is null, Xen looks at the instruction that it leads to.
    const code0: Value = { page: 'hypercall', as: 'va' };
    const [rip, cs, ss, flags] = r.pick<readonly [Value, number, number, number]>([
      [0x10000, 0xe030, 0xe02b, 0],
      [0x10000, 0xe030, 0xe02b, 0x100],
      [0x10000, 0x1230, 0xe02b, 0],
      [0x10000, 0x1230, 0xe02b, 0x100],
      [code0, 0xe030, 0, 0],
      [0x10000, 0xe030, 0x1233, 0],
      ['0x800000000000', 0xe030, 0xe02b, 0],
      ['0x800000000000', 0xe030, 0xe02b, 0x100],
      [0, 0xe030, 0xe02b, 0x100],
    ]);
    const rflags = r.pick([0x202, 0x2, 0x602, 0x8d7]);
    return [
      code(
        g,
        [
          op('mov', 'rbx', 'rsp'),
          op('push', ss),
          op('push', 'rbx'),
          op('push', rflags),
          op('push', cs),
          op('push', 'rdx'),
          op('push', flags),
          op('push', 0x33),
          op('push', 0x22),
          op('push', 0x11),
          op('mov', 'eax', 23),
          op('syscall'),
        ],
        { regs: { rdx: rip } },
      ),
    ];
  },
};

/** Into user mode by SYSRET, which leaves the way back in RCX and R11. */
const bySysret: Family = {
  weight: 4,
  make: (g) => [
    code(g, [op('mov', 'r8', 'rcx'), op('inc', 'rax')], {
      mode: 'user',
      entry: 'sysret',
      back: g.r.pick(['int', 'syscall']),
      show: ['rax', 'r8'],
    }),
  ],
};

/** SYSCALL from user mode while no callback is registered. */
const noSyscallCallback: Family = {
  weight: 2,
  make: (g) => [
    hypercall(g, 'set_callbacks', { handler: 'event' }, { handler: 'failsafe' }, 0),
    code(g, [op('inc', 'rax')], { mode: 'user', back: 'syscall', show: 'nothing' }),
    hypercall(g, 'set_callbacks', { handler: 'event' }, { handler: 'failsafe' }, { handler: 'syscall' }),
  ],
};

/** Instructions that need an I/O privilege level, with it and without. */
const iopl: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const all = [[op('cli')], [op('sti')], [op('in', 'al', 'dx')], [op('out', 'dx', 'al')]];
    const one = (): Step => code(g, r.pick(all), { regs: { rdx: r.pick([0x20, 0x21]), rax: 0 } });
    return [hypercall(g, 'vm_assist', 0, 4), one(), one(), hypercall(g, 'vm_assist', 1, 4), one()];
  },
};

/** Control and debug registers, as far as they show nothing of the machine. */
const CONTROL: readonly {
  readonly code: readonly Instruction[];
  readonly regs?: Readonly<Record<string, Value>>;
  readonly show: 'nothing' | readonly string[];
}[] = [
  { code: [op('mov', 'rax', 'cr3')], show: 'nothing' },
  { code: [op('mov', 'rax', 'cr3'), op('mov', 'cr3', 'rax')], show: 'nothing' },
  { code: [op('mov', 'cr3', 'rax')], regs: { rax: 0 }, show: ['rax'] },
  { code: [op('mov', 'cr3', 'rax')], regs: { rax: '0xffffffffff000' }, show: ['rax'] },
  { code: [op('mov', 'cr4', 'rax'), op('mov', 'rbx', 'cr4')], regs: { rax: 0x660 }, show: ['rbx'] },
  { code: [op('mov', 'cr4', 'rax'), op('mov', 'rbx', 'cr4')], regs: { rax: 0 }, show: ['rbx'] },
  { code: [op('mov', 'cr0', 'rax'), op('mov', 'rbx', 'cr0')], regs: { rax: '0x80050033' }, show: ['rbx'] },
  { code: [op('mov', 'cr0', 'rax')], regs: { rax: '0x80050031' }, show: ['rax'] },
  { code: [op('mov', 'rax', 'cr8')], show: ['rax'] },
  { code: [op('mov', 'dr0', 'rax'), op('mov', 'rbx', 'dr0')], regs: { rax: 0x1234 }, show: ['rbx'] },
  { code: [op('mov', 'dr1', 'rax')], regs: { rax: '0xffff800000000000' }, show: ['rax'] },
  { code: [op('mov', 'rax', 'dr4')], show: ['rax'] },
  { code: [op('mov', 'dr6', 'rax'), op('mov', 'rbx', 'dr6')], regs: { rax: 0 }, show: ['rbx'] },
  { code: [op('rdmsr')], regs: { rcx: '0xc0000100', rax: 0, rdx: 0 }, show: ['rax', 'rdx'] },
  { code: [op('wrmsr')], regs: { rcx: '0xc0000100', rax: 0x1000, rdx: 0 }, show: ['rax'] },
  { code: [op('wrmsr')], regs: { rcx: '0xc0000102', rax: 0, rdx: 0x10000000 }, show: ['rax'] },
  { code: [op('rdmsr')], regs: { rcx: '0xc0000080', rax: 0, rdx: 0 }, show: ['rax', 'rdx'] },
  { code: [op('rdmsr')], regs: { rcx: '0xc0000082', rax: 0, rdx: 0 }, show: ['rax', 'rdx'] },
  { code: [{ bytes: '0f0b78656e0fa2' }], regs: { rax: '0x40000000', rcx: 0 }, show: ['rax', 'rbx', 'rcx', 'rdx'] },
  { code: [{ bytes: '0f0b78656e0fa2' }], regs: { rax: '0x40000001', rcx: 0 }, show: ['rax', 'rbx', 'rcx', 'rdx'] },
  { code: [{ bytes: '0f0b78656e90' }], show: ['rax'] },
  { code: [{ bytes: '8ec8' }], show: ['rax'] },
  { code: [{ bytes: '8ef0' }], show: ['rax'] },
];
const control: Family = {
  weight: 7,
  make: (g) => {
    const { code: instructions, regs, show } = g.r.pick(CONTROL);
    return [code(g, instructions, { ...(regs ? { regs } : {}), show, ...(g.r.one(6) ? { mode: 'user', back: 'int' } : {}) })];
  },
};

/** Single steps over instructions that Xen carries out. */
const stepEmulated: Family = { weight: 2, make: (g) => [code(g, [op('mov', 'rax', 'cr0'), op('nop')], { flags: 0x100, show: ['rax'] })] };

/** Watchdogs, one after the other. */
const watchdogs: Family = {
  weight: 3,
  make: (g) => {
    const dog = (id: number, timeout: number): Step => hypercall(g, 'sched_op', 6, { struct: 'sched.watchdog', fields: { id, timeout } });
    return [dog(0, 100), dog(0, 200), dog(0, 300), dog(1, 150), dog(2, 0), dog(g.r.int(1, 3), 0)];
  },
};

const pins: Family = {
  weight: 2,
  make: (g) => {
    const pin = (pcpu: number): Step => hypercall(g, 'sched_op', 7, { struct: 'sched.pin_override', fields: { pcpu } });
    return [pin(0), pin(0), pin(-1), pin(-1)];
  },
};

/** More ports than a block holds, and now and then all that there are. */
const manyPorts: Family = {
  weight: 2,
  make: (g) => {
    if (g.state.two) return [];
    const { r } = g;
    const count = r.one(40) ? 4100 : r.int(60, 200);
    const page = r.pick(PAGES.data);
    g.state.clearPorts();
    return [
      g.step({ do: 'access', how: 'write', at: { page, as: 'va' }, size: 8, value: SELF | (SELF * 0x10000) } as never),
      code(g, [op('mov', 'eax', 32), op('mov', 'edi', 6), op('syscall'), op('dec', 'ebx'), { op: 'jne', args: [{ to: 0 }] }], {
        regs: { rbx: count, rsi: { page, as: 'va' } },
        show: ['rax'],
      }),
      hypercall(g, 'event_channel_op', 7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }),
      hypercall(g, 'event_channel_op', 5, {
        struct: 'evtchn.status',
        fields: { dom: SELF, port: r.pick([63, 64, 65, 127, 128, 4095, 4096]) },
      }),
      hypercall(g, 'event_channel_op', 10, { struct: 'evtchn.reset', fields: { dom: SELF } }),
      hypercall(g, 'event_channel_op', 5, { struct: 'evtchn.status', fields: { dom: SELF, port: r.pick([63, 64, 65, 127, 128]) } }),
    ];
  },
};

/** Device memory, in a window that nobody reads. */
const devices: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    if (g.domain !== 0) return [];
    const entry = r.pick([
      '0xa0063',
      '0xb8073',
      '0xb806b',
      '0xa00e3',
      '0xfec00063',
      '0xfed00063',
      '0xfee00063',
      '0x10000000063',
      '0xfd00000063',
      '0xffffffffff063',
    ] as const);
    return [
      hypercall(g, 'update_va_mapping', { page: PAGES.device, as: 'va' }, entry, 2),
      g.step({ do: 'access', how: 'read', at: { page: PAGES.device, as: 'entry_va', plus: 0 }, size: 2, show: 'hex' } as never),
      hypercall(g, 'update_va_mapping', { page: PAGES.device, as: 'va' }, 0, 2),
    ];
  },
};

const odds: Family = {
  weight: 8,
  make: (g) => {
    const { r } = g;
    switch (r.int(0, 12)) {
      case 0:
        return [
          hypercall(g, 'callback_op', 0, {
            struct: 'callback.register',
            fields: { type: r.pick([6, 8, 9, 0xffff]), flags: 0, address: { handler: 'event' } },
          }),
        ];
      case 1:
        return [hypercall(g, 'callback_op', 0, r.pick(BAD_POINTERS))];
      case 2:
        return [hypercall(g, 'console_io', 1, r.pick([0x80000000, 0xffffffff]), { buffer: 16, show: 'nothing' })];
      case 3:
        return [
          hypercall(g, 'event_channel_op', 2, {
            struct: 'evtchn.bind_pirq',
            fields: { pirq: r.pick([100, 150, 207]), flags: r.int(0, 1) },
          }),
        ].filter(() => g.domain === 0);
      case 4:
        return [
          hypercall(g, 'event_channel_op', 11, {
            struct: 'evtchn.init_control',
            fields: { control_gfn: '0xfffffffff', offset: 0, vcpu: 0 },
          }),
        ];
      case 5:
        return [
          hypercall(
            g,
            'update_va_mapping',
            { page: r.pick(PAGES.windows), as: 'va' },
            { page: 1, as: 'pte', flags: '0x63' },
            r.pick([0x10001, 0x10002]),
          ),
        ];
      case 6:
        return [hypercall(g, 'sched_op', 2, r.pick(BAD_POINTERS))];
      case 7:
        return [
          hypercall(g, 'xen_version', 10, r.one(2) ? 0 : { array: [64, ...Array.from({ length: 16 }, () => 0)], size: 4, show: 'hex' }),
        ].filter(() => g.domain === 0);
      case 8: {
        const fields = { ptr: '0xfffffffff001', val: 7 };
        return [
          hypercall(g, 'mmu_update', { structs: [{ struct: 'xen.mmu_update', fields }] }, 1, 0, r.pick([SELF, 0x7ff1, 0x20000 | SELF])),
        ];
      }
      case 9:
        return [
          hypercall(
            g,
            'update_va_mapping',
            { page: r.pick(PAGES.windows), as: 'va' },
            { page: 'shared_info', as: 'pte', flags: r.pick(['0x63', '0x73', '0x6b', '0xe3']) },
            2,
          ),
        ];
      case 10:
        return [
          hypercall(g, 'set_timer_op', r.pick(['0xffffffffffffffff', '0x8000000000000000', '0x7fffffffffffffff'])),
          hypercall(g, 'set_timer_op', 0),
        ];
      case 11:
        return [hypercall(g, 'vcpu_op', 11, 0, 0)].filter(() => g.state.nmi).flatMap((s) => [s, hypercall(g, 'vcpu_op', 11, 0, 0)]);
      default:
        return [hypercall(g, 'vcpu_op', r.pick([8, 10]), 0, r.pick(BAD_POINTERS))];
    }
  },
};

/** Both kinds of mapping at once, and bus addresses that fit or do not. */
const deviceGrant: Family = {
  weight: 3,
  make: (g) => {
    const { r, state } = g;
    const window = r.pick(PAGES.windows);
    const page = r.pick(PAGES.data);
    const id = g.id();
    const before = state.grantTable ? [] : [g.step({ do: 'grant_setup', frames: 1 } as never)];
    state.grantTable = true;
    const unmap = (host: boolean, bus: Value): Step =>
      hypercall(
        g,
        'grant_table_op',
        1,
        {
          structs: [
            {
              struct: 'gnttab.unmap_grant_ref',
              fields: { host_addr: host ? { page: window, as: 'va' } : 0, dev_bus_addr: bus, handle: { step: id, of: 'handle', else: 1 } },
            },
          ],
        },
        1,
      );
    return [
      ...before,
      g.step({ do: 'grant_entry', ref: 30, flags: 1, domid: state.domid, frame: { page, as: 'mfn' } } as never),
      g.step(
        {
          do: 'hypercall',
          call: 'grant_table_op',
          args: [
            0,
            {
              structs: [
                {
                  struct: 'gnttab.map_grant_ref',
                  fields: { host_addr: { page: window, as: 'va' }, flags: r.pick([1, 3, 7]), ref: 30, dom: state.domid },
                },
              ],
            },
            1,
          ],
        } as never,
        id,
      ),
      unmap(true, '0x1000'),
      unmap(r.one(2), { page, as: 'maddr' }),
      unmap(true, 0),
      g.step({ do: 'access', how: 'read', at: { page: 'grant0', as: 'va', plus: 240 }, size: 4 } as never),
    ];
  },
};

export const CORNERS: readonly Family[] = [
  lostResult,
  oddReturn,
  bySysret,
  noSyscallCallback,
  iopl,
  control,
  stepEmulated,
  watchdogs,
  pins,
  manyPorts,
  devices,
  odds,
  deviceGrant,
];
