/**
 * Page tables: eight pages that become tables of every level, point at each other and at themselves, and stop being tables, in any order. What
 * Xen refuses in one state it accepts in the next.
 */
import type { Argument, Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';
import { PTE_FLAGS } from '../values.ts';
import { call, focused, focusOn, type Maker, oneOf, type Theme } from './theme.ts';

/** Pages 0 to 6 are anything; page 7 is ever a copy of the top-level table, and may take its place. */
const PLAIN = [...PAGES.data, ...PAGES.tables];
const COPY = PAGES.copy;
const ANY = [...PLAIN, COPY];
/** Slots of a table that count: the first, the last, and those around Xen's own. */
const SLOTS = [0, 1, 2, 7, 8, 100, 255, 256, 258, 271, 272, 510, 511];
/** Slots of the top-level copy in which the runtime has nothing. */
const FREE_SLOTS = [100, 200, 255, 256, 258, 271, 272, 400, 511];

/** A page that is no top-level table for long, and any. */
const plain = (g: Generation): number => focused(g, PLAIN);
const any = (g: Generation): number => (g.r.one(6) ? COPY : plain(g));
/** Windows that are mapped on and off. */
const WINDOWS = PAGES.windows.slice(0, 2);

const mfn = (page: number): Value => ({ page, as: 'mfn' });
const done: Argument = { array: [0], size: 4 };

/** Bits that levels take differently. */
const ONE_BIT = [0, 1, 2, 3, 4, 7, 7, 8] as const;

const target = (g: Generation): Value => {
  const { r } = g;
  switch (r.int(0, 11)) {
    case 0:
      return 0;
    case 1:
      return r.pick(['0xfffffffff067', '0x1067', '0x7ffffffff000', '0xfee00063', '0x67'] as const);
    case 2:
      return { page: r.pick(['l1', 'l2', 'l3', 'l4', 'shared_info'] as const), as: 'pte', flags: r.pick(['0x61', '0x67', '0x63', '0x5']) };
    case 3:
      return { page: any(g), as: 'pte', flags: r.pick(PTE_FLAGS) };
    case 4:
    case 5:
      // An entry that would do, but for one bit.
      return { page: any(g), as: 'pte', flags: `0x${(r.pick([0x65, 0x67]) ^ (1 << r.pick(ONE_BIT))).toString(16)}` };
    default:
      return { page: any(g), as: 'pte', flags: r.pick(['0x67', '0x61', '0x61', '0x65', '0x5', '0x8000000000000065']) };
  }
};

const slotOf = (g: Generation): Value => {
  const { r } = g;
  const page = any(g);
  const command = r.one(4) ? r.pick([2, 3]) : 0;
  if (r.one(6)) return { page: r.pick(WINDOWS), as: 'entry_maddr', ...(command === 0 ? {} : { plus: command }) };
  return { page, as: 'maddr', plus: 8 * r.pick(page === COPY ? FREE_SLOTS : SLOTS) + command };
};

const update = (g: Generation) => ({ struct: 'xen.mmu_update' as const, fields: { ptr: slotOf(g), val: target(g) } });
const extend = (cmd: number, arg1: Argument, arg2: Argument = 0) => ({ struct: 'xen.mmuext_op' as const, fields: { cmd, arg1, arg2 } });

/** One element of mmuext_op about these pages. */
const element = (g: Generation) => {
  const { r } = g;
  switch (r.int(0, 13)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return extend(r.one(3) ? 0 : r.int(0, 3), mfn(any(g)));
    case 5:
    case 6:
    case 7:
      return extend(4, mfn(any(g)));
    case 8:
      return extend(5, r.one(2) ? mfn(COPY) : { page: 'l4', as: 'mfn' });
    case 9:
      return extend(15, r.pick([0, mfn(COPY), mfn(plain(g))] as const));
    case 10:
      return extend(16, mfn(plain(g)));
    case 11:
      return extend(17, mfn(plain(g)), r.one(2) ? { page: r.pick(['l1', 'l2', 'l3'] as const), as: 'mfn' } : mfn(plain(g)));
    case 12:
      return extend(r.pick([6, 7, 8, 10, 11]), 0);
    default:
      return extend(
        r.pick([0, 1, 2, 3, 4]),
        r.pick(['0xfffffffff', 1, { page: 'l2', as: 'mfn' }, { page: 'shared_info', as: 'mfn' }] as const),
      );
  }
};

/** What makes a table of a page, whatever it was: empty, or a copy of one of the domain's own. */
const recipe = (g: Generation) => {
  const { r } = g;
  const page = plain(g);
  const level = r.int(1, 4);
  const pin = extend(level - 1, mfn(page));
  const filled = level < 4 && r.one(2) ? extend(17, mfn(page), { page: `l${level}` as 'l1', as: 'mfn' }) : extend(16, mfn(page));
  return [...(r.one(3) ? [extend(4, mfn(page))] : []), filled, ...(r.one(8) ? [] : [pin]), ...(r.one(4) ? [element(g)] : [])];
};

/** A table for as long as one call: cleared, pinned, perhaps used, and no table any more. */
const passing = (g: Generation) => {
  const { r } = g;
  const page = plain(g);
  return [
    extend(16, mfn(page)),
    extend(r.int(0, 3), mfn(page)),
    ...(r.one(4) ? [element(g)] : []),
    ...(r.one(5) ? [] : [extend(4, mfn(page))]),
  ];
};

const domain = (g: Generation): Value => (g.r.one(12) ? g.r.pick([0x7fe0, 0x7ff1, 0x7ff2, 0x7ff4]) : SELF);

const MAKERS: readonly Maker[] = [
  {
    // A page that is still mapped writable becomes no table.
    weight: 8,
    row: 'update_va_mapping',
    make: (g) => {
      const { r } = g;
      const page = any(g);
      const value: Value = r.one(8) ? 0 : { page, as: 'pte', flags: r.pick(['0x61', '0x61', '0x61', '0x61', '0x61', '0x61', '0x63']) };
      return call('update_va_mapping', { page, as: 'va' }, value, r.pick([0, 2, 2, 6]));
    },
  },
  {
    weight: 3,
    row: 'update_va_mapping',
    make: (g) => call('update_va_mapping', { page: g.r.pick(WINDOWS), as: 'va' }, target(g), 2),
  },
  {
    weight: 12,
    row: 'mmuext_op/pin_l1_table',
    make: (g) => {
      const structs = g.r.one(3) ? recipe(g) : !g.r.one(3) ? passing(g) : g.r.list(1, g.r.one(3) ? 5 : 1, () => element(g));
      return call('mmuext_op', { structs }, structs.length, g.r.one(6) ? done : 0, domain(g));
    },
  },
  {
    weight: 12,
    row: 'mmu_update/normal_pt_update',
    make: (g) => {
      const structs = g.r.list(1, g.r.one(3) ? 6 : 1, () => update(g));
      return call('mmu_update', { structs }, structs.length, g.r.one(6) ? done : 0, domain(g));
    },
  },
  {
    weight: 2,
    row: 'update_descriptor',
    make: (g) =>
      call(
        'update_descriptor',
        { page: plain(g), as: 'maddr', plus: 8 * g.r.pick([0, 1, 511]) },
        g.r.pick([0, '0xcff3000000ffff', '0xcf93000000ffff', '0xaffb000000ffff']),
      ),
  },
  {
    weight: 2,
    row: 'set_gdt',
    make: (g) => {
      const { r } = g;
      const frames = r.list(1, 3, () => mfn(plain(g)));
      return call('set_gdt', { array: frames, size: 8 }, r.pick([0, 0, 1, 512, 512 * frames.length, 512 * frames.length - 7]));
    },
  },
  {
    weight: 2,
    row: 'mmuext_op/set_ldt',
    make: (g) => {
      const { r } = g;
      const base: Value = r.one(3) ? 0 : { page: plain(g), as: 'va' };
      return call('mmuext_op', { structs: [extend(13, base, r.pick([0, 1, 512, 1024, 8192]))] }, 1, 0, SELF);
    },
  },
];

export const tableTree: Theme = {
  name: 'page tables',
  weight: 6,
  needs: ['mmuext_op/pin_l1_table', 'mmu_update/normal_pt_update'],
  prepare: (g) => {
    focusOn(g, PLAIN);
    return [
      g.step({
        do: 'calls',
        calls: ANY.flatMap((page) =>
          g.r.one(6) ? [] : [call('update_va_mapping', { page, as: 'va' }, { page, as: 'pte', flags: '0x61' }, 2)],
        ).concat(call('xen_version', 0)),
      } as never),
      g.step({
        do: 'hypercall',
        call: 'mmuext_op',
        args: [
          {
            structs: [extend(17, mfn(COPY), { page: 'l4', as: 'mfn' }), ...PLAIN.map((page) => extend(g.r.one(4) ? 6 : 16, mfn(page)))],
          },
          1 + PLAIN.length,
          0,
          SELF,
        ],
      } as never),
    ];
  },
  call: oneOf(MAKERS),
};
