import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { GNTMAP, GTF, gnttab, grant_entry_v1 } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { domainOf, frame, setMemory, updateVcpu, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { read, write } from '../../memory/access.ts';
import { readWord } from '../../memory/memory.ts';
import { itemsOf } from '../../numbered.ts';
import { miscounted } from '../../testing/census.ts';
import {
  ARGUMENTS,
  call,
  DOM0,
  DOM1,
  frameAt,
  mmuext,
  operate,
  POOL,
  peek64,
  poke64,
  remap,
  SELF,
  twoDomains,
} from '../../testing/guest.ts';
import { fromNumber, toBigInt } from '../../word/word.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);
const page = (n: number, at = DOM0): number => frameAt(fresh, at, POOL + n * 4096);
const va = (n: number): number => POOL + n * 4096;

/** Write an entry of a domain's grant table, as the domain could through a mapping of it. */
const grant = (machine: Machine, domid: number, ref: number, flags: number, to: number, mfn: number): Machine => {
  const table = domainOf(machine, domid).grants.frames[0];
  const { flags: f, domid: d, frame: m } = grant_entry_v1.fields;
  let memory = write(machine.memory, table, ref * 8 + f.at, 2, fromNumber(flags));
  memory = write(memory, table, ref * 8 + d.at, 2, fromNumber(to));
  return setMemory(machine, write(memory, table, ref * 8 + m.at, 4, fromNumber(mfn)));
};
const marks = (machine: Machine, domid: number, ref: number): number =>
  read(machine.memory, domainOf(machine, domid).grants.frames[0], ref * 8, 2).lo & (GTF.reading | GTF.writing);

const map = (machine: Machine, at: VcpuRef, fields: { host_addr?: number; flags: number; ref: number; dom: number }) => {
  const called = operate(machine, at, 'grant_table_op', 'map_grant_ref', gnttab.map_grant_ref, fields);
  return { ...called, status: (called.out.status << 16) >> 16 };
};
const unmap = (machine: Machine, at: VcpuRef, fields: { host_addr?: number; dev_bus_addr?: number; handle: number }) => {
  const called = operate(machine, at, 'grant_table_op', 'unmap_grant_ref', gnttab.unmap_grant_ref, fields);
  return { ...called, status: (called.out.status << 16) >> 16 };
};

/** The level 1 entry of an address of the initial mapping. */
const entry = (machine: Machine, at: VcpuRef, address: number): bigint => {
  const next = (table: number, index: number): number => Number((toBigInt(readWord(machine.memory, table, index)) >> 12n) & 0xffffffffffn);
  const l1 = next(next(next(vcpuOf(machine, at).kernelTable, 0), 0), address >>> 21);
  return toBigInt(readWord(machine.memory, l1, (address >>> 12) & 511));
};

const HOST = GNTMAP.host_map;
const READ_ONLY = GNTMAP.host_map | GNTMAP.readonly;
/** Domain 1 grants its page 7 to domain 0 by reference 8. */
const granted = grant(fresh, 1, 8, GTF.permit_access, 0, page(7, DOM1));

describe('a page of another domain', () => {
  const mapped = map(granted, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 1 });

  it('is mapped writable, and the entry says so', () => {
    expect([mapped.rc, mapped.status, mapped.out.handle]).toEqual([0, 0, 0]);
    expect(mapped.out.dev_bus_addr).toBe(page(7, DOM1) * 4096);
    expect(entry(mapped.machine, DOM0, va(0))).toBe((BigInt(page(7, DOM1)) << 12n) | 0x8010000000000067n);
    expect(marks(mapped.machine, 1, 8)).toBe(GTF.reading | GTF.writing);
    expect(frame(mapped.machine, page(7, DOM1))).toMatchObject({ refs: 3, typeRefs: 2 });
    expect(miscounted(mapped.machine)).toEqual([]);
  });

  it('is the same memory for both', () => {
    const written = poke64(mapped.machine, DOM0, va(0) + 8, 42n);
    expect(peek64(written, DOM1, va(7) + 8)).toBe(42n);
  });

  it('goes away as a whole', () => {
    const gone = unmap(mapped.machine, DOM0, { host_addr: va(0), handle: 0 });
    expect(gone.status).toBe(0);
    expect(entry(gone.machine, DOM0, va(0))).toBe(0n);
    expect(marks(gone.machine, 1, 8)).toBe(0);
    expect(itemsOf(domainOf(gone.machine, 1).grants.active)).toHaveLength(0);
    expect(miscounted(gone.machine)).toEqual([]);
    expect(unmap(gone.machine, DOM0, { host_addr: va(0), handle: 0 }).status).toBe(-4);
  });

  it('cannot be unmapped once its entry was overwritten; the grant stays active', () => {
    const lost = remap(mapped.machine, DOM0, va(0), 0).machine;
    expect(unmap(lost, DOM0, { host_addr: va(0), handle: 0 }).status).toBe(-1);
    expect(itemsOf(domainOf(lost, 1).grants.active)).toHaveLength(1);
    expect(miscounted(lost)).toEqual([]);
  });

  it('cannot become a page table while it is mapped writable', () => {
    const bare = remap(mapped.machine, DOM1, va(7), 0).machine;
    expect(mmuext(bare, DOM1, 'pin_l1_table', page(7, DOM1)).rc).toBe(-22);
  });

  it('is mapped at most 128 times in one way', () => {
    let m = granted;
    for (let i = 0; i < 128; i++) m = map(m, DOM0, { flags: GNTMAP.device_map, ref: 8, dom: 1 }).machine;
    expect(map(m, DOM0, { flags: GNTMAP.device_map, ref: 8, dom: 1 }).status).toBe(-1);
    expect(map(m, DOM0, { flags: GNTMAP.device_map | GNTMAP.readonly, ref: 8, dom: 1 }).status).toBe(0);
    expect(miscounted(m)).toEqual([]);
  });
});

describe('flags of a mapping', () => {
  it.each([
    ['readonly', READ_ONLY, 0x8010000000000065n, GTF.reading],
    ['application', HOST | GNTMAP.application_map, 0x8000000000000167n, GTF.reading | GTF.writing],
    ['guest bit 0 becomes bit 9', HOST | (1 << 16), 0x8010000000000267n, GTF.reading | GTF.writing],
    ['guest bit 2 becomes bit 11', READ_ONLY | (4 << 16), 0x8010000000000865n, GTF.reading],
  ])('%s', (_, flags, low, marked) => {
    const mapped = map(granted, DOM0, { host_addr: va(0) + 5, flags, ref: 8, dom: 1 });
    expect(mapped.status).toBe(0);
    expect(entry(mapped.machine, DOM0, va(0))).toBe((BigInt(page(7, DOM1)) << 12n) | low);
    expect(marks(mapped.machine, 1, 8)).toBe(marked);
    expect(miscounted(mapped.machine)).toEqual([]);
  });

  it('both parts hold a reference each, and can be unmapped apart', () => {
    const both = map(granted, DOM0, { host_addr: va(0), flags: HOST | GNTMAP.device_map, ref: 8, dom: 1 });
    expect(frame(both.machine, page(7, DOM1))).toMatchObject({ refs: 4, typeRefs: 3 });
    const bus = page(7, DOM1) * 4096;
    expect(unmap(both.machine, DOM0, { dev_bus_addr: bus + 4096, handle: 0 }).status).toBe(-6);
    const half = unmap(both.machine, DOM0, { dev_bus_addr: bus, handle: 0 });
    expect(domainOf(half.machine, 0).grants.maptrack[0]).toEqual({ domid: 1, ref: 8, flags: HOST });
    expect(miscounted(half.machine)).toEqual([]);
    const gone = unmap(half.machine, DOM0, { host_addr: va(0), handle: 0 });
    expect(domainOf(gone.machine, 0).grants.maptrack[0]).toBeNull();
    expect(miscounted(gone.machine)).toEqual([]);
  });

  it('nothing is unmapped without an address', () => {
    const mapped = map(granted, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 1 });
    const kept = unmap(mapped.machine, DOM0, { handle: 0 });
    expect(kept.status).toBe(0);
    expect(domainOf(kept.machine, 0).grants.maptrack[0]).not.toBeNull();
  });
});

describe('refusals of map_grant_ref', () => {
  const readOnly = grant(fresh, 1, 9, GTF.permit_access | GTF.readonly, 0, page(7, DOM1));
  const table = vcpuOf(fresh, DOM1).kernelTable;
  it.each([
    ['no kind of mapping, before the domain', granted, { flags: GNTMAP.readonly, ref: 8, dom: 9 }, -3],
    ['DOMID_SELF', granted, { flags: HOST, ref: 8, dom: SELF }, -2],
    ['a reference beyond the table', granted, { flags: HOST, ref: 512, dom: 1 }, -3],
    ['an entry that grants nothing', granted, { flags: HOST, ref: 10, dom: 1 }, -1],
    ['an entry for somebody else', grant(fresh, 1, 8, GTF.permit_access, 1, page(7, DOM1)), { flags: HOST, ref: 8, dom: 1 }, -1],
    ['a sub-page entry', grant(fresh, 1, 8, GTF.permit_access | GTF.sub_page, 0, page(7, DOM1)), { flags: HOST, ref: 8, dom: 1 }, -1],
    ['writing to a readonly entry', readOnly, { flags: HOST, ref: 9, dom: 1 }, -1],
    ['a frame that was not the domain’s to grant', grant(fresh, 1, 8, GTF.permit_access, 0, page(7)), { flags: HOST, ref: 8, dom: 1 }, -9],
    ['writing to a page table', grant(fresh, 1, 8, GTF.permit_access, 0, table), { flags: HOST, ref: 8, dom: 1 }, -1],
    ['an address without a table', granted, { host_addr: 0x40000000, flags: HOST, ref: 8, dom: 1 }, -1],
    ['an entry out of line', granted, { host_addr: 4, flags: HOST | GNTMAP.contains_pte, ref: 8, dom: 1 }, -1],
    ['an entry in a page that is no table', granted, { host_addr: page(0) * 4096, flags: HOST | GNTMAP.contains_pte, ref: 8, dom: 1 }, -1],
  ])('%s', (_, machine, fields, status) => {
    const refused = map(machine, DOM0, { host_addr: va(0), ...fields });
    expect([refused.rc, refused.status]).toEqual([0, status]);
    expect(marks(refused.machine, 1, 8)).toBe(0);
    expect(itemsOf(domainOf(refused.machine, 1).grants.active)).toHaveLength(0);
    expect(miscounted(refused.machine)).toEqual([]);
  });

  it('a page table may be mapped for reading', () => {
    const shared = grant(fresh, 1, 8, GTF.permit_access, 0, table);
    expect(map(shared, DOM0, { host_addr: va(0), flags: READ_ONLY, ref: 8, dom: 1 }).status).toBe(0);
  });
});

describe('later changes of an entry', () => {
  it('do not touch what is mapped, and only the first writable mapping looks again', () => {
    const first = map(granted, DOM0, { host_addr: va(0), flags: READ_ONLY, ref: 8, dom: 1 }).machine;
    const changed = grant(first, 1, 8, GTF.permit_access | GTF.reading, 0, page(5, DOM1));
    const second = map(changed, DOM0, { host_addr: va(1), flags: HOST, ref: 8, dom: 1 });
    expect(second.out.dev_bus_addr).toBe(page(7, DOM1) * 4096);
    const closed = grant(first, 1, 8, GTF.permit_access | GTF.readonly | GTF.reading, 0, page(7, DOM1));
    expect(map(closed, DOM0, { host_addr: va(1), flags: READ_ONLY, ref: 8, dom: 1 }).status).toBe(0);
    expect(map(closed, DOM0, { host_addr: va(1), flags: HOST, ref: 8, dom: 1 }).status).toBe(-1);
    expect(marks(closed, 1, 8)).toBe(GTF.reading);
  });

  it('GTF_writing goes with the last writable mapping', () => {
    const writing = map(granted, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 1 }).machine;
    const both = map(writing, DOM0, { host_addr: va(1), flags: READ_ONLY, ref: 8, dom: 1 });
    const left = unmap(both.machine, DOM0, { host_addr: va(0), handle: 0 }).machine;
    expect(marks(left, 1, 8)).toBe(GTF.reading);
  });
});

describe('handles', () => {
  it('ascend, and those that came back are used last', () => {
    const device = { flags: GNTMAP.device_map | GNTMAP.readonly, ref: 8, dom: 1 };
    const first = map(granted, DOM0, device);
    expect(first.out.handle).toBe(0);
    const second = map(first.machine, DOM0, device);
    expect(second.out.handle).toBe(1);
    const back = unmap(second.machine, DOM0, { dev_bus_addr: page(7, DOM1) * 4096, handle: 0 }).machine;
    expect(map(back, DOM0, device).out.handle).toBe(2);
  });

  it('are spent by failures', () => {
    const failed = map(granted, DOM0, { host_addr: va(0), flags: HOST, ref: 10, dom: 1 }).machine;
    expect(map(failed, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 1 }).out.handle).toBe(1);
    const early = map(granted, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 9 }).machine;
    expect(map(early, DOM0, { host_addr: va(0), flags: HOST, ref: 8, dom: 1 }).out.handle).toBe(0);
  });

  it('come from a fresh frame when one is left, and each vCPU has its own', () => {
    let m = grant(fresh, 1, 9, GTF.permit_access, 0, page(6, DOM1));
    m = grant(m, 1, 8, GTF.permit_access, 0, page(7, DOM1));
    const other = { domid: 0, vcpu: 1 };
    m = updateVcpu(m, other, { cpu: vcpuOf(m, DOM0).cpu });
    const handle = (called: ReturnType<typeof map>): number => called.out.handle;
    for (let i = 0; i < 255; i++) m = map(m, DOM0, { flags: GNTMAP.device_map | GNTMAP.readonly, ref: 8 + (i & 1), dom: 1 }).machine;
    expect(handle(map(m, DOM0, { flags: GNTMAP.device_map, ref: 8, dom: 1 }))).toBe(256);
    expect(handle(map(m, other, { flags: GNTMAP.device_map, ref: 8, dom: 1 }))).toBe(256);
  });
});

describe('setup_table and query_size', () => {
  const setup = (at: VcpuRef, fields: { dom: number; nr_frames: number; frame_list: number }) =>
    operate(fresh, at, 'grant_table_op', 'setup_table', gnttab.setup_table, fields);

  it('tell the frames and let the table grow', () => {
    const grown = setup(DOM0, { dom: SELF, nr_frames: 3, frame_list: va(0) });
    expect([grown.rc, grown.out.status]).toEqual([0, 0]);
    const { frames } = domainOf(grown.machine, 0).grants;
    expect([0, 1, 2].map((i) => Number(peek64(grown.machine, DOM0, va(0) + 8 * i)))).toEqual(frames);
    expect(frame(grown.machine, frames[2])).toMatchObject({ owner: 0, refs: 1, type: 'writable', typeRefs: 1 });
    const size = operate(grown.machine, DOM0, 'grant_table_op', 'query_size', gnttab.query_size, { dom: SELF });
    expect(size.out).toMatchObject({ nr_frames: 3, max_nr_frames: 64, status: 0 });
    expect(remap(grown.machine, DOM0, va(1), (BigInt(frames[1]) << 12n) | 0x63n).rc).toBe(0);
  });

  it.each([
    ['too many frames', DOM0, { dom: SELF, nr_frames: 65, frame_list: va(0) }, 0xffff],
    ['nobody', DOM0, { dom: 9, nr_frames: 1, frame_list: va(0) }, 0xfffe],
    ['another domain’s', DOM1, { dom: 0, nr_frames: 1, frame_list: va(0) }, 0xfff8],
    ['domain 0 may', DOM0, { dom: 1, nr_frames: 1, frame_list: va(0) }, 0],
    ['a list that cannot be written', DOM0, { dom: SELF, nr_frames: 1, frame_list: 0x1000 }, 0xfffb],
  ])('status: %s', (_, at, fields, status) => expect(setup(at, fields).out.status).toBe(status));

  it('count must be 1', () => expect(call(fresh, DOM0, 'grant_table_op', 2, ARGUMENTS, 2).rc).toBe(-22));
  it('the list must begin outside Xen', () => {
    const bad = operate(fresh, DOM0, 'grant_table_op', 'setup_table', gnttab.setup_table, {
      dom: 9,
      nr_frames: 1,
      frame_list: 0x800000000000,
    });
    expect(bad.rc).toBe(-14);
  });
});

describe('grant_table_op', () => {
  it.each([
    ['a negative count first', 0x1000, ARGUMENTS, 0x80000000, -22],
    ['high bits of the command', 0x1000, ARGUMENTS, 0, -22],
    ['an unknown command', 13, ARGUMENTS, 0, -38],
    ['a command that is gone', 3, ARGUMENTS, 0, -38],
    ['an array in Xen', 0, 0xffff800000000000n, 1, -14],
    ['an element that cannot be read', 0, 0x1000, 1, -14],
    ['nothing to do', 0, 0x1000, 0, 0],
  ])('%s', (_, cmd, uop, count, rc) => expect(call(fresh, DOM0, 'grant_table_op', cmd, uop, count).rc).toBe(rc));
});
