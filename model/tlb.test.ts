/** Chapter: spec/chapters/tlb.md. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { memory } from '#spec/abi/memory.ts';
import { UVMF } from '#spec/abi/xen.ts';
import { eventsOf } from './journal.ts';
import type { Machine } from './machine.ts';
import {
  ARGUMENTS,
  type Called,
  call,
  DOM0,
  DOM1,
  frameAt,
  mmuext,
  mmuUpdate,
  operate,
  POOL,
  poke64,
  pokeWords,
  remap,
  SELF,
  twoDomains,
} from './testing/guest.ts';
import { flush, forget } from './tlb.ts';

/** vCPU 0 of domain 0 runs on pCPU 0; pCPU 1 idles with the state of its vCPU 1; pCPU 2 runs domain 1; pCPU 3 never ran anything. */
const fresh: Machine = (() => {
  const machine = twoDomains(ONE_PAGE_KERNEL);
  const cpus = [
    { current: DOM0, loaded: DOM0 },
    { current: null, loaded: { domid: 0, vcpu: 1 } },
    { current: DOM1, loaded: DOM1 },
    { current: null },
  ];
  return { ...machine, cpus, tlb: { time: 1, flushed: [1, 1, 1, 1], flushes: [0, 0, 0, 0] } };
})();

const flushes = ({ machine }: Pick<Called, 'machine'>) =>
  eventsOf(machine.journal).flatMap((e) => (e.kind === 'tlb_flush' ? [[e.cpus, e.address]] : []));
const page = (n: number): number => frameAt(fresh, DOM0, POOL + n * 4096);
const va = (n: number): number => POOL + n * 4096;
const writable = (n: number): bigint => (BigInt(page(n)) << 12n) | 0x67n;

describe('on request', () => {
  it.each([
    ['tlb_flush_local', 0, 0, [[[0], null]]],
    ['tlb_flush_all', 0, 0, [[[0, 1], null]]],
    ['invlpg_local', 0x1234, 0, [[[0], '0x1234']]],
    ['invlpg_local', 0x8000_0000_0000n, 0, []],
    ['invlpg_local', 0xffff_8300_0000_0000n, 0, [[[0], '0xffff830000000000']]],
    ['invlpg_all', 0x1234, 0, [[[0, 1], '0x1234']]],
    ['invlpg_all', 0xffff_8300_0000_0000n, 0, []],
  ] as const)('mmuext_op %s of %s', (name, arg1, arg2, told) => {
    const called = mmuext(fresh, DOM0, name, arg1, arg2);
    expect([called.rc, flushes(called)]).toEqual([0, told]);
  });

  it.each([
    [1n, [0]],
    [2n, [1]],
    [3n, [0, 1]],
    [4n, []],
    [0xffff_ffff_ffff_ffffn, [0, 1]],
  ])('of the vCPUs in the mask %s', (mask, cpus) => {
    const told = poke64(fresh, DOM0, va(9), mask);
    const expected = cpus.length === 0 ? [] : [[cpus, null]];
    expect(flushes(mmuext(told, DOM0, 'tlb_flush_multi', 0, va(9)))).toEqual(expected);
    expect(flushes(call(told, DOM0, 'update_va_mapping', va(1), writable(1), va(9) | UVMF.TLB_FLUSH))).toEqual(expected);
  });

  it.each([
    [UVMF.NONE, []],
    [UVMF.TLB_FLUSH | UVMF.LOCAL, [[[0], null]]],
    [UVMF.TLB_FLUSH | UVMF.ALL, [[[0, 1], null]]],
    [UVMF.INVLPG | UVMF.ALL, [[[0, 1], '0x301000']]],
    [3 | UVMF.ALL, []],
  ])('update_va_mapping with flags %i', (flags, told) =>
    expect(flushes(call(fresh, DOM0, 'update_va_mapping', va(1), writable(1), flags))).toEqual(told),
  );

  it('and not for another domain, nor when the entry was refused', () => {
    expect(flushes(mmuext(fresh, DOM0, 'tlb_flush_all', 0, 0, 1))).toEqual([]);
    const table = (BigInt(fresh.domains[0]!.vcpus[0]!.kernelTable) << 12n) | 0x67n;
    const refused = call(fresh, DOM0, 'update_va_mapping', va(1), table, UVMF.TLB_FLUSH | UVMF.ALL);
    expect([refused.rc, flushes(refused)]).toEqual([-16, []]);
  });
});

describe('with changes of frames', () => {
  const unmapped = remap(fresh, DOM0, va(1), 0).machine;
  const pin = (machine: Machine): Called => mmuext(machine, DOM0, 'pin_l1_table', page(1));

  it('a writable page that becomes a page table is forgotten wherever its domain was', () =>
    expect(flushes(pin(unmapped))).toEqual([[[0, 1], null]]));

  it('but not where everything was flushed since its last use', () => {
    expect(flushes(pin(flush(unmapped, [0])))).toEqual(
      [
        [[0], null],
        [[1], null],
      ].slice(1),
    );
    expect(flushes(pin(forget(unmapped, [0, 1])))).toEqual([]);
    expect(flushes(pin(flush(unmapped, [2, 3])))).toEqual([[[0, 1], null]]);
  });

  it('nor when it is used again as what it was', () => expect(flushes(remap(unmapped, DOM0, va(1), writable(1)))).toEqual([]));

  it('a frame that a domain gave back is forgotten everywhere before another gets it', () => {
    const give = (m: Machine) =>
      operate(poke64(m, DOM0, va(9), BigInt(page(1))), DOM0, 'memory_op', 'decrease_reservation', memory.reservation, {
        extent_start: va(9),
        nr_extents: 1,
        extent_order: 0,
        domid: SELF,
      });
    const take = (m: Machine) =>
      operate(poke64(m, DOM1, va(9), 5n), DOM1, 'memory_op', 'increase_reservation', memory.reservation, {
        extent_start: va(9),
        nr_extents: 1,
        extent_order: 0,
        domid: SELF,
      });
    const given = give(unmapped).machine;
    const roomy: Machine = { ...given, domains: given.domains.map((domain) => ({ ...domain, maxPages: 2000 })) };
    const low = roomy;
    expect(flushes(take(low))).toEqual([[[0, 1, 2, 3], null]]);
    expect(flushes(take(forget(low, [0, 1])))).toEqual([[[2, 3], null]]);
  });
});

it('an mmu_update of an upper table flushes once, however many entries it writes', () => {
  const root = fresh.domains[0]!.vcpus[0]!.kernelTable;
  const at = BigInt(root) * 4096n;
  const two = [0, 8].map((slot) => [at + BigInt(300 * 8 + slot), 0] as const);
  const called = mmuUpdate(fresh, DOM0, two);
  expect([called.rc, flushes(called)]).toEqual([0, [[[0, 1], null]]]);
  expect(flushes(mmuUpdate(fresh, DOM0, [[BigInt(page(1)) * 4096n, 0]]))).toEqual([]);
});

it('a grant that was not mapped is flushed all the same', () => {
  const called = call(pokeWords(fresh, DOM0, [0, 0, 77]), DOM0, 'grant_table_op', 1, ARGUMENTS, 1);
  expect(flushes(called)).toEqual([[[0, 1], null]]);
});

it('a clock: a pCPU that has flushed later than a frame was used needs no flush for it', () => {
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1 }), { maxLength: 6 }), (rounds) => {
      const unmapped = remap(fresh, DOM0, va(1), 0).machine;
      const after = rounds.reduce(forget, unmapped);
      const stale = [0, 1].filter((cpu) => !rounds.flat().includes(cpu));
      expect(flushes(mmuext(after, DOM0, 'pin_l1_table', page(1)))).toEqual(stale.length === 0 ? [] : [[stale, null]]);
    }),
  );
});
