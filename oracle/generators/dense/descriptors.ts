/** Descriptor tables in pages that change type, and the registers that go with them. */
import type { Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';
import { call, focused, focusOn, type Maker, oneOf, type Theme } from './theme.ts';

const PLAIN = [...PAGES.data, ...PAGES.tables];
const mfn = (page: number): Value => ({ page, as: 'mfn' });

/** Of code and data in each ring, gates, system segments, and nothing. */
const DESCRIPTORS: readonly Value[] = [
  0,
  '0xcff3000000ffff',
  '0xcff3000000ffff',
  '0xcffb000000ffff',
  '0xaffb000000ffff',
  '0xcfb3000000ffff',
  '0xcf93000000ffff',
  '0xaf9b000000ffff',
  '0x8f00e0330000',
  '0xec00e033123456',
  '0xee00e0331234',
  '0x8900000067',
  '0x8200000007',
  '0xcf73000000ffff',
  '0xffffffffffffffff',
];

const frames = ({ r }: Generation): Value => {
  const page = r.pick(PLAIN);
  return r.one(8) ? r.pick(['0xfffffffff', 1, { page: 'l1', as: 'mfn' }, { page: 'shared_info', as: 'mfn' }] as const) : mfn(page);
};

const MAKERS: readonly Maker[] = [
  {
    weight: 8,
    row: 'update_va_mapping',
    make: (g) => {
      const { r } = g;
      const page = focused(g, PLAIN);
      return call('update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: r.pick(['0x61', '0x61', '0x63']) }, r.pick([2, 6]));
    },
  },
  {
    weight: 8,
    row: 'set_gdt',
    make: (g) => {
      const list = g.r.list(0, g.r.one(4) ? 14 : 2, () => frames(g));
      const most = 512 * list.length;
      const entries = g.r.pick([most, most, Math.max(0, most - 7), 1, 0, 512, 7168, 7169]);
      return call(
        'set_gdt',
        { array: list, size: 8 },
        Math.min(entries, most === 0 ? 0 : 7169) > most ? most : entries > 7168 ? 7169 : entries,
      );
    },
  },
  {
    weight: 12,
    row: 'update_descriptor',
    make: (g) => {
      const { r } = g;
      const at: Value = r.one(8)
        ? r.pick(['0xfffffffff008', '0x1008', { page: 'l1', as: 'maddr', plus: 16 }] as const)
        : { page: r.pick(PLAIN), as: 'maddr', plus: r.one(10) ? r.int(1, 7) : 8 * r.pick([0, 1, 2, 3, 7, 256, 510, 511]) };
      return call('update_descriptor', at, r.pick(DESCRIPTORS));
    },
  },
  {
    weight: 6,
    row: 'mmuext_op/set_ldt',
    make: ({ r }) => {
      const base: Value = r.one(6)
        ? r.pick(['0x800000000000', '0xffff830000000000', '0x500004', 0] as const)
        : { page: r.pick([...PLAIN, ...PAGES.windows]), as: 'va' };
      const entries = r.pick([0, 1, 8, 512, 513, 1024, 8192, 8193]);
      return call('mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields: { cmd: 13, arg1: base, arg2: entries } }] }, 1, 0, SELF);
    },
  },
  {
    // The page is wanted as another kind at the same time: one that nobody can write becomes it, and is given back.
    weight: 6,
    row: 'mmuext_op/pin_l1_table',
    make: (g) => {
      const { r } = g;
      const page = mfn(focused(g, PLAIN));
      const extend = (cmd: number) => ({ struct: 'xen.mmuext_op' as const, fields: { cmd, arg1: page, arg2: 0 } });
      const structs = r.one(3) ? [extend(r.pick([0, 1, 4, 16]))] : [extend(16), extend(r.pick([0, 0, 1])), extend(4)];
      return call('mmuext_op', { structs }, structs.length, 0, SELF);
    },
  },
  {
    weight: 4,
    row: 'set_segment_base/gs_user_sel',
    make: ({ r }) => call('set_segment_base', 3, r.pick([0, 3, 0xb, 0x13, 7, 0xf, 0x17, 0x1003, 0x2007, 0xe02b, 0xe033, 0xfff8, 0xffff])),
  },
  {
    weight: 2,
    row: 'set_segment_base/fs',
    make: ({ r }) => call('set_segment_base', r.int(0, 2), r.pick([0, '0x500000', '0x7fffffffffff', '0x800000000000'] as const)),
  },
];

export const descriptorTables: Theme = {
  name: 'descriptor tables',
  weight: 3,
  needs: ['set_gdt', 'update_descriptor'],
  prepare: (g) => {
    focusOn(g, PLAIN);
    return PLAIN.flatMap((page) =>
      g.r.one(2)
        ? [g.step({ do: 'access', how: 'write', at: { page, as: 'va', plus: 8 }, size: 8, value: g.r.pick(DESCRIPTORS) } as never)]
        : [],
    );
  },
  call: oneOf(MAKERS),
};
