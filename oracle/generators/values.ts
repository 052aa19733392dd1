/** Values by the kind of field that they go into: plausible ones, and each kind's edges. */

import type { Field } from '#spec/abi/layout.ts';
import { LAYOUTS, type LayoutName } from '#spec/abi/layouts.ts';
import type { Argument, Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from './state.ts';
import { quietVirq } from './virqs.ts';

/** Addresses that no guest structure can be read from or written to: unmapped, Xen's, not canonical. */
export const BAD_POINTERS: readonly Value[] = [
  0,
  '0x10000',
  '0x7ffffffff000',
  '0x800000000000',
  '0xffff800000000000',
  '0xffff87ffffffff00',
  '0xffffffffffffffff',
  '0x3000000',
];

/** A virtual address in the pool. */
export const poolAddress = (g: Generation): Value => ({ page: g.r.pick(PAGES.data), as: 'va', plus: g.r.one(3) ? g.r.int(0, 4095) : 0 });

const FRAMES = [...PAGES.data, ...PAGES.tables, ...PAGES.windows];

/** A frame: of the pool, a page table, or one that is nobody's. */
export const anyFrame = (g: Generation): Value => {
  const { r } = g;
  if (r.one(6)) return r.pick(['0xfffffffff', '0x7ffffff', '0xffffffffff', '0xffffffffffffffff'] as const);
  if (r.one(4)) return { page: r.pick(['l1', 'l2', 'l3', 'l4', 'shared_info', 'start_info', 'user_l1'] as const), as: 'mfn' };
  return { page: r.pick(FRAMES), as: 'mfn' };
};

/** A frame to pin as a top-level table. What Xen leaves in such a table shows what machine it is, so no other page is ever one. */
export const topFrame = (g: Generation): Value =>
  g.r.one(3)
    ? g.r.pick(['0xfffffffff', { page: 'l3', as: 'mfn' }, { page: 'l4', as: 'mfn' }, { page: 0, as: 'mfn' }] as const)
    : { page: PAGES.copy, as: 'mfn' };

export const domid = (g: Generation): number =>
  g.r.one(3) ? g.r.pick([0, 1, 2, 0x7fef, 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7fff, 0xffff]) : SELF;

/** A port: one that lives, or any number. */
export const port = (g: Generation): Value => {
  const { r, state } = g;
  if (state.ports.length > 0 && !r.one(4)) return r.pick(state.ports).value;
  const numbers = [0, 2, 3, 4, 5, 6, 7, 62, 63, 64, 65, 127, 1000, 4095, 4096, 0x1ffff, 0x20000, 0x7fffffff, 0xffffffff];
  return r.pick(state.two ? numbers : [1, ...numbers]);
};

export const vcpuNumber = (g: Generation): number =>
  g.r.one(4) ? g.r.pick([1, 2, 31, 32, 127, 128, 8191, 8192, 0x7fffffff, 0xffffffff]) : 0;

export const gref = (g: Generation): Value => {
  const { r, state } = g;
  if (state.entries.length > 0 && !r.one(4)) return r.pick(state.entries).ref;
  return r.pick([0, 7, 9, 10, 511, 512, 0x7fff, 0xffffffff]);
};

export const handle = (g: Generation): Value => {
  const { r, state } = g;
  if (state.mappings.length > 0 && !r.one(4)) return r.pick(state.mappings).handle;
  return r.pick([1, 2, 100, 1023, 1024, 0xffff, 0xffffffff]);
};

/** Something for a field, without regard to what the operation wants. Frames and addresses stay away from what the runtime lives on. */
export const fieldValue = (g: Generation, field: Field): Value => {
  const { r } = g;
  switch (field.kind) {
    case 'domid':
      return domid(g);
    case 'port':
      return port(g);
    case 'vcpu':
      return vcpuNumber(g);
    case 'virq':
      return r.one(4) ? r.pick([23, 24, 31, 32, 0xffffffff]) : quietVirq(r);
    case 'gref':
      return gref(g);
    case 'handle':
      return handle(g);
    case 'mfn':
      return anyFrame(g);
    case 'maddr':
      return r.one(3) ? r.word() : { page: r.pick(PAGES.windows), as: 'entry_maddr', ...(r.one(5) ? { plus: r.int(1, 7) } : {}) };
    case 'pte':
      return r.one(6) ? 0 : { page: r.int(0, 11), as: 'pte', flags: r.pick(PTE_FLAGS) };
    case 'vaddr':
      return r.one(4) ? r.pick(BAD_POINTERS) : { page: r.pick(PAGES.windows), as: 'va', ...(r.one(4) ? { plus: r.int(1, 4095) } : {}) };
    case 'pointer':
      return r.one(3) ? r.pick(BAD_POINTERS) : { page: PAGES.times, as: 'va', plus: r.pick([0, 8, 64, 4088, 4095]) };
    case 'flags':
      return r.one(3) ? r.dword() : r.int(0, 31);
    default:
      return r.one(2) ? r.int(0, 8) : r.dword();
  }
};

/** Flags of page table entries: plausible ones, and those that a level refuses. */
export const PTE_FLAGS: readonly string[] = [
  '0x61',
  '0x63',
  '0x65',
  '0x67',
  '0x7',
  '0x3',
  '0x1',
  '0x5',
  '0x8000000000000063',
  '0x8000000000000067',
  '0x8000000000000061',
  '0x163',
  '0x167',
  '0xe67',
  '0x263',
  '0x6b',
  '0x73',
  '0xe3',
  '0x10000000000067',
  '0x60',
  '0x0',
  '0x4000000000000063',
  '0x800000000000063',
];

/** A structure whose `in` fields hold anything. */
export const anyStruct = (
  g: Generation,
  name: LayoutName,
): { readonly struct: LayoutName; readonly fields: Readonly<Record<string, Argument>> } => {
  const fields: Record<string, Argument> = {};
  for (const [key, field] of Object.entries(LAYOUTS[name].fields) as [string, Field][])
    if (field.dir !== 'out' && field.size <= 8 && field.kind !== 'padding') fields[key] = fieldValue(g, field);
  return { struct: name, fields };
};
