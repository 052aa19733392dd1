/** Grant tables: entries, mappings and what becomes of them. */
import type { Argument, Step, Value } from '#spec/program.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { BAD_POINTERS, domid, gref, handle } from '../values.ts';

const op = (g: Generation, command: number, argument: Argument, count: number, id = g.id()): Step =>
  g.step({ do: 'hypercall', call: 'grant_table_op', args: [command, g.r.one(20) ? g.r.pick(BAD_POINTERS) : argument, count] } as never, id);

const setup: Family = {
  weight: 3,
  make: (g) => {
    const { r, state } = g;
    if (!state.two && (!state.grantTable || r.one(3))) {
      state.grantTable = true;
      return [g.step({ do: 'grant_setup', frames: r.one(4) ? 2 : 1 } as never)];
    }
    const fields: Record<string, Argument> = {
      dom: r.one(3) ? domid(g) : SELF,
      nr_frames: r.pick([0, 1, 1, 2, 3, 65, 0xffffffff]),
      frame_list: r.one(5) ? r.pick(BAD_POINTERS) : { buffer: 64, show: 'nothing' },
    };
    return [op(g, 2, { structs: [{ struct: 'gnttab.setup_table', fields }] }, r.one(8) ? r.pick([0, 2]) : 1)];
  },
};

const query: Family = {
  weight: 2,
  make: (g) => [
    op(
      g,
      6,
      { structs: [{ struct: 'gnttab.query_size', fields: { dom: g.r.one(2) ? domid(g) : SELF } }] },
      g.r.one(8) ? g.r.pick([0, 2]) : 1,
    ),
  ],
};

/** The steps that store an entry in the version that the table has. */
export const storeEntry = (g: Generation, ref: number, flags: number, dom: number, frame: Value, word = 0): Step[] => {
  if (g.state.grantVersion === 1) return [g.step({ do: 'grant_entry', ref, flags, domid: dom, frame } as never)];
  const put = (at: number, size: number, value: Value): Step =>
    g.step({ do: 'access', how: 'write', at: { page: 'grant0', as: 'va', plus: 16 * ref + at }, size, value } as never);
  return [put(4, 4, word), put(8, 8, frame), put(0, 4, flags + dom * 0x10000)];
};

/** Make an entry for a data page. */
export const enter = (g: Generation, dom: number): Step[] => {
  const { r, state } = g;
  if (state.grantVersion === null) return [];
  const steps: Step[] = [];
  if (!state.grantTable) {
    state.grantTable = true;
    steps.push(g.step({ do: 'grant_setup', frames: 1 } as never));
  }
  const ref = 9 + r.int(0, 7);
  const readonly = r.one(3);
  const flags = r.one(12) ? r.pick([0, 2, 3, 0x101, 0x19]) : readonly ? 5 : 1;
  const page = r.pick(PAGES.data);
  const frame: Value = r.one(12)
    ? r.pick([{ page: 'l1', as: 'mfn' }, { page: 6, as: 'mfn' }, '0xffffffff', { page: 'shared_info', as: 'mfn' }] as const)
    : { page, as: 'mfn' };
  state.entries.push({ ref, readonly, dom, page });
  steps.push(...storeEntry(g, ref, flags, r.one(12) ? r.pick([5, 0x7ff0, 0xffff]) : dom, frame, r.int(0, 64) + r.int(0, 64) * 0x10000));
  return steps;
};
const entry: Family = { weight: 4, make: (g) => enter(g, g.peer && g.r.one(2) ? g.peer.domid : g.state.domid) };

/** Map a reference of `owner`. */
const mapFrom = (g: Generation, owner: number): Step => {
  const { r, state } = g;
  const id = g.id();
  const page = r.pick(PAGES.windows);
  const byEntry = r.one(4);
  const known = g.domains[owner]?.entries ?? [];
  const entry = known.length > 0 && !r.one(6) ? r.pick(known) : undefined;
  const ref: Value = entry ? entry.ref : gref(g);
  const readonly = entry?.readonly && !r.one(4) ? true : r.one(2);
  const flags = r.one(8) ? r.pick([0, 1, 3, 4, 0x40002, 0x70006]) : 2 | (readonly ? 4 : 0) | (byEntry ? 16 : 0) | (r.one(5) ? 8 : 0);
  const host_addr: Value = r.one(10)
    ? r.pick(['0x10000', '0x800000000000', '0xffff800000000000', { page: 2, as: 'maddr' }, { page, as: 'entry_maddr', plus: 4 }] as const)
    : byEntry
      ? { page, as: 'entry_maddr' }
      : { page, as: 'va', ...(r.one(5) ? { plus: r.int(1, 4095) } : {}) };
  const guess = state.mappings.length + (state.two && state.domid === 0 ? 1 : 0);
  state.mappings.push({ handle: { step: id, of: 'handle', else: guess }, page, readonly, byEntry });
  const dom = r.one(10) ? domid(g) : owner;
  return op(g, 0, { structs: [{ struct: 'gnttab.map_grant_ref', fields: { host_addr, flags, ref, dom } }] }, 1, id);
};
const map: Family = {
  weight: 9,
  make: (g) => {
    const owner = g.peer && g.r.one(2) ? g.peer.domid : g.state.domid;
    const before = owner === g.state.domid && g.state.entries.length === 0 ? enter(g, owner) : [];
    return [...before, mapFrom(g, owner)];
  },
};

const unmap: Family = {
  weight: 8,
  make: (g) => {
    const { r, state } = g;
    const mapping = state.mappings.length > 0 && !r.one(4) ? r.pick(state.mappings) : undefined;
    const page = mapping && !r.one(6) ? mapping.page : r.pick(PAGES.windows);
    const host_addr: Value = r.one(8)
      ? r.pick([0, '0x10000', { page: 2, as: 'va' }] as const)
      : mapping?.byEntry
        ? { page, as: 'entry_maddr' }
        : { page, as: 'va' };
    const one = {
      struct: 'gnttab.unmap_grant_ref' as const,
      fields: { host_addr, dev_bus_addr: r.one(10) ? '0x1000' : 0, handle: mapping ? mapping.handle : handle(g) },
    };
    // In a program of two domains handle 0 of domain 0 maps the page of results.
    const safe = state.two && one.fields.handle === 0 ? { ...one, fields: { ...one.fields, handle: 50 } } : one;
    return [op(g, 1, { structs: r.one(6) ? [safe, safe] : [safe] }, r.one(6) ? r.pick([0, 1]) : 1)];
  },
};

const several: Family = {
  weight: 2,
  make: (g) => {
    const { r } = g;
    const page = r.pick(PAGES.windows);
    const one = () => ({
      struct: 'gnttab.map_grant_ref' as const,
      fields: { host_addr: { page, as: 'va' as const }, flags: r.pick([0, 2, 6]), ref: gref(g), dom: r.pick([g.state.domid, 5, SELF]) },
    });
    const list = r.list(2, 3, one);
    return [op(g, 0, { structs: list }, list.length)];
  },
};

const unknown: Family = {
  weight: 1,
  make: (g) => [
    op(g, g.r.pick([3, 13, 100, 0x1000, 0x80000000]), { buffer: 64, show: 'nothing' }, g.r.pick([0, 1, 0x80000000, 0xffffffff])),
  ],
};

const through: Family = {
  weight: 4,
  make: (g) => {
    const { r, state } = g;
    if (state.mappings.length === 0) return [];
    const { page } = r.pick(state.mappings);
    return [
      g.step({
        do: 'access',
        how: r.pick(['read', 'write'] as const),
        at: { page, as: 'va', plus: 8 * r.int(0, 511) },
        size: 8,
        value: r.word(),
        show: 'nothing',
      } as never),
      g.step({ do: 'access', how: 'read', at: { page, as: 'entry_va' }, size: 8, show: 'pte' } as never),
    ];
  },
};

/** Flags and domid of an entry, as Xen marks them. */
const readEntry: Family = {
  weight: 3,
  make: (g) => {
    const { r, state } = g;
    if (state.entries.length === 0 || state.grantVersion === null) return [];
    const size = state.grantVersion === 1 ? 8 : 16;
    return [
      g.step({
        do: 'access',
        how: 'read',
        at: { page: 'grant0', as: 'va', plus: size * r.pick(state.entries).ref },
        size: 4,
        show: 'hex',
      } as never),
    ];
  },
};

export const GRANTS: readonly Family[] = [setup, query, entry, map, unmap, several, unknown, through, readEntry];
