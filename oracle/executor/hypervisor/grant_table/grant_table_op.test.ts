import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTMAP, GNTST, GTF } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { PGT } from '../frame_table.ts';
import { ARGS_AT, ARGUMENTS, L1, L2, PAGES, TwoDomains } from '../testing/two_domains.ts';
import { grant_table_op } from './grant_table_op.ts';

const OP = SUBOPERATIONS.grant_table_op;
const VA = 200 * 4096;

/** Domain 1 fills entry `ref`. */
const grant = (t: TwoDomains, ref: number, page: number, flags: number, domid = 0): void => {
  const at = t.machine.domains[1].grants.frames[0] * 4096 + 8 * ref;
  t.machine.memory.write32(at, flags | (domid << 16));
  t.machine.memory.write32(at + 4, t.mfn(1, page));
};
const entryFlags = (t: TwoDomains, ref: number): number => t.machine.memory.read16(t.machine.domains[1].grants.frames[0] * 4096 + 8 * ref);

type Mapped = { readonly status: number; readonly handle: number };
const mapRef = (t: TwoDomains, ref: number, flags: number, va: number = VA, dom = 1): Mapped => {
  t.put(0, ARGUMENTS, 0, va, 0, flags, ref, dom, 0, 0, 0);
  expect(t.call(0, grant_table_op, OP.map_grant_ref, ARGS_AT, 1)).toBe(0);
  return { status: (t.get(0, ARGUMENTS, 16) << 0) >> 16, handle: t.get(0, ARGUMENTS, 20) };
};
const unmapHandle = (t: TwoDomains, handle: number, va: number = VA, bus = 0): number => {
  t.put(0, ARGUMENTS, 0, va, 0, bus, 0, handle, 0);
  expect(t.call(0, grant_table_op, OP.unmap_grant_ref, ARGS_AT, 1)).toBe(0);
  return (t.get(0, ARGUMENTS, 20) << 16) >> 16;
};
const pte = (t: TwoDomains, slot: number): readonly [number, number] => {
  const at = t.mfn(0, L1) * 4096 + 8 * slot;
  return [t.machine.memory.read32(at) >>> 0, t.machine.memory.read32(at + 4) >>> 0];
};

describe('grant_table_op', () => {
  it('maps and unmaps a page of another domain, with counts, entry bits and the PTE as on Xen', () => {
    const t = new TwoDomains();
    const before = t.counts();
    grant(t, 9, 30, GTF.permit_access);
    const frame = t.mfn(1, 30);
    expect(mapRef(t, 9, GNTMAP.host_map)).toEqual({ status: GNTST.okay, handle: 0 });
    expect(t.get(0, ARGUMENTS, 24)).toBe(frame << 12);
    expect(pte(t, 200)).toEqual([((frame << 12) | 0x67) >>> 0, 0x80100000]);
    expect(entryFlags(t, 9)).toBe(GTF.permit_access | GTF.reading | GTF.writing);
    expect([t.machine.frames.refs[frame], t.machine.frames.typeRefs[frame]]).toEqual([3, 2]);
    const user = GNTMAP.host_map | GNTMAP.readonly | GNTMAP.application_map | (1 << GNTMAP.guest_avail_shift);
    expect(mapRef(t, 9, user, VA + 4096)).toEqual({ status: GNTST.okay, handle: 1 });
    expect(pte(t, 201)).toEqual([((frame << 12) | 0x365) >>> 0, 0x80000000]);
    expect(t.machine.domains[1].grants.observeActive()).toEqual([
      { ref: 9, mfn: frame, domid: 0, host_read: 1, host_write: 1, device_read: 0, device_write: 0 },
    ]);
    expect(t.machine.domains[0].grants.observeMaptrack().map(({ handle, flags }) => [handle, flags])).toEqual([
      [0, 2],
      [1, 14],
    ]);
    expect(unmapHandle(t, 0, VA + 4096)).toBe(GNTST.general_error);
    expect(unmapHandle(t, 0)).toBe(GNTST.okay);
    expect(entryFlags(t, 9)).toBe(GTF.permit_access | GTF.reading);
    expect(unmapHandle(t, 0)).toBe(GNTST.bad_handle);
    expect(unmapHandle(t, 1, VA + 4096)).toBe(GNTST.okay);
    expect(entryFlags(t, 9)).toBe(GTF.permit_access);
    expect(pte(t, 200)).toEqual([0, 0]);
    expect(t.counts()).toEqual(before);
  });

  it('hands handles out in Xen’s order: a fresh frame upwards, then what came back first', () => {
    const t = new TwoDomains();
    grant(t, 9, 30, GTF.permit_access);
    const device = GNTMAP.device_map | GNTMAP.readonly;
    const take = (): number => mapRef(t, 9, device).handle;
    expect([take(), take(), take()]).toEqual([0, 1, 2]);
    expect(unmapHandle(t, 1, 0, t.mfn(1, 30) << 12)).toBe(GNTST.okay);
    // A failed map takes the head and returns it to the tail, behind handle 1.
    expect(mapRef(t, 10, device).status).toBe(GNTST.general_error);
    expect(take()).toBe(4);
  });

  it('finds fault in Xen’s order', () => {
    const t = new TwoDomains();
    const before = t.counts();
    grant(t, 9, 30, GTF.permit_access | GTF.readonly);
    grant(t, 10, 30, GTF.permit_access, 5);
    grant(t, 11, L2, GTF.permit_access);
    grant(t, 12, 30, GTF.permit_access | GTF.sub_page);
    grant(t, 13, -0x500, GTF.permit_access);
    const host = GNTMAP.host_map;
    expect(mapRef(t, 9, 0, VA, 77).status).toBe(GNTST.bad_gntref);
    expect(mapRef(t, 9, host, VA, 77).status).toBe(GNTST.bad_domain);
    expect(mapRef(t, 9, host, VA, DOMID.SELF).status).toBe(GNTST.bad_domain);
    expect(mapRef(t, 512, host).status).toBe(GNTST.bad_gntref);
    expect(mapRef(t, 9, host).status).toBe(GNTST.general_error);
    expect(mapRef(t, 10, host).status).toBe(GNTST.general_error);
    expect(mapRef(t, 12, host).status).toBe(GNTST.general_error);
    expect(mapRef(t, 13, host).status).toBe(GNTST.bad_page);
    expect(mapRef(t, 11, host).status).toBe(GNTST.general_error);
    expect(entryFlags(t, 11)).toBe(GTF.permit_access);
    expect(mapRef(t, 9, host | GNTMAP.readonly, (PAGES + 9000) * 4096).status).toBe(GNTST.general_error);
    expect(entryFlags(t, 9)).toBe(GTF.permit_access | GTF.readonly);
    expect(unmapHandle(t, 5000)).toBe(GNTST.bad_handle);
    expect(t.counts()).toEqual(before);
  });

  it('takes a page table entry by its machine address, and a device mapping by its bus address', () => {
    const t = new TwoDomains();
    grant(t, 9, 30, GTF.permit_access);
    const before = t.counts();
    const at = t.mfn(0, L1) * 4096 + 8 * 200;
    const flags = GNTMAP.host_map | GNTMAP.device_map | GNTMAP.contains_pte;
    expect(mapRef(t, 9, flags, at + 4).status).toBe(GNTST.general_error);
    expect(mapRef(t, 9, flags, t.mfn(0, 30) * 4096).status).toBe(GNTST.general_error);
    expect(t.counts()).toEqual(before);
    const { status, handle } = mapRef(t, 9, flags, at);
    expect(status).toBe(GNTST.okay);
    expect([t.machine.frames.refs[t.mfn(1, 30)], t.machine.frames.typeRefs[t.mfn(1, 30)]]).toEqual([4, 3]);
    expect(unmapHandle(t, handle, at, 0x1000)).toBe(GNTST.bad_dev_addr);
    expect(unmapHandle(t, handle, 0, t.mfn(1, 30) << 12)).toBe(GNTST.okay);
    expect(unmapHandle(t, handle, at, 0)).toBe(GNTST.okay);
    expect(t.counts()).toEqual(before);
  });

  it('grows the table and tells its size', () => {
    const t = new TwoDomains();
    const list = ARGS_AT + 512;
    t.put(0, ARGUMENTS, 0, DOMID.SELF, 3, 0, 0, list, 0);
    expect(t.call(0, grant_table_op, OP.setup_table, ARGS_AT, 1)).toBe(0);
    const { frames } = t.machine.domains[0].grants;
    expect(frames.length).toBe(3);
    expect([0, 1, 2].map((i) => t.get(0, ARGUMENTS, 512 + 8 * i))).toEqual(frames);
    expect(t.machine.frames.observe(frames[2])).toMatchObject({ owner: 0, refs: 1, type: 'writable', type_refs: 1 });
    expect(t.machine.frames.type[frames[2]]).toBe(PGT.writable);
    const status = (): number => (t.get(0, ARGUMENTS, 8) << 16) >> 16;
    t.put(0, ARGUMENTS, 0, DOMID.SELF, 65, 0, 0, list, 0);
    expect(t.call(0, grant_table_op, OP.setup_table, ARGS_AT, 1)).toBe(0);
    expect(status()).toBe(GNTST.general_error);
    t.put(0, ARGUMENTS, 0, 9, 65, 0, 0, list, 0);
    expect(t.call(0, grant_table_op, OP.setup_table, ARGS_AT, 1)).toBe(0);
    expect(status()).toBe(GNTST.bad_domain);
    t.put(0, ARGUMENTS, 0, DOMID.SELF, 1, 0, 0, list, 0xffff8000 | 0);
    expect(t.call(0, grant_table_op, OP.setup_table, ARGS_AT, 1)).toBe(-ERRNO.EFAULT);
    t.put(0, ARGUMENTS, 0, DOMID.SELF, 0, 0, 0);
    expect(t.call(0, grant_table_op, OP.query_size, ARGS_AT, 1)).toBe(0);
    expect([t.get(0, ARGUMENTS, 4), t.get(0, ARGUMENTS, 8)]).toEqual([3, 64]);
    t.put(1, ARGUMENTS, 0, 0, 0, 0, 0);
    expect(t.call(1, grant_table_op, OP.query_size, ARGS_AT, 1)).toBe(0);
    expect((t.get(1, ARGUMENTS, 12) << 16) >> 16).toBe(GNTST.permission_denied);
  });

  it('refuses what it does not know', () => {
    const t = new TwoDomains();
    expect(t.call(0, grant_table_op, OP.query_size, ARGS_AT, 2)).toBe(-ERRNO.EINVAL);
    expect(t.call(0, grant_table_op, OP.map_grant_ref, ARGS_AT, -1)).toBe(-ERRNO.EINVAL);
    expect(t.call(0, grant_table_op, 0x1000, ARGS_AT, 1)).toBe(-ERRNO.EINVAL);
    expect(t.call(0, grant_table_op, OP.dump_table, ARGS_AT, 1)).toBe(-ERRNO.ENOSYS);
    expect(t.call(0, grant_table_op, 99, ARGS_AT, 1)).toBe(-ERRNO.ENOSYS);
    expect(t.call(0, grant_table_op, OP.map_grant_ref, 0x7000_0000, 1)).toBe(-ERRNO.EFAULT);
  });

  it('conserves counts over any sequence of maps and unmaps', () => {
    const step = fc.record({
      unmap: fc.boolean(),
      ref: fc.integer({ min: 8, max: 12 }),
      flags: fc.integer({ min: 0, max: 15 }),
      slot: fc.integer({ min: 200, max: 206 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const t = new TwoDomains();
        const before = t.counts();
        for (let ref = 8; ref <= 12; ref++) grant(t, ref, ref + 20, GTF.permit_access | (ref % 2 === 0 ? GTF.readonly : 0));
        const held = new Map<number, { handle: number; flags: number; frame: number }>();
        const drop = (slot: number): void => {
          const mapped = held.get(slot);
          if (!mapped) return;
          const bus = (mapped.flags & GNTMAP.device_map) !== 0 ? mapped.frame << 12 : 0;
          expect(unmapHandle(t, mapped.handle, slot * 4096, bus)).toBe(GNTST.okay);
          held.delete(slot);
        };
        for (const { unmap, ref, flags, slot } of steps) {
          drop(slot);
          if (unmap) continue;
          const { status, handle } = mapRef(t, ref, flags, slot * 4096);
          if (status === GNTST.okay) held.set(slot, { handle, flags, frame: t.mfn(1, ref + 20) });
        }
        for (const slot of [...held.keys()]) drop(slot);
        expect(t.counts()).toEqual(before);
        expect(t.machine.domains[1].grants.active.size).toBe(0);
        for (let ref = 8; ref <= 12; ref++) expect(entryFlags(t, ref) & (GTF.reading | GTF.writing)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
