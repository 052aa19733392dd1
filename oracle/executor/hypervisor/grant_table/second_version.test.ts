import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { GNTCOPY, GNTMAP, GNTST, GNTTAB_CACHE, GTF, GTF_TRANSFER } from '#spec/abi/grant_table.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { ARGS_AT, ARGUMENTS, L1, TwoDomains } from '../testing/two_domains.ts';
import { grant_table_op } from './grant_table_op.ts';

const OP = SUBOPERATIONS.grant_table_op;
const VA = 200 * 4096;

const s16 = (value: number): number => (value << 16) >> 16;
const call = (t: TwoDomains, domid: number, op: number, words: readonly number[], count = 1): number => {
  t.put(domid, ARGUMENTS, 0, ...words);
  return t.call(domid, grant_table_op, op, ARGS_AT, count);
};
const entryAt = (t: TwoDomains, owner: number, ref: number): number => {
  const { frames, version } = t.machine.domains[owner].grants;
  return frames[0] * 4096 + (version === 1 ? 8 : 16) * ref;
};
/** Domain `owner` fills an entry with 32-bit words. */
const fill = (t: TwoDomains, owner: number, ref: number, ...words: readonly number[]): void => {
  for (const [i, word] of words.entries()) t.machine.memory.write32(entryAt(t, owner, ref) + 4 * i, word);
};
const words = (t: TwoDomains, owner: number, ref: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => t.machine.memory.read32(entryAt(t, owner, ref) + 4 * i) >>> 0);
const marks = (t: TwoDomains, owner: number, ref: number): number =>
  t.machine.memory.read16(t.machine.domains[owner].grants.statusFrames[0] * 4096 + 2 * ref);
const map = (t: TwoDomains, ref: number, flags: number, va = VA): readonly [status: number, handle: number] => {
  expect(call(t, 0, OP.map_grant_ref, [va, 0, flags, ref, 1, 0, 0, 0])).toBe(0);
  return [t.get(0, ARGUMENTS, 16) >> 16, t.get(0, ARGUMENTS, 20)];
};
/** Copy 4 bytes from a grant of domain 1, at `offset`, to page 20. */
const copyFrom = (t: TwoDomains, ref: number, offset: number, flags: number = GNTCOPY.source_gref): number => {
  const own = [t.mfn(0, 20), 0, DOMID.SELF, 0];
  const theirs = [ref, 0, 1 | (offset << 16), 0];
  const ends = flags === GNTCOPY.source_gref ? [...theirs, ...own] : [...own, ...theirs];
  expect(call(t, 0, OP.copy, [...ends, 4 | (flags << 16), 0])).toBe(0);
  return s16(t.get(0, ARGUMENTS, 36));
};

describe('version 2 of grant tables', () => {
  it('keeps the reserved entries and its counts from version to version', () => {
    const t = new TwoDomains();
    const before = t.counts();
    fill(t, 1, 3, GTF.permit_access | GTF.writing | (7 << 16), 0x1234);
    fill(t, 1, 9, GTF.permit_access, 0x1234);
    expect(call(t, 1, OP.set_version, [2])).toBe(0);
    expect(words(t, 1, 3, 4)).toEqual([GTF.permit_access | (7 << 16), 0, 0x1234, 0]);
    expect([marks(t, 1, 3), ...words(t, 1, 9, 4)]).toEqual([GTF.writing, 0, 0, 0, 0]);
    expect(call(t, 1, OP.get_status_frames, [1, DOMID.SELF, 0x1000, 0])).toBe(0);
    fill(t, 1, 4, GTF.transitive, 0, 0, 0);
    expect(call(t, 1, OP.set_version, [1])).toBe(-ERRNO.ERANGE);
    expect(t.get(1, ARGUMENTS, 0)).toBe(2);
    fill(t, 1, 4, GTF.accept_transfer, 0, 5, 0);
    expect(call(t, 1, OP.set_version, [1])).toBe(0);
    expect([...words(t, 1, 3, 2), ...words(t, 1, 4, 2)]).toEqual([GTF.permit_access | GTF.writing | (7 << 16), 0x1234, 0, 0]);
    expect(t.counts()).toEqual(before);
  });

  it('does not change while an entry or a status frame is in use', () => {
    const t = new TwoDomains();
    expect(call(t, 1, OP.set_version, [2])).toBe(0);
    fill(t, 1, 9, GTF.permit_access, 0, t.mfn(1, 30), 0);
    const [status, handle] = map(t, 9, GNTMAP.device_map | GNTMAP.readonly);
    expect([status, marks(t, 1, 9), words(t, 1, 9, 1)[0]]).toEqual([GNTST.okay, GTF.reading, GTF.permit_access]);
    expect(call(t, 1, OP.set_version, [1])).toBe(-ERRNO.EBUSY);
    expect(call(t, 0, OP.unmap_grant_ref, [0, 0, t.mfn(1, 30) << 12, 0, handle, 0])).toBe(0);
    expect(marks(t, 1, 9)).toBe(0);
    const [frame] = t.machine.domains[1].grants.statusFrames;
    t.machine.frames.refs[frame]++;
    expect(call(t, 1, OP.set_version, [1])).toBe(-ERRNO.EBUSY);
    expect(t.machine.frames.refs[frame]).toBe(2);
    t.machine.frames.refs[frame]--;
    expect(call(t, 1, OP.set_version, [1])).toBe(0);
  });

  it('grants parts of pages to copies alone', () => {
    const t = new TwoDomains();
    expect(call(t, 1, OP.set_version, [2])).toBe(0);
    fill(t, 1, 9, GTF.permit_access | GTF.sub_page, 100 | (8 << 16), t.mfn(1, 30), 0);
    t.put(1, 30, 104, 0xabcd);
    expect(map(t, 9, GNTMAP.host_map)[0]).toBe(GNTST.general_error);
    expect([98, 104, 105].map((offset) => copyFrom(t, 9, offset))).toEqual([GNTST.general_error, GNTST.okay, GNTST.general_error]);
    expect(t.get(0, 20, 0)).toBe(0xabcd);
    expect(marks(t, 1, 9)).toBe(0);
  });

  it('passes a grant on by one step', () => {
    const t = new TwoDomains();
    const before = t.counts();
    for (const domid of [0, 1]) expect(call(t, domid, OP.set_version, [2])).toBe(0);
    // Domain 0 lets domain 1 use its page 40; domain 1 passes that back to domain 0.
    fill(t, 0, 10, GTF.permit_access | (1 << 16), 0, t.mfn(0, 40), 0);
    fill(t, 1, 9, GTF.transitive, 0, 10, 0);
    t.put(0, 40, 0, 0x77);
    expect(copyFrom(t, 9, 0)).toBe(GNTST.okay);
    expect(t.get(0, 20, 0)).toBe(0x77);
    fill(t, 0, 10, GTF.transitive | (1 << 16), 1, 9, 0);
    expect(copyFrom(t, 9, 0)).toBe(GNTST.general_error);
    fill(t, 1, 9, GTF.transitive, 1, 10, 0);
    expect(copyFrom(t, 9, 0)).toBe(GNTST.general_error);
    expect([marks(t, 0, 10), marks(t, 1, 9)]).toEqual([0, 0]);
    for (const domid of [0, 1]) {
      fill(t, domid, 10, 0);
      expect(call(t, domid, OP.set_version, [1])).toBe(0);
    }
    expect(t.counts()).toEqual(before);
  });
});

describe('what else moves grants', () => {
  it('swaps entries that nobody uses', () => {
    const t = new TwoDomains();
    fill(t, 1, 9, 0x10009, 9);
    fill(t, 1, 10, 0x1000a, 10);
    expect(call(t, 1, OP.swap_grant_ref, [9, 10, 0])).toBe(0);
    expect([...words(t, 1, 9, 2), ...words(t, 1, 10, 2)]).toEqual([0x1000a, 10, 0x10009, 9]);
    fill(t, 1, 9, GTF.permit_access, t.mfn(1, 30));
    expect(map(t, 9, GNTMAP.device_map)[0]).toBe(GNTST.okay);
    for (const [a, b, status] of [
      [10, 9, GNTST.eagain],
      [9, 9, GNTST.okay],
      [9, 512, GNTST.bad_gntref],
    ]) {
      expect(call(t, 1, OP.swap_grant_ref, [a, b, 0])).toBe(0);
      expect(s16(t.get(1, ARGUMENTS, 8))).toBe(status);
    }
  });

  it('moves an entry to where a mapping was', () => {
    const t = new TwoDomains();
    const before = t.counts();
    fill(t, 1, 9, GTF.permit_access, t.mfn(1, 30));
    const [, handle] = map(t, 9, GNTMAP.host_map);
    const slot = (i: number): number => t.get(0, L1, 8 * i) >>> 12;
    const own = slot(100);
    const replace = (host: number, from: number): number => {
      expect(call(t, 0, OP.unmap_and_replace, [host, 0, from, 0, handle, 0])).toBe(0);
      return s16(t.get(0, ARGUMENTS, 20));
    };
    expect(replace(VA + 4096, 100 * 4096)).toBe(GNTST.general_error);
    // What was to move is lost.
    expect([slot(100), t.machine.frames.refs[own]]).toEqual([0, 1]);
    expect(replace(VA, 101 * 4096)).toBe(GNTST.okay);
    expect([slot(101), slot(200)]).toEqual([0, t.mfn(0, 101)]);
    expect(replace(VA, 101 * 4096)).toBe(GNTST.bad_handle);
    expect(t.counts().filter((row, mfn) => row !== before[mfn])).toHaveLength(1);
  });

  it('hands a page over to who waits for one', () => {
    const t = new TwoDomains();
    t.machine.domains[1].maxPages++;
    const mfn = t.mfn(0, 50);
    t.put(0, L1, 8 * 50, 0, 0);
    t.machine.frames.refs[mfn] = 1;
    t.machine.frames.typeRefs[mfn] = 0;
    fill(t, 1, 9, GTF.accept_transfer, 123);
    const give = (frame: number, ref: number): number => {
      expect(call(t, 0, OP.transfer, [frame, 0, 1, ref, 0, 0])).toBe(0);
      return s16(t.get(0, ARGUMENTS, 16));
    };
    expect(give(t.mfn(0, 51), 9)).toBe(GNTST.bad_page);
    expect(give(mfn, 9)).toBe(GNTST.okay);
    expect(words(t, 1, 9, 2)).toEqual([GTF.accept_transfer | GTF_TRANSFER.committed | GTF_TRANSFER.completed, mfn]);
    expect([t.machine.frames.owner[mfn], t.machine.domains[0].pages, t.machine.domains[1].pages]).toEqual([1, 127, 129]);
    expect(give(mfn, 9)).toBe(GNTST.bad_page);
  });

  it('flushes caches of pages that the caller has or uses', () => {
    const t = new TwoDomains();
    const flush = (mfn: number, op: number, length = 64, offset = 0): number =>
      call(t, 0, OP.cache_flush, [mfn << 12, mfn >>> 20, offset | (length << 16), op]);
    expect(flush(t.mfn(0, 30), GNTTAB_CACHE.clean)).toBe(0);
    expect(flush(t.mfn(0, 30), GNTTAB_CACHE.inval)).toBe(-ERRNO.EOPNOTSUPP);
    expect(flush(t.mfn(0, 30), GNTTAB_CACHE.clean, 4096, 1)).toBe(-ERRNO.EINVAL);
    expect(flush(t.mfn(1, 30), GNTTAB_CACHE.clean)).toBe(-ERRNO.EINVAL);
    fill(t, 1, 9, GTF.permit_access, t.mfn(1, 30));
    expect(map(t, 9, GNTMAP.device_map)[0]).toBe(GNTST.okay);
    expect(flush(t.mfn(1, 30), GNTTAB_CACHE.clean | GNTTAB_CACHE.inval)).toBe(0);
    expect(flush(0x700, GNTTAB_CACHE.clean)).toBe(-ERRNO.EPERM);
    expect(flush(0x7000, 0)).toBe(0);
  });
});
