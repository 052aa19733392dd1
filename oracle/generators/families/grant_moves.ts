/** What else becomes of grants: copies, changes of the version, entries and pages that move. Each from when both machines answer it. */
import type { Argument, Step, Value } from '#spec/program.ts';
import { isAnswered } from '../operations/index.ts';
import { type Family, type Generation, PAGES, SELF } from '../state.ts';
import { BAD_POINTERS, domid, gref, handle } from '../values.ts';
import { storeEntry } from './grant_table.ts';

const step = (g: Generation, command: number, structs: readonly Argument[], count: number = structs.length): Step =>
  g.step({ do: 'hypercall', call: 'grant_table_op', args: [command, { structs }, count] } as never);

/** A family of steps about a row; nothing comes of it before the row is answered. */
const about = (row: string, weight: number, make: (g: Generation) => readonly Step[]): Family => ({
  weight,
  make: (g) => (isAnswered(`grant_table_op/${row}`, g.state.domid === 0 ? 'pv64_dom0' : 'pv64_domU') ? make(g) : []),
});

/** A reference and its domain's number, for who uses it. */
const someGrant = (g: Generation): readonly [name: Value, domid: number] => {
  const { r } = g;
  const owner = g.peer && r.one(2) ? g.peer : g.state;
  const known = owner.entries;
  const ref = known.length > 0 && !r.one(6) ? r.pick(known).ref : gref(g);
  if (r.one(12)) return [ref, domid(g)];
  return [ref, owner === g.state && r.one(2) ? SELF : owner.domid];
};
const someFrame = (g: Generation, written: boolean): readonly [name: Value, domid: number] => {
  const { r } = g;
  const name: Value = r.one(12)
    ? r.pick(['0xfffffffff', 1, '0xffffffffffffffff', ...(written ? [{ page: 'l1', as: 'mfn' } as const] : [])] as const)
    : { page: r.pick(PAGES.data), as: 'mfn' };
  return [name, r.one(20) ? g.state.domid : SELF];
};

const copy = about('copy', 10, (g) => {
  const { r } = g;
  const end = (written: boolean) => {
    const byRef = r.one(2);
    return { byRef, end: byRef ? someGrant(g) : someFrame(g, written) };
  };
  // Elements of one call often share an end.
  const sources = [end(false), end(false)];
  const dests = [end(true), end(true)];
  const offset = (): number => (r.one(8) ? r.pick([4095, 4096, 65535, 4000]) : r.int(0, 64));
  const one = (): Argument => {
    const [source, dest] = [r.pick(sources), r.pick(dests)];
    return {
      struct: 'gnttab.copy',
      fields: {
        source: source.end[0],
        source_domid: source.end[1],
        source_offset: offset(),
        dest: dest.end[0],
        dest_domid: dest.end[1],
        dest_offset: offset(),
        len: r.one(8) ? r.pick([0, 96, 4096, 65535]) : r.int(1, 64),
        flags: (source.byRef ? 1 : 0) | (dest.byRef ? 2 : 0) | (r.one(30) ? 0xfffc : 0),
      },
    };
  };
  return [step(g, 5, r.list(1, 4, one))];
});

/** A table that nobody has used yet takes up version 2; one that is in use may or may not change, and nobody knows then what its entries mean. */
const version = about('get_status_frames', 3, (g) => {
  const { r, state } = g;
  const to = (number: number): Step => step(g, 8, [{ struct: 'gnttab.set_version', fields: { version: number } }]);
  if (state.grantVersion === 1 && state.entries.length === 0) {
    const setup = state.grantTable ? [] : [g.step({ do: 'grant_setup', frames: 1 } as never)];
    state.grantTable = true;
    state.grantVersion = 2;
    return [...setup, to(2)];
  }
  if (!r.one(6) || state.grantVersion === null) return [to(r.pick([0, 3, 0xffffffff, state.grantVersion ?? 3]))];
  const other = state.grantVersion === 1 ? 2 : 1;
  state.grantVersion = null;
  state.entries.length = 0;
  return [to(other)];
});

/** An entry of version 2 that is about a part of a page, or passes the other domain's grant on. */
const entryOfVersion2 = about('get_status_frames', 5, (g) => {
  const { r, state } = g;
  if (state.grantVersion !== 2) return [];
  const ref = 9 + r.int(0, 7);
  const dom = g.peer && r.one(2) ? g.peer.domid : state.domid;
  const readonly = r.one(4);
  state.entries.push({ ref, readonly, dom, page: PAGES.data[0] });
  const flags = readonly ? 4 : 0;
  if (g.peer && r.one(2)) {
    const theirs = g.peer.entries;
    return storeEntry(g, ref, flags | 3, dom, theirs.length > 0 ? r.pick(theirs).ref : gref(g), r.one(10) ? state.domid : g.peer.domid);
  }
  return storeEntry(g, ref, flags | 0x101, dom, { page: r.pick(PAGES.data), as: 'mfn' }, r.int(0, 64) | (r.int(0, 64) << 16));
});

const statusFrames = about('get_status_frames', 2, (g) => {
  const { r } = g;
  const fields: Readonly<Record<string, Argument>> = {
    nr_frames: r.pick([0, 1, 1, 2, 9, 0xffffffff]),
    dom: r.one(3) ? domid(g) : SELF,
    frame_list: r.one(6) ? r.pick(BAD_POINTERS) : { buffer: 64, show: 'nothing' },
  };
  return [step(g, 9, [{ struct: 'gnttab.get_status_frames', fields }], r.one(8) ? r.pick([0, 2]) : 1)];
});

const swap = about('swap_grant_ref', 4, (g) => [
  step(
    g,
    11,
    g.r.list(1, 3, () => ({ struct: 'gnttab.swap_grant_ref', fields: { ref_a: gref(g), ref_b: gref(g) } })),
  ),
]);

const flush = about('cache_flush', 2, (g) => {
  const { r } = g;
  const fields: Readonly<Record<string, Value>> = {
    dev_bus_addr: r.one(8) ? '0xfffffffff000' : { page: r.pick(PAGES.data), as: 'maddr' },
    offset: r.pick([0, 8, 4095, 4096]),
    length: r.pick([0, 8, 4096, 4097]),
    op: r.pick([0, 1, 1, 2, 3, 4, 0x80000001]),
  };
  return [step(g, 12, [{ struct: 'gnttab.cache_flush', fields }])];
});

const replace = about('unmap_and_replace', 4, (g) => {
  const { r, state } = g;
  const mapping = state.mappings.length > 0 && !r.one(4) ? r.pick(state.mappings) : undefined;
  const window = (): Value => ({ page: r.pick(PAGES.windows), as: 'va' });
  const which = mapping ? mapping.handle : handle(g);
  const fields: Readonly<Record<string, Value>> = {
    host_addr: mapping && !r.one(5) ? { page: mapping.page, as: mapping.byEntry ? 'entry_maddr' : 'va' } : window(),
    new_addr: r.one(6) ? r.pick([0, '0x10000', '0x800000000000'] as const) : window(),
    handle: state.two && which === 0 ? 50 : which,
  };
  return [step(g, 7, [{ struct: 'gnttab.unmap_and_replace', fields }])];
});

/** The other domain, or this one, waits for a page; the frame of a window that nobody maps goes there. */
const transfer = about('transfer', 3, (g) => {
  const { r, state } = g;
  const page = r.pick(PAGES.windows);
  const own = state.entries.length > 0 ? r.pick(state.entries).ref : 9;
  const [ref, dom] = r.one(2) ? someGrant(g) : ([own, state.domid] as const);
  const wait =
    state.grantVersion !== null && state.grantTable && r.one(2)
      ? storeEntry(g, own, 2, g.peer && r.one(2) ? g.peer.domid : state.domid, 77)
      : [];
  const unmap = g.step({ do: 'hypercall', call: 'update_va_mapping', args: [{ page, as: 'va' }, 0, 2] } as never);
  return [
    ...wait,
    ...(r.one(4) ? [] : [unmap]),
    step(g, 4, [{ struct: 'gnttab.transfer', fields: { mfn: { page, as: 'mfn' }, domid: dom, ref } }]),
  ];
});

export const GRANT_MOVES: readonly Family[] = [copy, version, entryOfVersion2, statusFrames, swap, flush, replace, transfer];
