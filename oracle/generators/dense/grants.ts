/**
 * Grants that are entered, used and moved as fast as can be: mappings that come and go, copies by frame and by reference, entries that change places, a
 * table that changes its version. Entries of version 2 are stored by way of mmu_update, which writes pages of data as well.
 */
import type { Argument, Call, Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';
import { call, type Maker, oneOf, type Theme } from './theme.ts';

const [FIRST_REF, LAST_REF] = [9, 14];
const LAST_HANDLE = 9;
/** Two domains hand over to each other through a mapping of domain 0's. */
const ref = ({ r }: Generation): number => (r.one(24) ? r.pick([7, 511, 0x10000, 0xffffffff]) : r.int(FIRST_REF, LAST_REF));
const frame = ({ r }: Generation): Value => (r.one(30) ? '0xfffffffff' : { page: r.pick(PAGES.data), as: 'mfn' });
/** A table is no place to write to; what stands in it differs between machines, so that it is never read. */
const written = (g: Generation): Value => (g.r.one(30) ? { page: 'l1', as: 'mfn' } : frame(g));
const dom = (g: Generation): number => (g.r.one(20) ? g.r.pick([5, SELF, 0x7ff1]) : g.state.domid);

const batch = (command: number, structs: readonly Argument[]): Call =>
  call('grant_table_op', command, { structs: structs as never }, structs.length);
const some = (g: Generation, one: () => Argument): readonly Argument[] => (g.r.one(3) ? g.r.list(2, 5, one) : [one()]);

const copies = (g: Generation): Call => {
  const { r } = g;
  // Elements of one call often share an end.
  const end = (name: (g: Generation) => Value) => () => (r.one(2) ? { name: ref(g), byRef: true } : { name: name(g), byRef: false });
  const sources = Array.from({ length: 2 }, end(frame));
  const dests = Array.from({ length: 2 }, end(written));
  return batch(
    5,
    some(g, () => {
      const [source, dest] = [r.pick(sources), r.pick(dests)];
      const whose = (byRef: boolean): number => (byRef && r.one(2) ? dom(g) : r.one(40) ? dom(g) : SELF);
      return {
        struct: 'gnttab.copy',
        fields: {
          source: source.name,
          source_domid: whose(source.byRef),
          source_offset: r.one(8) ? r.pick([4095, 4096, 100]) : 8 * r.int(0, 16),
          dest: dest.name,
          dest_domid: whose(dest.byRef),
          dest_offset: r.one(8) ? r.pick([4095, 4096, 3]) : 8 * r.int(0, 16),
          len: r.one(12) ? r.pick([0, 4096, 65535]) : r.int(1, 64),
          flags: (source.byRef ? 1 : 0) | (dest.byRef ? 2 : 0),
        },
      };
    }),
  );
};

/** GNTMAP_contains_pte: the mapping is named by the entry that is to hold it. */
const CONTAINS_PTE = 16;
/** Where nothing can be mapped: no table is there, or the address is none of a guest's. */
const NO_PLACE: readonly Value[] = ['0x10000', '0x800000000000', '0xffff830000000000', '0xffffffffffffffff'];

/** Where a mapping is, by address or by entry: most of the time a window; at times off by some bytes. */
const place = ({ r }: Generation, byEntry: boolean): Value => {
  if (r.one(10)) return r.pick(NO_PLACE);
  return { page: r.pick(PAGES.windows), as: byEntry ? 'entry_maddr' : 'va', ...(r.one(5) ? { plus: r.int(1, 7) } : {}) };
};

const maps = (g: Generation): Call => {
  const { r } = g;
  return batch(
    0,
    some(g, () => {
      const byEntry = r.one(5);
      return {
        struct: 'gnttab.map_grant_ref',
        fields: {
          host_addr: place(g, byEntry),
          flags: r.pick([1, 5, 2, 6, 3, 7]) | (byEntry ? CONTAINS_PTE : 0),
          ref: ref(g),
          dom: dom(g),
        },
      };
    }),
  );
};

const unmaps = (g: Generation): Call => {
  const { r } = g;
  const fields = (): Readonly<Record<string, Value>> => ({
    host_addr: place(g, r.one(5)),
    dev_bus_addr: r.one(3) ? 0 : { page: r.pick(PAGES.data), as: 'maddr' },
    handle: r.int(0, LAST_HANDLE),
  });
  return batch(
    1,
    some(g, () => ({ struct: 'gnttab.unmap_grant_ref', fields: fields() })),
  );
};

const replaces = (g: Generation): Call => {
  const window = (): Value => ({ page: g.r.pick(PAGES.windows), as: 'va' });
  return batch(7, [
    {
      struct: 'gnttab.unmap_and_replace',
      fields: { host_addr: window(), new_addr: g.r.one(3) ? 0 : window(), handle: g.r.int(0, LAST_HANDLE) },
    },
  ]);
};

/** Half of an entry of version 2. */
const entry = (g: Generation): Call => {
  const { r } = g;
  const at = 16 * r.int(FIRST_REF, LAST_REF);
  const flags = r.one(6) ? r.pick([0, 2, 3]) : r.pick([1, 1, 5, 0x101]);
  const head = BigInt(flags) | (BigInt(dom(g)) << 16n) | (BigInt(8 * r.int(0, 8)) << 32n) | (BigInt(r.int(8, 64)) << 48n);
  const fields: Readonly<Record<string, Value>> = r.one(2)
    ? { ptr: { page: 'grant0', as: 'maddr', plus: at }, val: `0x${head.toString(16)}` }
    : { ptr: { page: 'grant0', as: 'maddr', plus: at + 8 }, val: frame(g) };
  return call('mmu_update', { structs: [{ struct: 'xen.mmu_update', fields }] }, 1, 0, SELF);
};

/** Memory that is not simply the caller's: a device's, none at all, what Xen shares, tables. */
const OTHERS_FRAMES: readonly Value[] = [
  '0x1000',
  '0xa0000',
  '0xfffffffff000',
  { page: 'shared_info', as: 'maddr' },
  { page: 'grant0', as: 'maddr' },
  { page: 'l4', as: 'maddr' },
];

const MAKERS: readonly Maker[] = [
  { weight: 20, row: 'grant_table_op/copy', make: copies },
  { weight: 12, row: 'grant_table_op/map_grant_ref', make: maps },
  { weight: 16, row: 'grant_table_op/unmap_grant_ref', make: unmaps },
  { weight: 2, row: 'grant_table_op/unmap_and_replace', make: replaces },
  {
    weight: 2,
    row: 'update_va_mapping',
    make: ({ r }) =>
      call('update_va_mapping', { page: r.pick(PAGES.windows), as: 'va' }, { page: r.pick(PAGES.data), as: 'pte', flags: '0x67' }, 2),
  },
  {
    weight: 6,
    row: 'grant_table_op/swap_grant_ref',
    make: (g) =>
      batch(
        11,
        some(g, () => ({ struct: 'gnttab.swap_grant_ref', fields: { ref_a: ref(g), ref_b: ref(g) } })),
      ),
  },
  {
    weight: 2,
    row: 'grant_table_op/set_version',
    make: ({ r }) => call('grant_table_op', 8, { struct: 'gnttab.set_version', fields: { version: r.pick([1, 2, 2]) } }, 1),
  },
  { weight: 10, row: 'grant_table_op/set_version', make: entry },
  {
    weight: 1,
    row: 'grant_table_op/get_status_frames',
    make: ({ r }) =>
      call(
        'grant_table_op',
        9,
        { struct: 'gnttab.get_status_frames', fields: { nr_frames: r.int(0, 2), dom: SELF, frame_list: { buffer: 16, show: 'nothing' } } },
        1,
      ),
  },
  {
    weight: 4,
    row: 'grant_table_op/cache_flush',
    make: ({ r }) =>
      batch(12, [
        {
          struct: 'gnttab.cache_flush',
          fields: {
            dev_bus_addr: r.one(3) ? r.pick(OTHERS_FRAMES) : { page: r.pick(PAGES.data), as: 'maddr' },
            offset: 8 * r.int(0, 8),
            length: r.int(0, 64),
            op: r.int(0, 4),
          },
        },
      ]),
  },
];

export const grants: Theme = {
  name: 'grants that move',
  weight: 4,
  needs: ['grant_table_op/copy'],
  prepare: (g) => {
    const setup = g.state.grantTable ? [] : [g.step({ do: 'grant_setup', frames: 1 } as never)];
    g.state.grantTable = true;
    const page = (): Value => ({ page: g.r.pick(PAGES.data), as: 'mfn' });
    const entries = [9, 10, 11, 12].map((number) =>
      g.step({ do: 'grant_entry', ref: number, flags: g.r.pick([1, 1, 5]), domid: g.state.domid, frame: page() } as never),
    );
    return [...setup, ...entries];
  },
  call: oneOf(MAKERS),
};
