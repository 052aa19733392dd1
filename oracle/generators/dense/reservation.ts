/**
 * Memory that comes and goes. Lists hold the frames that the pages had at the start, bad ones among them, and pointers that fail half way. Which frame
 * Xen hands out is its own choice, so these are for machines that choose alike.
 */
import type { Argument, Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';
import { call, type Maker, oneOf, type Theme } from './theme.ts';

const PAGES_THAT_GO = [...PAGES.data, ...PAGES.tables];
const DOMAIN = (g: Generation): number => (g.r.one(10) ? g.r.pick([0x7fe0, 0x7ff1, 0x7ff2, 0x7ff4, 0, 1]) : SELF);

const ORDERS = [0, 0, 0, 0, 0, 0, 1, 2, 3, 9, 10, 18, 19, 63];
/** Some frames of the pool, and now and then one that is nobody's. */
const frames = (g: Generation, as: 'mfn' | 'pfn'): readonly Value[] =>
  g.r.list(
    0,
    5,
    (): Value => (g.r.one(10) ? g.r.pick(['0xfffffffff', 1, '0xffffffffffffffff'] as const) : { page: g.r.pick(PAGES_THAT_GO), as }),
  );

const FLAGS: readonly Value[] = [0, 0, 0, 0, 0, 32, 40, 1, 0x100, 0x300, '0x20100', '0x40000', '0x10000', '0xffffffff'];

const reservation = (g: Generation, extents: Argument, nr_extents: number): Argument => ({
  struct: 'memory.reservation',
  fields: { extent_start: extents, nr_extents, extent_order: g.r.pick(ORDERS), mem_flags: g.r.pick(FLAGS), domid: DOMAIN(g) },
});

const reserve = (command: number, as: 'mfn' | 'pfn') => (g: Generation) => {
  const { r } = g;
  const list = frames(g, as);
  const extents: Argument = r.one(12) ? r.pick(['0x10000', '0x800000000000', 0] as const) : { array: list, size: 8 };
  // More extents than the list has would take whatever stands behind it, or without a list all memory.
  const nr = typeof extents === 'object' ? (r.one(10) ? 0 : list.length) : r.pick([0, 1, 2, 40]);
  return call('memory_op', command + 64 * (r.one(10) ? r.int(0, 6) : 0), reservation(g, extents, r.one(30) ? 0x4000000 : nr));
};

/** The last addresses of the lower half: a list that begins there, counted on from, leaves it; and where no list can be. */
const AT_THE_END: readonly Value[] = ['0x7ffffffffff0', '0x7ffffffff000', '0x7ffffffffff8'];
const NO_LIST: readonly Value[] = ['0x10000', '0x800000000000', '0xffff830000000000', ...AT_THE_END];

/** An exchange that is told to go on in the middle, of lists that may lie anywhere. */
const goOn = ({ r }: Generation) => {
  const done = r.pick([0, 1, 2, 3, 511, 512, 0x1000]);
  const list = (): Argument => (r.one(3) ? { page: PAGES.times, as: 'va', plus: 3072 } : r.pick(NO_LIST));
  const nr_extents = done + r.int(0, 2);
  const [into, out] = [list(), list()];
  return call('memory_op', 11, {
    struct: 'memory.exchange',
    fields: {
      ...{ in_extent_start: into, in_nr_extents: nr_extents, in_extent_order: 0, in_mem_flags: 0, in_domid: SELF },
      ...{ out_extent_start: out, out_nr_extents: nr_extents, out_extent_order: 0, out_mem_flags: 0, out_domid: SELF },
      nr_exchanged: done,
    },
  } as never);
};

const exchange = (g: Generation) => {
  const { r } = g;
  const [into, out] = [frames(g, 'mfn'), frames(g, 'pfn')];
  const [inOrder, outOrder] = r.one(3) ? [r.int(0, 3), r.int(0, 3)] : [0, 0];
  return call('memory_op', 11, {
    struct: 'memory.exchange',
    fields: {
      in_extent_start: { array: into, size: 8 },
      in_nr_extents: into.length,
      in_extent_order: inOrder,
      in_mem_flags: 0,
      in_domid: DOMAIN(g),
      out_extent_start: { array: out, size: 8 },
      out_nr_extents: r.one(2) ? into.length : out.length,
      out_extent_order: outOrder,
      out_mem_flags: r.pick(FLAGS),
      out_domid: DOMAIN(g),
      nr_exchanged: r.one(6) ? r.int(0, 6) : 0,
    },
  });
};

/**
 * A list in memory that keeps the frames which Xen wrote there: what increase_reservation brought is what exchange gives away, and what exchange brought
 * stands in the same place again.
 */
const KEPT = 8;
const kept = (slot: number): Value => ({ page: PAGES.times, as: 'va', plus: 3072 + 8 * slot });

const bring = (g: Generation) => {
  const nr_extents = g.r.int(1, 3);
  return call('memory_op', 0, {
    struct: 'memory.reservation',
    fields: { extent_start: kept(g.r.int(0, KEPT - nr_extents)), nr_extents, extent_order: g.r.one(4) ? 1 : 0, mem_flags: 0, domid: SELF },
  });
};
const giveBack = (g: Generation) =>
  call('memory_op', 1, {
    struct: 'memory.reservation',
    fields: { extent_start: kept(g.r.int(0, KEPT - 1)), nr_extents: 1, extent_order: 0, mem_flags: 0, domid: SELF },
  });
/** One for one; at times two for one or one for two, which wants frames that lie side by side. */
const swap = (g: Generation) => {
  const { r } = g;
  const [inOrder, outOrder] = r.one(10) ? [1, 0] : r.one(10) ? [0, 1] : [0, 0];
  const count = r.one(4) ? 2 : 1;
  const [ins, outs] = inOrder < outOrder ? [2 * count, count] : inOrder > outOrder ? [count, 2 * count] : [count, count];
  const slot = r.int(0, KEPT - Math.max(ins, outs));
  const side = { extent_start: kept(slot), mem_flags: 0, domid: SELF };
  return call('memory_op', 11, {
    struct: 'memory.exchange',
    fields: {
      ...Object.fromEntries(
        Object.entries(side).flatMap(([name, value]) => [
          [`in_${name}`, value],
          [`out_${name}`, value],
        ]),
      ),
      in_nr_extents: ins,
      in_extent_order: inOrder,
      out_nr_extents: outs,
      out_extent_order: outOrder,
      nr_exchanged: 0,
    },
  });
};

const MAKERS: readonly Maker[] = [
  { weight: 5, row: 'memory_op/increase_reservation', make: bring },
  { weight: 8, row: 'memory_op/exchange', make: swap },
  { weight: 4, row: 'memory_op/exchange', make: goOn },
  { weight: 1, row: 'memory_op/decrease_reservation', make: giveBack },
  {
    // A page that nobody maps can leave.
    weight: 8,
    row: 'update_va_mapping',
    make: ({ r }) => {
      const page = r.pick(PAGES_THAT_GO);
      return call('update_va_mapping', { page, as: 'va' }, r.one(3) ? { page, as: 'pte', flags: r.pick(['0x61', '0x63']) } : 0, 2);
    },
  },
  { weight: 8, row: 'memory_op/decrease_reservation', make: reserve(1, 'mfn') },
  { weight: 8, row: 'memory_op/populate_physmap', make: reserve(6, 'pfn') },
  { weight: 3, row: 'memory_op/increase_reservation', make: reserve(0, 'pfn') },
  { weight: 2, row: 'memory_op/exchange', make: exchange },
  {
    weight: 2,
    row: 'memory_op/current_reservation',
    make: (g) => call('memory_op', g.r.pick([3, 4]), { struct: 'memory.domain', fields: { domid: DOMAIN(g) } }),
  },
  {
    weight: 1,
    row: 'memory_op/claim_pages',
    make: (g) =>
      call('memory_op', 24, {
        struct: 'memory.reservation',
        fields: {
          extent_start: 0,
          nr_extents: g.r.pick([0, 1, 100, 40_000, 0xffffffff]),
          extent_order: 0,
          mem_flags: 0,
          domid: g.r.pick([0, 0, 1, SELF]),
        },
      }),
  },
  {
    weight: 1,
    row: 'mmuext_op/pin_l1_table',
    make: ({ r }) =>
      call(
        'mmuext_op',
        {
          structs: [
            { struct: 'xen.mmuext_op', fields: { cmd: r.pick([0, 4, 4, 16]), arg1: { page: r.pick(PAGES_THAT_GO), as: 'mfn' }, arg2: 0 } },
          ],
        },
        1,
        0,
        SELF,
      ),
  },
];

export const reservations: Theme = {
  name: 'reservations',
  weight: 3,
  needs: ['memory_op/decrease_reservation', 'memory_op/populate_physmap'],
  prepare: () => [],
  call: oneOf(MAKERS),
};
