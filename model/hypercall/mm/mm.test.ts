import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { XEN_L4_SLOTS } from '#spec/abi/xen.ts';
import { frame, updateDomain, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readWord } from '../../memory/memory.ts';
import { miscounted } from '../../testing/census.ts';
import {
  ARGUMENTS,
  call,
  DOM0,
  DOM1,
  frameAt,
  mmuext,
  mmuUpdate,
  POOL,
  peek64,
  poke64,
  pokeWords,
  remap,
  SELF,
  twoDomains,
} from '../../testing/guest.ts';
import { fromNumber, toBigInt } from '../../word/word.ts';
import { mmu_update } from './mmu_update.ts';
import { mmuext_op } from './mmuext_op.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);
const page = (n: number, at = DOM0): number => frameAt(fresh, at, POOL + n * 4096);
const va = (n: number): number => POOL + n * 4096;
const pte = (mfn: number, flags: number | bigint): bigint => (BigInt(mfn) << 12n) | BigInt(flags);

/** Machine address of the level 1 entry that maps an address of the initial mapping. */
const l1Of = (machine: Machine, address: number): bigint => {
  const next = (table: number, index: number): number => Number((toBigInt(readWord(machine.memory, table, index)) >> 12n) & 0xffffffffffn);
  const l1 = next(next(next(vcpuOf(machine, DOM0).kernelTable, 0), 0), address >>> 21);
  return (BigInt(l1) << 12n) | BigInt(((address >>> 12) & 511) * 8);
};
const entry = (machine: Machine, address: number): bigint => {
  const at = l1Of(machine, address);
  return toBigInt(readWord(machine.memory, Number(at >> 12n), Number(at & 0xfffn) / 8));
};

describe('start of day', () => {
  it('counts every reference of the initial tables', () => expect(miscounted(fresh)).toEqual([]));
});

describe('update_va_mapping', () => {
  it.each([
    ['a kernel page gains US and the mark of kernel pages', 0x63, 0x0010000000000067n],
    ['a user page gains G', 0x67, 0x167n],
    ['a marked page stays as it is', 0x0010000000000067n, 0x0010000000000067n],
    ['NX and the spare bits are the guest’s', 0x8020000000000e67n, 0x8020000000000f67n],
  ])('%s', (_, flags, seen) => {
    const changed = remap(fresh, DOM0, va(0), pte(page(1), flags));
    expect(changed.rc).toBe(0);
    expect(entry(changed.machine, va(0))).toBe(pte(page(1), seen));
    expect(miscounted(changed.machine)).toEqual([]);
  });

  it.each([
    ['no table there', 0x40000000, pte(page(0), 0x63), -22],
    ['an address of Xen', 0xffff800000000000n, pte(page(0), 0x63), -22],
    ['a frame of another domain', va(0), pte(page(0, DOM1), 0x61), -16],
    ['a frame of nobody', va(0), pte(0x500, 0x61), -16],
    ['the local APIC', va(0), pte(0xfee00, 0x63), -1],
    ['no frame at all', va(0), 0x000ffffffffff063n, -22],
    ['beyond what 40 bits address', va(0), pte(0x10000000, 0x63), -1],
    ['the machine-to-phys table', va(0), pte(0x200, 0x61), -16],
    ['Xen’s own page uncached', va(0), pte(0x402, 0x61 | 0x10), -13],
  ])('refuses %s', (_, address, value, rc) => {
    const refused = call(fresh, DOM0, 'update_va_mapping', address, value, 0);
    expect(refused.rc).toBe(rc);
    expect(miscounted(refused.machine)).toEqual([]);
  });

  it('lets domain 0 map device memory, uncached', () => {
    const changed = remap(fresh, DOM0, va(0), pte(0xb8, 0x63));
    expect(changed.rc).toBe(0);
    expect(entry(changed.machine, va(0))).toBe(pte(0xb8, 0x001000000000007fn));
    expect(remap(fresh, DOM1, va(0), pte(0xb8, 0x63)).rc).toBe(-1);
  });

  it('maps the I/O APIC read-only', () => {
    expect(entry(remap(fresh, DOM0, va(0), pte(0xfec00, 0x63)).machine, va(0)) & 0xfffn).toBe(0x7dn);
  });

  it('knows which domain may ask for cache attributes', () => {
    expect(remap(fresh, DOM0, va(0), pte(page(0), 0x73)).rc).toBe(0);
    expect(remap(fresh, DOM1, va(0), pte(page(0, DOM1), 0x73)).rc).toBe(-22);
  });

  it('never makes a page table writable', () => {
    const table = vcpuOf(fresh, DOM0).kernelTable;
    expect(remap(fresh, DOM0, va(0), pte(table, 0x63)).rc).toBe(-16);
    expect(remap(fresh, DOM0, va(0), pte(table, 0x61)).rc).toBe(0);
  });

  it('changes harmless bits of a foreign mapping without asking whose it is', () => {
    const shared = remap(fresh, DOM0, va(0), pte(0x402, 0x63)).machine;
    const clauses = remap(shared, DOM0, va(0), pte(0x402, 0x03)).clauses;
    expect(clauses).toContain('mmu/entry-fast');
  });

  it('does its work even if the mask of vCPUs to flush cannot be read', () => {
    const changed = call(fresh, DOM0, 'update_va_mapping', va(0), 0, 0x1000 | 1);
    expect(changed.rc).toBe(-14);
    expect(entry(changed.machine, va(0))).toBe(0n);
  });
});

describe('a page becomes a page table', () => {
  const readOnly = remap(fresh, DOM0, va(0), pte(page(0), 0x61)).machine;

  it('not while it can be written', () => expect(mmuext(fresh, DOM0, 'pin_l1_table', page(0)).rc).toBe(-22));

  it('by a pin, once', () => {
    const pinned = mmuext(readOnly, DOM0, 'pin_l1_table', page(0));
    expect(pinned.rc).toBe(0);
    expect(frame(pinned.machine, page(0))).toMatchObject({ type: 'l1', typeRefs: 1, refs: 3, pinned: true });
    expect(mmuext(pinned.machine, DOM0, 'pin_l1_table', page(0)).rc).toBe(-22);
    expect(mmuext(pinned.machine, DOM0, 'pin_l2_table', page(0)).rc).toBe(-22);
    expect(remap(pinned.machine, DOM0, va(1), pte(page(0), 0x63)).rc).toBe(-16);
    const loose = mmuext(pinned.machine, DOM0, 'unpin_table', page(0));
    expect(loose.rc).toBe(0);
    expect(mmuext(loose.machine, DOM0, 'unpin_table', page(0)).rc).toBe(-22);
    expect(remap(loose.machine, DOM0, va(1), pte(page(0), 0x63)).rc).toBe(0);
  });

  it('with all its entries taken, adjusted, and given back', () => {
    const filled = poke64(fresh, DOM0, va(0) + 8, pte(page(5), 0x63));
    const pinned = mmuext(remap(filled, DOM0, va(0), pte(page(0), 0x61)).machine, DOM0, 'pin_l1_table', page(0)).machine;
    expect(peek64(pinned, DOM0, va(0) + 8)).toBe(pte(page(5), 0x0010000000000067n));
    expect(frame(pinned, page(5))).toMatchObject({ refs: 3, typeRefs: 2 });
    expect(miscounted(pinned)).toEqual([]);
    expect(miscounted(mmuext(pinned, DOM0, 'unpin_table', page(0)).machine)).toEqual([]);
  });

  it('unless an entry is refused; earlier entries stay adjusted', () => {
    const good = poke64(fresh, DOM0, va(0), pte(page(5), 0x63));
    const bad = poke64(good, DOM0, va(0) + 8, pte(page(0, DOM1), 0x63));
    const refused = mmuext(remap(bad, DOM0, va(0), pte(page(0), 0x61)).machine, DOM0, 'pin_l1_table', page(0));
    expect(refused.rc).toBe(-16);
    expect(peek64(refused.machine, DOM0, va(0))).toBe(pte(page(5), 0x0010000000000067n));
    expect(miscounted(refused.machine)).toEqual([]);
  });
});

describe('a tree of tables', () => {
  /** Pages 0 to 3 as tables of level 4 to 1 that map page 5 at address 0; all four mapped read-only. */
  const tree = ((): Machine => {
    let m = poke64(fresh, DOM0, va(3), pte(page(5), 0x63));
    m = poke64(m, DOM0, va(2), pte(page(3), 0x63));
    m = poke64(m, DOM0, va(1), pte(page(2), 0x63));
    m = poke64(m, DOM0, va(0), pte(page(1), 0x63));
    for (let n = 0; n < 4; n++) m = remap(m, DOM0, va(n), pte(page(n), 0x61)).machine;
    return m;
  })();
  const pinned = mmuext(tree, DOM0, 'pin_l4_table', page(0));

  it('is validated from the top', () => {
    expect(pinned.rc).toBe(0);
    expect([0, 1, 2, 3].map((n) => frame(pinned.machine, page(n))?.type)).toEqual(['l4', 'l3', 'l2', 'l1']);
    expect(peek64(pinned.machine, DOM0, va(0))).toBe(pte(page(1), 0x67));
    expect(peek64(pinned.machine, DOM0, va(1))).toBe(pte(page(2), 0x67));
    expect(miscounted(pinned.machine)).toEqual([]);
  });

  it('shows the machine-to-phys table when it becomes a base pointer', () => {
    const slot = va(0) + 8 * XEN_L4_SLOTS.m2p;
    expect(peek64(pinned.machine, DOM0, slot)).toBe(0n);
    const user = mmuext(pinned.machine, DOM0, 'new_user_baseptr', page(0));
    expect(user.rc).toBe(0);
    expect(vcpuOf(user.machine, DOM0).userTable).toBe(page(0));
    expect(peek64(user.machine, DOM0, slot)).toBe(0n);
    const based = mmuext(user.machine, DOM0, 'new_baseptr', page(0)).machine;
    expect(toBigInt(readWord(based.memory, page(0), XEN_L4_SLOTS.m2p))).not.toBe(0n);
    expect(vcpuOf(based, DOM0).cpu.segments.root).toBe(page(0));
    expect(miscounted(based)).toEqual([]);
  });

  it('hides it from user tables under m2p_strict', () => {
    const strict = updateDomain(tree, 0, { vmAssist: 1n << 32n });
    const slot = va(0) + 8 * XEN_L4_SLOTS.m2p;
    const shown = mmuext(strict, DOM0, 'pin_l4_table', page(0)).machine;
    expect(peek64(shown, DOM0, slot)).not.toBe(0n);
    expect(peek64(mmuext(shown, DOM0, 'new_user_baseptr', page(0)).machine, DOM0, slot)).toBe(0n);
  });

  it('falls with its last use', () => {
    const fallen = mmuext(pinned.machine, DOM0, 'unpin_table', page(0)).machine;
    expect([0, 1, 2, 3].map((n) => frame(fallen, page(n))?.typeRefs)).toEqual([0, 0, 0, 0]);
    expect(miscounted(fallen)).toEqual([]);
  });

  it('is given back as a whole when an entry deep down is bad', () => {
    const bad = mmuUpdate(tree, DOM0, [[BigInt(page(3)) << 12n, pte(0x500, 0x63)]]);
    expect(bad.clauses).toContain('mmu/update-plain');
    const refused = mmuext(bad.machine, DOM0, 'pin_l4_table', page(0));
    expect(refused.rc).toBe(-16);
    expect(miscounted(refused.machine)).toEqual([]);
  });

  it('can be changed at each level while it is in use', () => {
    const l2 = BigInt(page(2)) << 12n;
    const gone = mmuUpdate(pinned.machine, DOM0, [[l2, 0]]);
    expect(gone.rc).toBe(0);
    expect(frame(gone.machine, page(3))?.typeRefs).toBe(0);
    expect(miscounted(gone.machine)).toEqual([]);
    const back = mmuUpdate(gone.machine, DOM0, [[l2 + 8n, pte(page(3), 0x67)]]);
    expect(frame(back.machine, page(3))).toMatchObject({ type: 'l1', typeRefs: 1 });
    expect(miscounted(back.machine)).toEqual([]);
    expect(mmuUpdate(pinned.machine, DOM0, [[l2, pte(page(5), 0x67)]]).rc).toBe(-22);
    expect(mmuUpdate(pinned.machine, DOM0, [[l2, pte(page(3), 0xe7)]]).rc).toBe(-22);
    expect(mmuUpdate(pinned.machine, DOM0, [[(BigInt(page(0)) << 12n) + 8n * 256n, 0]]).rc).toBe(-22);
  });

  it('is given back when the caller comes back, and until then counts as in use', () => {
    const clear = pokeWords(pinned.machine, DOM0, [BigInt(page(2)) << 12n, 0n]);
    const args = [ARGUMENTS, 1, 0, SELF].map(fromNumber);
    const stopped = mmu_update(clear, DOM0, args);
    if (stopped.kind !== 'preempted') throw new Error('the call should have stopped');
    expect(stopped.args.map(toBigInt)).toEqual([0n, 0x80000000n, 0n, 0n]);
    expect(frame(stopped.machine, page(3))).toMatchObject({ typeRefs: 1, refs: 3 });
    const over = mmu_update(stopped.machine, DOM0, stopped.args);
    expect(frame(over.machine, page(3))).toMatchObject({ typeRefs: 0, refs: 2 });
    expect(miscounted(over.machine)).toEqual([]);
  });

  it('that failed half way is held until the caller comes back with the errno', () => {
    // Page 1, the level 3 table, gets a second entry that is no level 2 table.
    const bad = mmuUpdate(tree, DOM0, [[(BigInt(page(1)) << 12n) + 8n, pte(page(5), 0x67)]]).machine;
    const pin = pokeWords(bad, DOM0, [2, page(1), 0]);
    const stopped = mmuext_op(pin, DOM0, [ARGUMENTS, 1, 0, SELF].map(fromNumber));
    if (stopped.kind !== 'preempted') throw new Error('the call should have stopped');
    expect(stopped.args.map(toBigInt)).toEqual([0n, 0x80000000n, 0n, 0xffffffean]);
    expect(frame(stopped.machine, page(1))).toMatchObject({ type: 'l3', typeRefs: 1, refs: 4, validated: false });
    expect(frame(stopped.machine, page(2))).toMatchObject({ type: 'l2', typeRefs: 1 });
    const over = mmuext_op(stopped.machine, DOM0, stopped.args);
    expect(over.kind === 'reply' && toBigInt(over.value)).toBe(BigInt.asUintN(64, -22n));
    expect(miscounted(over.machine)).toEqual([]);
  });

  it('may have entries for itself and for equals, read-only', () => {
    const l4 = BigInt(page(0)) << 12n;
    const itself = mmuUpdate(pinned.machine, DOM0, [[l4 + 8n * 300n, pte(page(0), 0x65)]]);
    expect(itself.rc).toBe(0);
    expect(mmuUpdate(pinned.machine, DOM0, [[l4 + 8n * 300n, pte(page(0), 0x67)]]).rc).toBe(-22);
    const top = vcpuOf(fresh, DOM0).kernelTable;
    const other = mmuUpdate(itself.machine, DOM0, [[l4 + 8n * 301n, pte(top, 0x65)]]);
    expect(other.rc).toBe(0);
    expect(miscounted(other.machine)).toEqual([]);
    // The one that is seen by another cannot see others in turn.
    expect(mmuUpdate(other.machine, DOM0, [[(BigInt(top) << 12n) + 8n * 301n, pte(page(0), 0x65)]]).rc).toBe(-22);
    const gone = mmuUpdate(other.machine, DOM0, [[l4 + 8n * 301n, 0]]);
    expect(frame(gone.machine, top)).toMatchObject({ linear: 0, typeRefs: 2 });
    expect(miscounted(gone.machine)).toEqual([]);
  });
});

describe('mmu_update', () => {
  it('counts what it has done, also when it stops', () => {
    const place = l1Of(fresh, va(0));
    const words = [place, 0n, place + 4n, 0n, place + 8n, 0n];
    const stopped = call(pokeWords(fresh, DOM0, words), DOM0, 'mmu_update', ARGUMENTS, 3, va(9), SELF);
    expect(stopped.rc).toBe(-38);
    expect(peek64(stopped.machine, DOM0, va(9))).toBe(1n);
    expect(entry(stopped.machine, va(0))).toBe(0n);
    expect(entry(stopped.machine, va(1))).not.toBe(0n);
  });

  it('keeps accessed and dirty bits on request, even in an empty entry', () => {
    const used = poke64(fresh, DOM0, va(0), 1n);
    expect(mmuUpdate(used, DOM0, [[l1Of(used, va(0)) + 2n, 0]]).machine).toSatisfy((m: Machine) => entry(m, va(0)) === 0x60n);
  });

  it('writes to a page that is no page table, whatever the value', () => {
    const written = mmuUpdate(fresh, DOM0, [[(BigInt(page(0)) << 12n) + 16n, -1]]);
    expect(peek64(written.machine, DOM0, va(0) + 16)).toBe(2n ** 64n - 1n);
  });

  it('keeps the machine-to-phys table', () => {
    const { m2p_first } = fresh.config.layout;
    const changed = mmuUpdate(fresh, DOM0, [[(BigInt(page(0)) << 12n) + 1n, 0x1234]]);
    expect(toBigInt(readWord(changed.machine.memory, m2p_first + (page(0) >> 9), page(0) & 511))).toBe(0x1234n);
    expect(mmuUpdate(fresh, DOM0, [[(BigInt(page(0, DOM1)) << 12n) + 1n, 0]]).rc).toBe(-22);
  });

  it.each([
    ['itself by number', 0, -3],
    ['nobody', 9, -3],
    ['page tables of nobody', (10 << 16) | SELF, -3],
  ])('refuses to work for %s', (_, foreigndom, rc) => expect(mmuUpdate(fresh, DOM0, [], foreigndom).rc).toBe(rc));

  it('lets domain 0 work for another domain, and nobody else', () => {
    const own = l1Of(fresh, va(0));
    expect(mmuUpdate(fresh, DOM0, [[own, pte(page(0, DOM1), 0x63)]], 1).rc).toBe(0);
    expect(mmuUpdate(fresh, DOM1, [[BigInt(page(0, DOM1)) << 12n, 0]], 0).rc).toBe(-1);
    expect(mmuUpdate(fresh, DOM0, [[BigInt(page(0, DOM1)) << 12n, 0]], (2 << 16) | 1).rc).toBe(0);
  });

  it('gives back the answer of a call that it had interrupted', () =>
    expect(call(fresh, DOM0, 'mmu_update', 0, 0x80000000, 0, -16).rc).toBe(-16));
  it('checks the array before the domain', () => expect(call(fresh, DOM0, 'mmu_update', 0xffff800000000000n, 1, 0, 9).rc).toBe(-14));
});

describe('mmuext_op', () => {
  it.each([
    ['an unknown command', 'pin_l1_table', 0x7000000, 0, SELF, -22],
    ['pinning what another owns', 'pin_l1_table', page(0, DOM1), 0, SELF, -22],
    ['a base pointer for another domain', 'new_baseptr', 0, 0, 1, -1],
    ['a base pointer that is no table', 'new_baseptr', page(0), 0, SELF, -22],
    ['flushing for another domain', 'tlb_flush_local', 0, 0, 1, -1],
    ['flushing', 'invlpg_all', 0x800000000000n, 0, SELF, 0],
    ['a mask that cannot be read', 'tlb_flush_multi', 0, 0x1000, SELF, -22],
    ['a mask that can', 'invlpg_multi', 0, ARGUMENTS, SELF, 0],
    ['an LDT too large', 'set_ldt', 0, 8193, SELF, -22],
    ['an LDT out of line', 'set_ldt', 8, 1, SELF, -22],
    ['an empty LDT', 'set_ldt', 8, 0, SELF, 0],
    ['a superpage', 'mark_super', 0, 0, SELF, -95],
    ['clearing a page table', 'clear_page', vcpuOf(fresh, DOM0).kernelTable, 0, SELF, -22],
    ['copying from nobody', 'copy_page', page(0), 0x500, SELF, -22],
    ['copying onto a page table', 'copy_page', vcpuOf(fresh, DOM0).kernelTable, page(0), SELF, -22],
  ] as const)('%s', (_, name, arg1, arg2, foreigndom, rc) => expect(mmuext(fresh, DOM0, name, arg1, arg2, foreigndom).rc).toBe(rc));

  it('does not know command 14', () => {
    expect(call(pokeWords(fresh, DOM0, [14, 0, 0]), DOM0, 'mmuext_op', ARGUMENTS, 1, 0, SELF).rc).toBe(-38);
  });

  it('flushes caches for domain 0 only', () => {
    expect(mmuext(fresh, DOM0, 'flush_cache').rc).toBe(0);
    expect(mmuext(fresh, DOM1, 'flush_cache').rc).toBe(-13);
    expect(mmuext(fresh, DOM1, 'flush_cache_global').rc).toBe(-22);
  });

  it('clears and copies pages, page tables as a source included', () => {
    const full = poke64(fresh, DOM0, va(0), 7n);
    expect(peek64(mmuext(full, DOM0, 'copy_page', page(1), page(0)).machine, DOM0, va(1))).toBe(7n);
    expect(peek64(mmuext(full, DOM0, 'clear_page', page(0)).machine, DOM0, va(0))).toBe(0n);
    expect(mmuext(full, DOM0, 'copy_page', page(1), vcpuOf(fresh, DOM0).kernelTable).rc).toBe(0);
  });

  it('does not count when the domain is unknown', () => {
    const called = call(poke64(fresh, DOM0, va(9), 77n), DOM0, 'mmuext_op', ARGUMENTS, 0, va(9), 9);
    expect(called.rc).toBe(-3);
    expect(peek64(called.machine, DOM0, va(9))).toBe(77n);
  });
});
