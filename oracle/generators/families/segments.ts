/** Descriptor tables of the guest's own, and what segment registers are loaded with from them, in 64-bit and 32-bit code. */
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { asCode, inCompat, little } from './machine_code.ts';

const hypercall = (g: Generation, call: string, ...args: readonly Argument[]): Step => g.step({ do: 'hypercall', call, args } as never);

/** Data, code of 16, 32 and 64 bits, conforming, expand-down, with bases and limits, gates, system segments, and what Xen refuses. */
const DESCRIPTORS: readonly string[] = [
  '0x0',
  '0xcff3000000ffff',
  '0xcff2000000ffff',
  '0x40f30042000fff',
  '0x40f70042000fff',
  '0xcffb000000ffff',
  '0xcffa000000ffff',
  '0xcffe000000ffff',
  '0x8ffb000000ffff',
  '0xaffb000000ffff',
  '0xcf73000000ffff',
  '0x40f1004200000f',
  '0xcf93000000ffff',
  '0xaf9b000000ffff',
  '0xec00e033001234',
  '0x8f00e033001234',
  '0xffffffffffffffff',
];
/** Slots of a table that are filled. */
const SLOTS = 8;

const selectorOf = (g: Generation): number => {
  const { r } = g;
  if (r.one(6)) return r.pick([0, 3, 0xe02b, 0xe023, 0xe033, 0xe010, 0xe008, 0xe040, 0xe060, 0xdff8, 0xf000, 0xffff, 0x1003, 0x0fff]);
  return 8 * r.int(0, SLOTS + 1) + (r.one(3) ? 4 : 0) + (r.one(5) ? r.int(0, 2) : 3);
};

/** A page of descriptors, read-only, as global or local table. */
const install: Family = {
  weight: 6,
  make: (g) => {
    const { r } = g;
    const page = r.pick([...PAGES.data.slice(2), ...PAGES.tables]);
    const steps: Step[] = [hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x63' }, 2)];
    for (let slot = 1; slot <= SLOTS; slot++)
      steps.push(
        g.step({
          do: 'access',
          how: 'write',
          at: { page, as: 'va', plus: 8 * slot },
          size: 8,
          value: r.pick(DESCRIPTORS.slice(0, r.one(8) ? DESCRIPTORS.length : 12)),
        } as never),
      );
    if (!r.one(8)) steps.push(hypercall(g, 'update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2));
    if (r.one(2)) steps.push(hypercall(g, 'set_gdt', { array: [{ page, as: 'mfn' }], size: 8 }, r.pick([512, 512, 9, 4, 1])));
    else {
      const fields = { cmd: 13, arg1: { page, as: 'va' } as Value, arg2: r.pick([512, 512, 9, 4, 8192]) };
      steps.push(hypercall(g, 'mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields }] }, 1, 0, SELF));
    }
    return steps;
  },
};

/** MOV to DS, ES, FS, GS, SS and what the loaded segment then says; LAR, LSL, VERR, VERW. */
const LOADS: readonly { readonly bytes: string; readonly show: readonly string[] }[] = [
  { bytes: '8ed88cdb', show: ['rbx'] },
  { bytes: '8ec08cc3', show: ['rbx'] },
  { bytes: '8ee08ce3', show: ['rbx'] },
  { bytes: '8ee88ceb', show: ['rbx'] },
  { bytes: '8ed08cd3b92be000008ed1', show: ['rbx'] },
  // What LAR makes of the limit's upper bits differs on QEMU: flags alone.
  { bytes: '0f02d80f94c3480fb6db', show: ['rbx'] },
  { bytes: '0f03d8', show: ['rbx'] },
  { bytes: '480f03c8', show: ['rcx'] },
  { bytes: '0f00e00f94c3', show: ['rbx'] },
  { bytes: '0f00e80f94c3', show: ['rbx'] },
  // FS and GS with a displacement, which needs their base.
  { bytes: '8ee0648b1c2500004200', show: ['rax'] },
  { bytes: '8ee8658b1c2500000000', show: ['rax'] },
];
const load: Family = {
  weight: 12,
  make: (g) => {
    const { bytes, show } = g.r.pick(LOADS);
    const user = g.r.one(6) ? { mode: 'user' } : {};
    return [g.step({ do: 'code', code: asCode(bytes), regs: { rax: selectorOf(g), rbx: 0x77, rcx: 0x88 }, show, ...user } as never)];
  },
};

/** Bodies of 32-bit code: what exists only there, and what means something else there. QEMU checks no limits, so nothing is read through what was loaded. */
const BODIES = (g: Generation): string => {
  const { r } = g;
  const selector = little(selectorOf(g), 2);
  return r.pick([
    '40',
    '27',
    '37',
    'd40a',
    'd50a',
    '6061',
    '0e58',
    '1e58',
    '33c048',
    'ce',
    'cc',
    '0f0b',
    '0f05',
    'f4',
    `66b8${selector}8ed88cdb`,
    `66b8${selector}8ec08cc3`,
    `66b8${selector}8ee08ce3`,
    `66b8${selector}0f03d8`,
    '668cd8',
    '9c58',
    'b8785634120fc8',
    '8d0424',
  ] as const);
};
const compat: Family = {
  weight: 8,
  make: (g) => {
    // What is no 32-bit code mostly faults; what is runs as bytes of another width.
    const selector = g.r.one(10) ? g.r.pick([0, 3, 0xe02b, 0xe010, 0xe008, 0xfff8, 0x1003]) : 0xe023;
    return [g.step({ do: 'code', code: asCode(inCompat(BODIES(g), selector)), show: ['rbx', 'rdx'] } as never)];
  },
};

/** A descriptor of a live table changes. */
const update: Family = {
  weight: 6,
  make: (g) => {
    const { r } = g;
    const page = r.pick([...PAGES.data.slice(2), ...PAGES.tables]);
    return [hypercall(g, 'update_descriptor', { page, as: 'maddr', plus: 8 * r.int(1, SLOTS) }, r.pick(DESCRIPTORS))];
  },
};

const base: Family = {
  weight: 4,
  make: (g) => [
    hypercall(g, 'set_segment_base', 3, selectorOf(g)),
    g.step({ do: 'code', code: asCode('8cebcccc'.slice(0, 4)), show: ['rbx'] } as never),
  ],
};

/** Away with the tables; the registers keep what they loaded. */
const remove: Family = {
  weight: 2,
  make: (g) =>
    g.r.one(2)
      ? [hypercall(g, 'set_gdt', { array: [], size: 8 }, 0)]
      : [hypercall(g, 'mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields: { cmd: 13, arg1: 0, arg2: 0 } }] }, 1, 0, SELF)],
};

export const SEGMENTS: readonly Family[] = [install, load, compat, update, base, remove];
