import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTCOPY, GNTST, GTF, gnttab } from '#spec/abi/grant_table.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { PGT } from '../frame_table.ts';
import type { Handler } from '../hypercall/dispatch.ts';
import { ARGS_AT, ARGUMENTS, L1, TwoDomains } from '../testing/two_domains.ts';
import { copyBatch } from './copy.ts';

/** As the hypercall calls it. */
const handler: Handler = (machine, vcpu, args) => copyBatch(machine, vcpu, args[2], args[3], args[4]);
const { size, fields } = gnttab.copy;

/** Domain `owner` fills entry `ref`. */
const grant = (t: TwoDomains, owner: number, ref: number, mfn: number, flags: number, domid: number): void => {
  const at = t.machine.domains[owner].grants.frames[0] * 4096 + 8 * ref;
  t.machine.memory.write32(at, flags | (domid << 16));
  t.machine.memory.write32(at + 4, mfn);
};
const entryFlags = (t: TwoDomains, owner: number, ref: number): number =>
  t.machine.memory.read16(t.machine.domains[owner].grants.frames[0] * 4096 + 8 * ref);

type End = readonly [name: number, domid: number, offset: number];
/** Element `i` of the array of domain 0. */
const element = (t: TwoDomains, i: number, source: End, dest: End, len: number, flags: number): void => {
  const end = ([name, domid, offset]: End): number[] => [name, 0, domid | (offset << 16), 0];
  t.put(0, ARGUMENTS, i * size, ...end(source), ...end(dest), len | (flags << 16), 0xffff);
};
const copy = (t: TwoDomains, count: number): number[] => {
  expect(t.call(0, handler, 0, ARGS_AT, count)).toBe(0);
  return Array.from({ length: count }, (_, i) => (t.get(0, ARGUMENTS, i * size + fields.status.at) << 16) >> 16);
};
const copyOne = (t: TwoDomains, source: End, dest: End, len: number, flags: number): number => {
  element(t, 0, source, dest, len, flags);
  return copy(t, 1)[0];
};
const SELF = DOMID.SELF;

describe('GNTTABOP_copy', () => {
  it('moves bytes between a page of the caller and a granted one, and leaves no use behind', () => {
    const t = new TwoDomains();
    const before = t.counts();
    grant(t, 1, 9, t.mfn(1, 30), GTF.permit_access, 0);
    t.put(1, 30, 8, 0x11223344, 0x55667788);
    expect(copyOne(t, [9, 1, 9], [t.mfn(0, 20), SELF, 17], 6, GNTCOPY.source_gref)).toBe(GNTST.okay);
    expect([t.get(0, 20, 16), t.get(0, 20, 20)]).toEqual([0x11223300, 0x667788]);
    expect(copyOne(t, [t.mfn(0, 20), SELF, 16], [9, 1, 100], 8, GNTCOPY.dest_gref)).toBe(GNTST.okay);
    expect(t.get(1, 30, 100)).toBe(0x11223300);
    expect(entryFlags(t, 1, 9)).toBe(GTF.permit_access);
    expect(t.counts()).toEqual(before);
    expect(t.machine.domains[1].grants.active.size).toBe(0);
  });

  it('finds fault in Xen’s order', () => {
    const t = new TwoDomains();
    const own = t.mfn(0, 20);
    grant(t, 1, 9, t.mfn(1, 30), GTF.permit_access | GTF.readonly, 0);
    grant(t, 1, 10, 0x7f0000, GTF.permit_access, 0);
    grant(t, 1, 11, t.mfn(1, L1), GTF.permit_access, 0);
    const at: End = [own, SELF, 0];
    expect(copyOne(t, [own, 0, 0], at, 4, 0)).toBe(GNTST.permission_denied);
    expect(copyOne(t, [9, 77, 0], at, 4, GNTCOPY.source_gref)).toBe(GNTST.bad_domain);
    expect(copyOne(t, [512, 1, 0], at, 4, GNTCOPY.source_gref)).toBe(GNTST.bad_gntref);
    expect(copyOne(t, [12, 1, 0], at, 4, GNTCOPY.source_gref)).toBe(GNTST.general_error);
    expect(copyOne(t, [10, 1, 0], at, 4, GNTCOPY.source_gref)).toBe(GNTST.bad_page);
    expect(copyOne(t, at, [9, 1, 0], 4, GNTCOPY.dest_gref)).toBe(GNTST.general_error);
    expect(copyOne(t, at, [11, 1, 0], 4, GNTCOPY.dest_gref)).toBe(GNTST.general_error);
    expect(copyOne(t, [11, 1, 0], at, 4, GNTCOPY.source_gref)).toBe(GNTST.okay);
    expect(copyOne(t, [0x700, SELF, 0], at, 4, 0)).toBe(GNTST.bad_page);
    expect(copyOne(t, [own, SELF, 4093], at, 4, 0)).toBe(GNTST.bad_copy_arg);
    expect(copyOne(t, [own, SELF, 4092], [own, SELF, 8], 4, 0)).toBe(GNTST.okay);
    for (const ref of [9, 10, 11]) expect(entryFlags(t, 1, ref) & (GTF.reading | GTF.writing)).toBe(0);
    expect(t.call(0, handler, 0, 0x7000_0000, 1)).toBe(-ERRNO.EFAULT);
  });

  it('copies eight bytes at a time upwards where the places overlap', () => {
    const t = new TwoDomains();
    const own = t.mfn(0, 20);
    t.put(0, 20, 0, 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
    expect(copyOne(t, [own, SELF, 0], [own, SELF, 4], 13, 0)).toBe(GNTST.okay);
    expect([4, 8, 12, 16].map((at) => t.get(0, 20, at))).toEqual([0x03020100, 0x07060504, 0x07060504, 4]);
  });

  it('keeps a page from one element to the next while it is named alike', () => {
    const t = new TwoDomains();
    const table = t.machine.domains[0].grants.frames[0];
    grant(t, 0, 9, t.mfn(0, 30), GTF.permit_access, 0);
    t.put(0, 30, 0, 77);
    // The first element reads through the grant, the second makes the entry void, the third still reads through what is in use.
    const zero: End = [t.mfn(0, 40), SELF, 0];
    element(t, 0, [9, SELF, 0], [t.mfn(0, 20), SELF, 0], 4, GNTCOPY.source_gref);
    element(t, 1, [9, SELF, 8], [table, SELF, 9 * 8 + 4], 4, GNTCOPY.source_gref);
    element(t, 2, [9, SELF, 0], [t.mfn(0, 20), SELF, 4], 4, GNTCOPY.source_gref);
    element(t, 3, zero, [t.mfn(0, 20), SELF, 8], 4, 0);
    element(t, 4, [9, SELF, 0], [t.mfn(0, 20), SELF, 8], 4, GNTCOPY.source_gref);
    expect(copy(t, 5)).toEqual([0, 0, 0, 0, GNTST.bad_page]);
    expect([t.get(0, 20, 0), t.get(0, 20, 4), t.get(0, 20, 8)]).toEqual([77, 77, 0]);
    expect(t.machine.frames.type[t.mfn(0, 20)]).toBe(PGT.writable);
  });
});
