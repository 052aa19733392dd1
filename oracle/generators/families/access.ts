/** Loads, stores and jumps, also where they must fault; and instructions that trap. */
import type { Instruction, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES } from '../state.ts';
import { BAD_POINTERS } from '../values.ts';

const SIZES = [1, 2, 4, 8] as const;

const somewhere = (g: Generation, user: boolean): Value => {
  const { r } = g;
  switch (r.int(0, 9)) {
    case 0:
      return r.pick(BAD_POINTERS);
    case 1:
      return { page: r.pick(['l1', 'l2', 'l3', 'l4'] as const), as: 'va', plus: 8 * r.int(0, 255) + (r.one(4) ? r.int(0, 7) : 0) };
    case 2:
      return { page: r.pick(PAGES.windows), as: user ? 'user_va' : 'va', plus: r.int(0, 4095) };
    case 3:
      return r.pick(['0xffff800000000000', '0xffff808000000000', '0xffff87fffffffff8', '0x20000000', '0x2000000']);
    default:
      return { page: r.pick(PAGES.data), as: user && r.one(2) ? 'user_va' : 'va', plus: r.one(4) ? 4096 - r.int(0, 7) : r.int(0, 4088) };
  }
};

/** Whether a store there could break the runtime: live page tables are written only where Xen refuses. */
const isTable = (at: Value): boolean => typeof at === 'object' && 'page' in at && typeof at.page === 'string';

/** Emulators differ in the fault of an exchange that may not even read. */
const mayRead = (at: Value): boolean =>
  typeof at === 'object' && 'page' in at && (PAGES.data as readonly unknown[]).includes(at.page) && at.as === 'va';

const accessStep = (g: Generation, mode: 'kernel' | 'user'): Step => {
  const { r } = g;
  const at = somewhere(g, mode === 'user');
  const how = isTable(at) ? 'read' : r.pick(['read', 'read', 'write', 'write', mayRead(at) ? 'swap' : 'write'] as const);
  const size = isTable(at) ? 1 : r.pick(SIZES);
  return g.step({
    do: 'access',
    how,
    at,
    size,
    ...(how === 'read' ? {} : { value: r.word() }),
    // Bytes of a table hold machine addresses.
    ...(isTable(at) ? { show: 'nothing' } : {}),
    ...(mode === 'user' ? { mode } : {}),
  } as never);
};

export const access: Family = { weight: 10, make: (g) => [accessStep(g, 'kernel')] };
export const accessInUserMode: Family = { weight: 4, make: (g) => [accessStep(g, 'user')] };

/** Read entries of level 1 that map pool pages. */
export const readEntry: Family = {
  weight: 6,
  make: (g) => [g.step({ do: 'access', how: 'read', at: { page: g.r.int(0, 12), as: 'entry_va' }, size: 8, show: 'pte' } as never)],
};

/** Jump to where no code can be. */
export const execute: Family = {
  weight: 2,
  make: (g) => {
    const at: Value = g.r.pick([0, '0x10000', '0xffff800000000000', '0x3000000', '0x20000000'] as const);
    return [g.step({ do: 'access', how: 'execute', at, size: 1, ...(g.r.one(4) ? { mode: 'user' } : {}) } as never)];
  },
};

/** A return instruction in a pool page, executed through a mapping with or without NX. */
export const executePage: Family = {
  weight: 2,
  make: (g) => {
    const page = g.r.pick(PAGES.windows);
    const flags = g.r.one(2) ? '0x8000000000000063' : '0x63';
    return [
      g.step({ do: 'access', how: 'write', at: { page: 3, as: 'va', plus: 64 }, size: 1, value: 0xc3 } as never),
      g.step({ do: 'hypercall', call: 'update_va_mapping', args: [{ page, as: 'va' }, { page: 3, as: 'pte', flags }, 2] } as never),
      g.step({ do: 'access', how: 'execute', at: { page, as: 'va', plus: 64 }, size: 1 } as never),
    ];
  },
};

const op = (name: string, ...args: readonly (string | number)[]): Instruction => ({ op: name, args: [...args] });

/** Instructions that trap in the kernel, by what they need in registers. Kept to those that emulators and processors agree about, and to a port that Xen keeps for itself. */
const TRAPPING: readonly { readonly code: readonly Instruction[]; readonly regs?: Readonly<Record<string, Value>> }[] = [
  { code: [op('ud2')] },
  { code: [op('int3')] },
  { code: [op('int', 0x80)] },
  { code: [op('int', 4)] },
  { code: [op('div', 'rcx')], regs: { rcx: 0 } },
  { code: [op('idiv', 'ecx')], regs: { rax: '0x80000000', rdx: '0xffffffff', rcx: '0xffffffff' } },
  { code: [op('div', 'cl')], regs: { rax: 0x1000, rcx: 1 } },
  { code: [op('hlt')] },
  { code: [op('cli')] },
  { code: [op('sti')] },
  { code: [op('in', 'al', 'dx')], regs: { rdx: 0x20 } },
  { code: [op('out', 'dx', 'al')], regs: { rdx: 0x20 } },
  { code: [op('invd')] },
  { code: [op('swapgs')] },
  { code: [op('rdpmc')] },
  { code: [op('mov', 'rax', '0x8000000000000000'), { op: 'mov', args: ['rbx', { size: 64, base: 'rax' }] }] },
  { code: [op('mov', 'rax', '0x800000000000'), { op: 'mov', args: [{ size: 8, base: 'rax' }, 'bl'] }] },
  { code: [op('mov', 'ds', 'ax')], regs: { rax: 0x1234 } },
  { code: [op('mov', 'es', 'ax')], regs: { rax: 7 } },
  { code: [op('mov', 'fs', 'ax')], regs: { rax: 0xe02b } },
  { code: [op('mov', 'ss', 'ax')], regs: { rax: 0 } },
  { code: [op('mov', 'ds', 'ax'), op('mov', 'es', 'ax')], regs: { rax: 0xe02b } },
  { code: [{ bytes: '06' }] },
  { code: [{ bytes: '27' }] },
  { code: [{ bytes: '0e' }] },
  { code: [{ bytes: '60' }] },
  { code: [{ bytes: '9a' }] },
  { code: [{ bytes: 'd4' }] },
  { code: [{ bytes: 'ea' }] },
  { code: [{ bytes: 'f001c0' }] },
  { code: [{ bytes: 'f090' }] },
  { code: [{ bytes: '0fb9c0' }] },
  { code: [{ bytes: '0fffc0' }] },
  { code: [op('cmpxchg16b')].map(() => ({ op: 'cmpxchg16b', args: [{ size: 64, page: 1, disp: 8 }] })) },
];

export const trap: Family = {
  weight: 7,
  make: (g) => {
    const { r } = g;
    const { code, regs } = r.pick(TRAPPING);
    const user = r.one(5);
    return [g.step({ do: 'code', code: [...code], ...(regs ? { regs } : {}), ...(user ? { mode: 'user' } : {}), show: 'hash' } as never)];
  },
};

/** Single-stepping through plain instructions: a #DB follows the first. */
export const singleStep: Family = {
  weight: 2,
  make: (g) => [
    g.step({
      do: 'code',
      flags: 0x100,
      code: [op('inc', 'rax'), op('add', 'rbx', 'rax'), op('nop')],
      ...(g.r.one(3) ? { mode: 'user' } : {}),
    } as never),
  ],
};

/** Privileged instructions that Xen carries out for a guest kernel. */
const EMULATED: readonly { readonly code: readonly Instruction[]; readonly show: readonly string[] }[] = [
  { code: [op('mov', 'rax', 'cr0')], show: ['rax'] },
  { code: [op('mov', 'rax', 'cr4')], show: ['rax'] },
  { code: [op('mov', 'cr2', 'rbx'), op('mov', 'rax', 'cr2')], show: ['rax'] },
  { code: [op('mov', 'rax', 'dr7')], show: ['rax'] },
  { code: [op('mov', 'rax', 'dr0')], show: ['rax'] },
  { code: [op('clts'), op('mov', 'rax', 'cr0')], show: ['rax'] },
  { code: [op('wbinvd')], show: ['rax'] },
  {
    code: [op('mov', 'rcx', 'cr0'), op('or', 'ecx', 8), op('mov', 'cr0', 'rcx'), op('mov', 'rax', 'cr0'), op('clts')],
    show: ['rax', 'rcx'],
  },
];
export const emulated: Family = {
  weight: 2,
  make: (g) => {
    const { code, show } = g.r.pick(EMULATED);
    return [
      g.step({
        do: 'code',
        regs: { rbx: '0x1234567' },
        code: [...code],
        show: [...show],
        ...(g.r.one(5) ? { mode: 'user' } : {}),
      } as never),
    ];
  },
};
