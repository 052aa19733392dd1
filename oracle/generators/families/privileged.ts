/** Ports by virtual IOPL and bitmap, model-specific registers, debug registers, extended state: what traps to Xen and is carried out or refused. */
import { MSR } from '#spec/abi/msr.ts';
import type { Argument, Step } from '#spec/program.ts';
import { type Family, type Generation, PAGES } from '../state.ts';
import { asCode } from './machine_code.ts';

const hypercall = (g: Generation, call: string, ...args: readonly Argument[]): Step => g.step({ do: 'hypercall', call, args } as never);

/** Ports that Xen keeps for itself, so that an access of any size stays among them: the console's. They read as ones. */
const WITHHELD = [0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc] as const;
const portOf = (g: Generation): number =>
  g.domain === 0 ? g.r.pick(WITHHELD) : g.r.pick([...WITHHELD, 0x80, 0x378, 0x1000, 0xfffe, 0xffff]);

/** in, out, ins, outs of each size, by register; some with an immediate port. */
const PORT_CODE: readonly string[] = [
  'ec',
  '66ed',
  'ed',
  'ee',
  '66ef',
  'ef',
  'e420',

  'e6a0',

  '6c',
  '6d',
  '6e',
  '6f',
  'f36c',
  'f36e',
  'f3666d',
  '666f',
];
const port: Family = {
  weight: 10,
  make: (g) => {
    const { r } = g;
    const user = r.one(3) ? { mode: 'user' } : {};
    const page = r.pick(PAGES.data);
    const at = { page, as: 'user' === user.mode ? 'user_va' : 'va', plus: r.pick([0, 16, 4092, 4095]) };
    const regs = { rax: '0x11223344', rdx: portOf(g), rcx: r.pick([0, 1, 3]), rdi: at, rsi: at };
    return [g.step({ do: 'code', code: asCode(r.pick(PORT_CODE)), regs, show: ['rax', 'rcx'], ...user } as never)];
  },
};

const iopl: Family = {
  weight: 4,
  make: (g) => [hypercall(g, 'physdev_op', 6, { struct: 'physdev.set_iopl', fields: { iopl: g.r.pick([0, 1, 2, 3, 3, 4]) } })],
};

/** A bitmap in a data page that lets in some of the ports. */
const bitmap: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const page = r.pick(PAGES.data);
    const fill = (byte: number): Step =>
      g.step({
        do: 'access',
        how: 'write',
        at: { page, as: 'va', plus: byte },
        size: 4,
        value: r.pick([0, '0xffffffff', '0x1', '0xfffffffe']),
      } as never);
    const fields = {
      bitmap: r.one(8) ? r.pick(['0x800000000000', '0x10000', '0xffff830000000000'] as const) : ({ page, as: 'va' } as const),
      nr_ports: r.pick([0, 8, 0x22, 0x44, 0x400, 0x10000, 0x10001]),
    };
    return [fill(4), fill(20), fill(126), hypercall(g, 'physdev_op', 7, { struct: 'physdev.set_iobitmap', fields })];
  },
};
/** With architectural_iopl ring 0 in the guest has ports at IOPL 0. */
const assist: Family = { weight: 2, make: (g) => [hypercall(g, 'vm_assist', g.r.int(0, 1), 4)] };

/** Counters and what tells the build of the processor differ from machine to machine. */
const SILENT: readonly number[] = [MSR.TSC, MSR.MPERF, MSR.APERF, MSR.PATCHLEVEL];
const MSRS: readonly number[] = [...Object.values(MSR), 0x1234, 0xc0001234, 0x40000001, 0xffffffff].filter((n) => !SILENT.includes(n));
/** Registers that hold addresses, and upper halves around where addresses end. */
const BASES: readonly number[] = [MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE];
const UPPER_HALVES: readonly number[] = [0, 0, 1, 0x7fff, 0x8000, 0xffff, 0xffff7fff, 0xffff8000];
export const msr: Family = {
  weight: 12,
  make: (g) => {
    const { r } = g;
    const rcx = r.one(2) ? r.pick(BASES) : r.pick(MSRS);
    if (r.one(2)) {
      const [rax, rdx] = [r.dword(), r.one(2) ? r.pick(UPPER_HALVES) : r.dword()];
      return [g.step({ do: 'code', code: asCode('0f30'), regs: { rcx, rax, rdx }, show: ['rcx'] } as never)];
    }
    const user = r.one(8) ? { mode: 'user' } : {};
    return [g.step({ do: 'code', code: asCode('0f32'), regs: { rcx, rax: 0, rdx: 0 }, show: ['rax', 'rdx'], ...user } as never)];
  },
};

/** Debug and control registers by MOV, LMSW and SMSW, XGETBV and XSETBV, CLI, STI, RDPMC, and what Xen never carries out. */
const REGISTER_CODE: readonly string[] = [
  '0f21c0',
  '0f21d8',
  '0f21e0',
  '0f21f0',
  '0f21f8',
  '0f23c0',
  '0f23d8',
  '0f23e0',
  '0f23f0',
  '0f23f8',
  '0f20c0',
  '0f20e0',
  '0f20d00f22d0',
  '0f22c0',
  '0f22e0',
  '440f20c0',
  '0f01d0',
  '0f06',
  '0f08',
  '0f09',
  '0f33',
  '0f01f8',
  '0f07',
  'fa',
  'fb',
  'f4',
  '0f0138',
  '0f0110',
  '0f00d0',
  '0f00d8',
];
const WORDS: readonly string[] = [
  '0x0',
  '0x1',
  '0x400',
  '0x80050033',
  '0x8005003b',
  '0x500000',
  '0xffff830000000000',
  '0x800000000000',
  '0x6',
  '0x7',
];
const register: Family = {
  weight: 8,
  make: (g) => {
    const { r } = g;
    const regs = { rax: r.pick(WORDS), rcx: 0, rdx: 0 };
    const user = r.one(5) ? { mode: 'user' } : {};
    const step = g.step({ do: 'code', code: asCode(r.pick(REGISTER_CODE)), regs, show: ['rcx'], ...user } as never);
    // Breakpoints and TS of one step are no business of the next.
    return [step, hypercall(g, 'set_debugreg', 7, 0), hypercall(g, 'fpu_taskswitch', 0)];
  },
};

/** Data breakpoints on a page, and accesses that hit it or miss. */
const breakpoint: Family = {
  weight: 4,
  make: (g) => {
    const { r } = g;
    const page = r.pick(PAGES.data);
    const kind = r.pick([1, 3]);
    const size = r.pick([0, 1, 3, 2]);
    return [
      hypercall(g, 'set_debugreg', 0, { page, as: 'va', plus: 8 }),
      hypercall(g, 'set_debugreg', 7, 0x401 + kind * 0x10000 + size * 0x40000),
      g.step({
        do: 'access',
        how: r.pick(['read', 'write']),
        at: { page, as: 'va', plus: r.pick([0, 8, 16]) },
        size: r.pick([1, 2, 4, 8]),
        value: 0,
        show: 'nothing',
      } as never),
      hypercall(g, 'get_debugreg', 6),
      hypercall(g, 'set_debugreg', 6, 0),
      hypercall(g, 'set_debugreg', 7, 0),
    ];
  },
};

export const PRIVILEGED: readonly Family[] = [port, iopl, bitmap, assist, msr, register, breakpoint];
