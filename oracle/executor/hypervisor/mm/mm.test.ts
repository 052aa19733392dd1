import { describe, expect, it } from 'vitest';
import { ERRNO } from '#spec/abi/errno.ts';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { PGF, PGT } from '../frame_table.ts';
import { CALL_STATE } from '../hypercall/continuation.ts';
import { ARGS_AT, ARGUMENTS, L1, L2, L3, L4, PAGES, TwoDomains } from '../testing/two_domains.ts';
import { infoAddress } from '../vcpu_info.ts';
import { mmu_update } from './mmu_update.ts';
import { mmuext_op } from './mmuext_op.ts';
import { ptwrTable, ptwrWrite } from './ptwr.ts';
import { update_va_mapping } from './update_va_mapping.ts';

const OP = SUBOPERATIONS.mmuext_op;
const FREE_VA = 200 * 4096;

const ext = (t: TwoDomains, domid: number, cmd: number, arg1 = 0, arg2 = 0, foreign: number = DOMID.SELF): number => {
  t.put(domid, ARGUMENTS, 0, cmd, 0, arg1, 0, arg2, 0);
  return t.call(domid, mmuext_op, ARGS_AT, 1, 0, foreign);
};
const update = (t: TwoDomains, domid: number, at: number, cmd: number, lo: number, hi = 0, foreign: number = DOMID.SELF): number => {
  t.put(domid, ARGUMENTS, 0, at | cmd, 0, lo, hi);
  return t.call(domid, mmu_update, ARGS_AT, 1, 0, foreign);
};
const entryAt = (t: TwoDomains, domid: number, table: number, slot: number): number => t.mfn(domid, table) * 4096 + 8 * slot;
const pte = (t: TwoDomains, at: number): readonly [number, number] => [
  t.machine.memory.read32(at) >>> 0,
  t.machine.memory.read32(at + 4) >>> 0,
];
const refs = (t: TwoDomains, mfn: number): readonly [number, number, number] => [
  t.machine.frames.refs[mfn],
  t.machine.frames.type[mfn],
  t.machine.frames.typeRefs[mfn],
];
/** Map a page at the free address with flags; answers the call's result. */
const map = (t: TwoDomains, mfn: number, flags: number): number => {
  const args = Int32Array.of(FREE_VA, 0, (mfn << 12) | flags, 0, 0, 0, 0, 0);
  return update_va_mapping(t.machine, t.vcpu(0), args);
};
/** Make free pages of domain 0 unmapped, so that they may become tables. */
const unmap = (t: TwoDomains, ...pages: readonly number[]): void => {
  for (const page of pages) expect(update(t, 0, entryAt(t, 0, L1, page), 0, 0)).toBe(0);
};

describe('page types', () => {
  it('counts what the first tables hold', () => {
    const t = new TwoDomains();
    expect(refs(t, t.mfn(0, 20))).toEqual([2, PGT.writable, 1]);
    expect(refs(t, t.mfn(0, L1))).toEqual([3, PGT.l1, 1]);
    expect(refs(t, t.mfn(0, L2))).toEqual([3, PGT.l2, 1]);
    expect(refs(t, t.mfn(0, L3))).toEqual([3, PGT.l3, 1]);
    expect(refs(t, t.mfn(0, L4))).toEqual([4, PGT.l4, 2]);
    expect(pte(t, entryAt(t, 0, L4, 256))).toEqual([(0x400 << 12) | 0x25, 0x80000000]);
  });

  it('refuses a writable mapping of a table, and a table that is mapped writable', () => {
    const t = new TwoDomains();
    const before = t.counts();
    expect(map(t, t.mfn(0, L2), 7)).toBe(-ERRNO.EBUSY);
    expect(ext(t, 0, OP.pin_l1_table, t.mfn(0, 20))).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.pin_l3_table, t.mfn(0, L2))).toBe(-ERRNO.EINVAL);
    expect(map(t, t.mfn(1, 20), 5)).toBe(-ERRNO.EBUSY);
    expect(map(t, 0x480, 5)).toBe(-ERRNO.EBUSY);
    expect(t.counts()).toEqual(before);
  });

  it('gives back what a failed or undone operation took', () => {
    const t = new TwoDomains();
    unmap(t, 40, 41, 42);
    const before = t.counts();
    const [l1, l2, data] = [40, 41, 42].map((page) => t.mfn(0, page));
    t.put(0, 50, 0);
    for (const [at, value] of [
      [l1 * 4096, (data << 12) | 3],
      [l1 * 4096 + 8, (t.mfn(0, 60) << 12) | 1],
      [l2 * 4096 + 16, (l1 << 12) | 1],
    ]) {
      t.machine.memory.write32(at, value);
    }
    expect(ext(t, 0, OP.pin_l2_table, l2)).toBe(0);
    expect(pte(t, l1 * 4096)).toEqual([((data << 12) | 7) >>> 0, 0x100000]);
    expect(refs(t, l1)).toEqual([2, PGT.l1, 1]);
    expect(refs(t, data)).toEqual([2, PGT.writable, 1]);
    expect(ext(t, 0, OP.unpin_table, l2)).toBe(0);
    expect(t.counts()).toEqual(before);
    expect(ext(t, 0, OP.unpin_table, l2)).toBe(-ERRNO.EINVAL);
    // A bad entry beyond the first slot: the work done before is dropped by the call made again.
    t.machine.memory.write32(l2 * 4096 + 64, (t.mfn(1, 3) << 12) | 1);
    expect(ext(t, 0, OP.pin_l2_table, l2)).toBe(-ERRNO.EINVAL);
    expect(t.counts()).toEqual(before);
  });

  it('leaves a half-checked table to the continuation, as Xen does', () => {
    const t = new TwoDomains();
    unmap(t, 40, 41);
    const [l1, l2] = [40, 41].map((page) => t.mfn(0, page));
    t.machine.memory.write32(l2 * 4096 + 16, (l1 << 12) | 1);
    t.machine.memory.write32(l2 * 4096 + 64, (t.mfn(1, 3) << 12) | 1);
    t.put(0, ARGUMENTS, 0, OP.pin_l2_table, 0, l2, 0, 0, 0);
    CALL_STATE.preempted = false;
    mmuext_op(t.machine, t.vcpu(0), Int32Array.of(ARGS_AT, 0, 1, 0, 0, 0, DOMID.SELF, 0, 0, 0, 0, 0));
    expect(CALL_STATE.preempted).toBe(true);
    expect([...CALL_STATE.continuation.subarray(0, 8)]).toEqual([0, 0, 0x80000000 | 0, 0, 0, 0, -ERRNO.EINVAL, 0]);
    expect(refs(t, l2)).toEqual([3, PGT.l2, 1]);
    expect(refs(t, l1)).toEqual([2, PGT.l1, 1]);
    expect(t.call(0, mmuext_op, 0, 0x80000000 | 0, 0, -ERRNO.EINVAL)).toBe(-ERRNO.EINVAL);
    expect(refs(t, l2)).toEqual([1, PGT.l2, 0]);
    expect(refs(t, l1)).toEqual([1, PGT.l1, 0]);
  });

  it('drops the old table of a changed L2 entry by a continuation', () => {
    const t = new TwoDomains();
    unmap(t, 40);
    const l1 = t.mfn(0, 40);
    const slot = entryAt(t, 0, L2, 1);
    expect(update(t, 0, slot, 0, (l1 << 12) | 0x63)).toBe(0);
    expect(pte(t, slot)[0]).toBe(((l1 << 12) | 0x67) >>> 0);
    expect(refs(t, l1)).toEqual([2, PGT.l1, 1]);
    expect(update(t, 0, slot, 0, 0)).toBe(0);
    expect(refs(t, l1)).toEqual([1, PGT.l1, 0]);
    expect(update(t, 0, slot, 0, (l1 << 12) | 0x163)).toBe(-ERRNO.EINVAL);
    expect(update(t, 0, entryAt(t, 0, L4, 256), 0, 0)).toBe(-ERRNO.EINVAL);
  });

  it('allows linear page tables read-only, one way', () => {
    const t = new TwoDomains();
    const l4 = t.mfn(0, L4);
    const before = t.counts();
    expect(update(t, 0, entryAt(t, 0, L4, 300), 0, (l4 << 12) | 3)).toBe(-ERRNO.EINVAL);
    expect(update(t, 0, entryAt(t, 0, L4, 300), 0, (l4 << 12) | 1)).toBe(0);
    expect(t.counts()).toEqual(before);
    unmap(t, 40);
    const other = t.mfn(0, 40);
    t.machine.memory.write32(other * 4096 + 8 * 300, (l4 << 12) | 1);
    expect(ext(t, 0, OP.pin_l4_table, other)).toBe(0);
    expect(refs(t, l4)).toEqual([5, PGT.l4, 3]);
    expect(update(t, 0, entryAt(t, 0, L4, 301), 0, (other << 12) | 1)).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.unpin_table, other)).toBe(0);
    expect(refs(t, l4)).toEqual([4, PGT.l4, 2]);
  });

  it('pins once', () => {
    const t = new TwoDomains();
    const before = t.counts();
    expect(ext(t, 0, OP.pin_l4_table, t.mfn(0, L4))).toBe(-ERRNO.EINVAL);
    expect(t.counts()).toEqual(before);
  });
});

describe('entries', () => {
  it('adjusts flags as measured on Xen', () => {
    const t = new TwoDomains();
    const page = t.mfn(0, 20);
    const at = entryAt(t, 0, L1, 200);
    expect(map(t, page, 0x63)).toBe(0);
    expect(pte(t, at)).toEqual([((page << 12) | 0x67) >>> 0, 0x100000]);
    expect(map(t, page, 0x67)).toBe(0);
    expect(pte(t, at)).toEqual([((page << 12) | 0x167) >>> 0, 0]);
    expect(refs(t, page)).toEqual([3, PGT.writable, 2]);
    expect(update(t, 0, at, 2, 0)).toBe(0);
    expect(pte(t, at)).toEqual([0x60, 0]);
    expect(refs(t, page)).toEqual([2, PGT.writable, 1]);
  });

  it('keeps device memory uncached and from unprivileged domains', () => {
    const t = new TwoDomains();
    const at = entryAt(t, 0, L1, 200);
    expect(map(t, 0xb8, 7)).toBe(0);
    expect(pte(t, at)).toEqual([0xb8000 | 0x11f, 0]);
    expect(map(t, 0xfee00, 7)).toBe(-ERRNO.EPERM);
    expect(map(t, 0xfed00, 7)).toBe(0);
    expect(pte(t, at)).toEqual([0xfed00000 + 0x11d, 0]);
    expect(update(t, 0, at, 0, -0x1000 | 1, 0xfffff)).toBe(-ERRNO.EINVAL);
    expect(map(t, 0, 0xd)).toBe(0);
    expect(pte(t, at)).toEqual([0x11d, 0]);
    expect(map(t, 0, 0)).toBe(0);
    const theirs = entryAt(t, 1, L1, 200);
    expect(update(t, 1, theirs, 0, 0xb8000 | 5)).toBe(-ERRNO.EPERM);
    expect(update(t, 1, theirs, 0, (t.mfn(1, 20) << 12) | 0x15)).toBe(-ERRNO.EINVAL);
    expect(update(t, 0, at, 0, (t.mfn(0, 20) << 12) | 0x15)).toBe(0);
    expect(update(t, 0, at, 0, (t.machine.domains[0].sharedInfoMfn << 12) | 0x15)).toBe(-ERRNO.EACCES);
  });

  it('lets the control domain map the pages of others and Xen’s table', () => {
    const t = new TwoDomains();
    const at = entryAt(t, 0, L1, 200);
    const theirs = t.mfn(1, 20);
    expect(update(t, 0, at, 0, (theirs << 12) | 7, 0, 1)).toBe(0);
    expect(refs(t, theirs)).toEqual([3, PGT.writable, 2]);
    expect(update(t, 0, at, 0, (0x200 << 12) | 5, 0, DOMID.XEN)).toBe(0);
    expect(refs(t, theirs)).toEqual([2, PGT.writable, 1]);
    expect(update(t, 0, at, 0, (0x200 << 12) | 7, 0, DOMID.XEN)).toBe(-ERRNO.EBUSY);
    expect(update(t, 0, at, 0, 0, 0, 0)).toBe(-ERRNO.ESRCH);
    expect(update(t, 0, at, 0, 0, 0, 9)).toBe(-ERRNO.ESRCH);
    expect(update(t, 1, entryAt(t, 1, L1, 200), 0, (t.mfn(0, 20) << 12) | 5, 0, 0)).toBe(-ERRNO.EPERM);
    // Tables of another domain: page frame directory in the upper half.
    expect(update(t, 0, entryAt(t, 1, L1, 200), 0, (t.mfn(0, 20) << 12) | 5, 0, (2 << 16) | DOMID.SELF)).toBe(0);
    expect(refs(t, t.mfn(0, 20))).toEqual([3, PGT.writable, 1]);
  });

  it('writes plain pages, the machine-to-physical table, and counts what it did', () => {
    const t = new TwoDomains();
    const plain = t.mfn(0, 30) * 4096;
    expect(update(t, 0, plain, 0, 0x12345678, 0x9abcdef0 | 0)).toBe(0);
    expect(pte(t, plain)).toEqual([0x12345678, 0x9abcdef0]);
    expect(update(t, 0, plain, 1, 77)).toBe(0);
    expect(t.machine.memory.read32(0x200 * 4096 + 8 * t.mfn(0, 30))).toBe(77);
    expect(update(t, 0, plain, 5, 0)).toBe(-ERRNO.ENOSYS);
    expect(update(t, 0, 0x480000, 0, 0)).toBe(-ERRNO.EINVAL);
    t.put(0, ARGUMENTS, 0, plain, 0, 1, 0, plain | 4, 0, 1, 0);
    t.put(0, ARGUMENTS, 256, 99);
    expect(t.call(0, mmu_update, ARGS_AT, 2, ARGS_AT + 256, DOMID.SELF)).toBe(-ERRNO.ENOSYS);
    expect(t.get(0, ARGUMENTS, 256)).toBe(1);
  });

  it('stops between elements while an upcall waits, and goes on where it stopped', () => {
    const t = new TwoDomains();
    const plain = t.mfn(0, 30) * 4096;
    const info = t.machine.domains[0].sharedInfoMfn * 4096;
    t.put(0, ARGUMENTS, 0, plain, 0, 1, 0, plain + 8, 0, 2, 0, plain + 16, 0, 3, 0);
    t.machine.memory.write16(info, 1);
    const args = Int32Array.of(ARGS_AT, 0, 3, 0, ARGS_AT + 256, 0, DOMID.SELF, 0, 0, 0, 0, 0);
    const once = (): number => {
      CALL_STATE.preempted = false;
      const answer = mmu_update(t.machine, t.vcpu(0), args);
      args.set(CALL_STATE.continuation.subarray(0, 2 * CALL_STATE.continuationCount));
      return answer;
    };
    once();
    expect(CALL_STATE.preempted).toBe(true);
    expect([...args.subarray(0, 8)]).toEqual([ARGS_AT + 16, 0, 2 | (0x80000000 | 0), 0, ARGS_AT + 256, 0, DOMID.SELF, 0]);
    expect([pte(t, plain)[0], pte(t, plain + 8)[0], t.get(0, ARGUMENTS, 256)]).toEqual([1, 0, 1]);
    t.machine.memory.write16(info, 0x101);
    expect(once()).toBe(0);
    expect([pte(t, plain + 8)[0], pte(t, plain + 16)[0], t.get(0, ARGUMENTS, 256)]).toEqual([2, 3, 3]);
  });

  it('carries out stores to read-only mapped L1 tables', () => {
    const t = new TwoDomains();
    const vcpu = t.vcpu(0);
    const table = ptwrTable(t.machine, vcpu, L1 * 4096 + 1600, 0);
    expect(table).toBe(t.mfn(0, L1));
    expect(ptwrTable(t.machine, vcpu, L2 * 4096, 0)).toBe(-1);
    expect(ptwrTable(t.machine, vcpu, 20 * 4096, 0)).toBe(-1);
    const page = t.mfn(0, 20);
    const at = table * 4096 + 1600;
    expect(ptwrWrite(t.machine, vcpu, at, 8, (page << 12) | 3, 0)).toBe(true);
    expect(pte(t, at)).toEqual([((page << 12) | 7) >>> 0, 0x100000]);
    expect(refs(t, page)).toEqual([3, PGT.writable, 2]);
    expect(ptwrWrite(t.machine, vcpu, at, 1, 0, 0)).toBe(true);
    expect(refs(t, page)).toEqual([2, PGT.writable, 1]);
    expect(ptwrWrite(t.machine, vcpu, at, 8, (t.mfn(0, L2) << 12) | 3, 0)).toBe(false);
  });
});

describe('mmuext_op', () => {
  it('switches base pointers and keeps count', () => {
    const t = new TwoDomains();
    unmap(t, 40);
    const [old, fresh] = [t.mfn(0, L4), t.mfn(0, 40)];
    t.machine.memory.writeBytes(fresh * 4096, t.machine.memory.page(old));
    expect(ext(t, 0, OP.new_baseptr, t.mfn(0, 20))).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.new_user_baseptr, fresh)).toBe(0);
    expect(pte(t, entryAt(t, 0, 40, 256))).toEqual([0, 0]);
    expect(ext(t, 0, OP.new_baseptr, fresh)).toBe(0);
    expect(pte(t, entryAt(t, 0, 40, 256))[1]).toBe(0x80000000);
    expect(t.vcpu(0).cpu.root).toBe(fresh);
    expect(refs(t, fresh)).toEqual([3, PGT.l4, 2]);
    expect(refs(t, old)).toEqual([3, PGT.l4, 1]);
    expect(refs(t, t.mfn(0, L3))).toEqual([4, PGT.l3, 2]);
    expect(ext(t, 0, OP.new_user_baseptr, 0)).toBe(0);
    expect(ext(t, 0, OP.unpin_table, old)).toBe(0);
    expect(refs(t, t.mfn(0, L3))).toEqual([3, PGT.l3, 1]);
  });

  it('tells how much is done byte by byte, up to a page that cannot be written', () => {
    const t = new TwoDomains();
    const last = PAGES - 1;
    t.put(0, last, 4092, 0x55555555);
    t.put(0, ARGUMENTS, 0, OP.tlb_flush_local, 0, 0, 0, 0, 0);
    expect(t.call(0, mmuext_op, ARGS_AT, 1, last * 4096 + 4094, DOMID.SELF)).toBe(0);
    expect(t.get(0, last, 4092)).toBe(0x00015555);
  });

  it('clears and copies pages that are no tables', () => {
    const t = new TwoDomains();
    t.put(0, 20, 8, 0x1234);
    expect(ext(t, 0, OP.copy_page, t.mfn(0, 21), t.mfn(0, 20))).toBe(0);
    expect(t.get(0, 21, 8)).toBe(0x1234);
    expect(ext(t, 0, OP.clear_page, t.mfn(0, 20))).toBe(0);
    expect(t.get(0, 20, 8)).toBe(0);
    expect(ext(t, 0, OP.clear_page, t.mfn(0, L1))).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.copy_page, t.mfn(0, 21), t.mfn(1, 20))).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.copy_page, t.mfn(0, 21), t.mfn(0, L1))).toBe(0);
  });

  it('answers by permission and argument', () => {
    const t = new TwoDomains();
    expect(ext(t, 0, OP.tlb_flush_all)).toBe(0);
    expect(ext(t, 0, OP.tlb_flush_all, 0, 0, 1)).toBe(-ERRNO.EPERM);
    expect(ext(t, 1, OP.tlb_flush_all, 0, 0, 0)).toBe(-ERRNO.EPERM);
    expect(ext(t, 0, OP.invlpg_local, -1)).toBe(0);
    expect(ext(t, 0, OP.tlb_flush_multi, 0, ARGS_AT)).toBe(0);
    expect(ext(t, 0, OP.tlb_flush_multi, 0, (PAGES + 5) * 4096)).toBe(-ERRNO.EINVAL);
    expect(ext(t, 1, OP.flush_cache)).toBe(-ERRNO.EACCES);
    expect(ext(t, 1, OP.flush_cache_global)).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.mark_super)).toBe(-ERRNO.EOPNOTSUPP);
    expect(ext(t, 0, OP.set_ldt, 0, 0)).toBe(0);
    expect(ext(t, 0, OP.set_ldt, 1, 1)).toBe(-ERRNO.EINVAL);
    expect(ext(t, 0, OP.set_ldt, 4096, 1)).toBe(0);
    expect(ext(t, 0, 14)).toBe(-ERRNO.ENOSYS);
    expect(ext(t, 0, 99)).toBe(-ERRNO.ENOSYS);
    expect(ext(t, 0, OP.pin_l1_table, 0, 0, 0)).toBe(-ERRNO.ESRCH);
  });
});

describe('an upcall that waits', () => {
  const pend = (t: TwoDomains, pending: number): void => t.machine.memory.write8(infoAddress(t.vcpu(0)), pending);
  /** One try of a call of one element; true when it asks for another. */
  const once = (t: TwoDomains, cmd: number, mfn = 0): boolean => {
    t.put(0, ARGUMENTS, 0, cmd, 0, mfn, 0, 0, 0);
    CALL_STATE.preempted = false;
    mmuext_op(t.machine, t.vcpu(0), Int32Array.of(ARGS_AT, 0, 1, 0, 0, 0, DOMID.SELF, 0, 0, 0, 0, 0));
    return CALL_STATE.preempted;
  };
  /** An L2 at page 20 that leads to an L1 at page 21. */
  const tables = (): { t: TwoDomains; l2: number; l1: number } => {
    const t = new TwoDomains();
    unmap(t, 20, 21);
    const [l2, l1] = [t.mfn(0, 20), t.mfn(0, 21)];
    expect(update(t, 0, l2 * 4096 + 8 * 5, 0, (l1 << 12) | 7)).toBe(0);
    t.machine.memory.write8(infoAddress(t.vcpu(0)) + 1, 0);
    return { t, l2, l1 };
  };

  it('stops the validation of a table before each slot but the first, and the next call goes on', () => {
    const { t, l2, l1 } = tables();
    pend(t, 1);
    for (let slot = 1; slot <= 6; slot++) {
      expect(once(t, OP.pin_l2_table, l2)).toBe(true);
      expect(refs(t, l2)).toEqual([2, PGT.l2, 1]);
      expect(t.machine.frames.nrValidated[l2]).toBe(slot);
    }
    expect(refs(t, l1)).toEqual([2, PGT.l1, 1]);
    expect(update(t, 0, l2 * 4096, 0, 0), 'it is no table yet').toBe(-ERRNO.EINVAL);
    pend(t, 0);
    expect(ext(t, 0, OP.pin_l2_table, l2)).toBe(0);
    expect(refs(t, l2)).toEqual([2, PGT.l2, 1]);
    expect(t.machine.frames.flags[l2] & PGF.partial).toBe(0);
  });

  it('stops giving back what a table holds after each slot, and the next call goes on', () => {
    const { t, l2, l1 } = tables();
    expect(ext(t, 0, OP.pin_l2_table, l2)).toBe(0);
    pend(t, 1);
    expect(once(t, OP.unpin_table, l2)).toBe(true);
    expect(t.vcpu(0).oldGuestTable).toBe(l2);
    expect(t.machine.frames.nrValidated[l2]).toBe(511);
    expect(refs(t, l1)).toEqual([2, PGT.l1, 1]);
    pend(t, 0);
    ext(t, 0, OP.tlb_flush_local);
    expect(t.vcpu(0).oldGuestTable).toBe(-1);
    expect(refs(t, l1)).toEqual([1, PGT.l1, 0]);
    expect(refs(t, l2)).toEqual([1, PGT.l2, 0]);
  });
});
