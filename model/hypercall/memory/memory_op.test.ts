import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import type { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import type { Layout } from '#spec/abi/layout.ts';
import { MEMOP_EXTENT_SHIFT, memory, XENMEMF } from '#spec/abi/memory.ts';
import { DOMID } from '#spec/abi/xen.ts';
import type { VcpuRef } from '#spec/event.ts';
import { frameAt as stateAt } from '../../frame_table.ts';
import { domainOf, frame } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readPage, writePage } from '../../memory/access.ts';
import { readWord } from '../../memory/memory.ts';
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
import { toBigInt } from '../../word/word.ts';
import type { Fields } from '../guest_struct.ts';

const fresh = twoDomains(ONE_PAGE_KERNEL);
const NOBODY = 2n ** 64n - 1n;
const FAULT = 0x10;
/** Lists stand behind the arguments. */
const LIST = ARGUMENTS + 0x800;
const SECOND = ARGUMENTS + 0xc00;

type Name = keyof typeof SUBOPERATIONS.memory_op;
const op = <L extends Layout>(m: Machine, at: VcpuRef, name: Name, layout: L, fields: Partial<Fields<L>>) =>
  operate(m, at, 'memory_op', name, layout, fields);
const list = (m: Machine, values: readonly (number | bigint)[], at = LIST, by = DOM0): Machine =>
  values.reduce<Machine>((to, value, i) => poke64(to, by, at + 8 * i, BigInt(value)), m);
const listed = (m: Machine, count: number, at = LIST): readonly number[] =>
  Array.from({ length: count }, (_, i) => Number(peek64(m, DOM0, at + 8 * i)));
const m2p = (m: Machine, mfn: number): bigint => toBigInt(readWord(m.memory, m.config.layout.m2p_first + Math.floor(mfn / 512), mfn % 512));
const pages = (m: Machine, domid = 0): number => domainOf(m, domid).pages;
const loose = (m: Machine, n: number): Machine => remap(m, DOM0, POOL + n * 4096, 0).machine;
const pool = (n: number): number => frameAt(fresh, DOM0, POOL + n * 4096);

/** Nothing that Xen counts is lost. */
const sound = (m: Machine): void => {
  expect(miscounted(m)).toEqual([]);
  const { layout, frames } = m.config;
  const owned = new Map<number, number>();
  let free = 0;
  for (let mfn = layout.domheap_first; mfn < frames; mfn++) {
    const { owner } = stateAt(m.frames, mfn)!;
    if (owner === null) {
      free++;
      if (mfn < m.freeFrom || m2p(m, mfn) !== NOBODY) throw new Error(`frame ${mfn.toString(16)} is free`);
    } else owned.set(owner, (owned.get(owner) ?? 0) + 1);
  }
  expect(m.freeFrames).toBe(free);
  for (const { domid, pages } of m.domains) expect([domid, pages]).toEqual([domid, owned.get(domid) ?? 0]);
};

const RESERVE = { extent_start: LIST, nr_extents: 1, extent_order: 0, mem_flags: 0, domid: SELF };

describe('increase_reservation', () => {
  it('gives the lowest free frames, in aligned runs, and tells the first of each', () => {
    const { machine, rc } = op(fresh, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, nr_extents: 2, extent_order: 3 });
    const [first, second] = listed(machine, 2);
    expect([rc, first % 8, second, pages(machine)]).toEqual([2, 0, first + 8, pages(fresh) + 16]);
    expect(frame(machine, first)).toMatchObject({ owner: 0, refs: 1, typeRefs: 0 });
    expect(m2p(machine, first)).toBe(NOBODY);
    sound(machine);
  });
  it('needs no list', () => {
    const { machine, rc } = op(fresh, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, extent_start: 0, nr_extents: 3 });
    expect([rc, pages(machine)]).toEqual([3, pages(fresh) + 3]);
  });
  it('stops at the limit of a domain', () => {
    const { machine, rc } = op(fresh, DOM1, 'increase_reservation', memory.reservation, { ...RESERVE, extent_start: 0 });
    expect([rc, pages(machine, 1)]).toEqual([0, pages(fresh, 1)]);
  });
  it('keeps what it cannot tell', () => {
    const { machine, rc } = op(fresh, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, extent_start: FAULT });
    expect([rc, pages(machine)]).toEqual([0, pages(fresh) + 1]);
    sound(machine);
  });
  it.each([
    ['more extents than a command can name', { nr_extents: 2 ** 26 }],
    ['no extent', { nr_extents: 0 }],
    ['no such domain', { domid: 7, nr_extents: 2 }],
    ['addresses of 12 bits', { mem_flags: 12 }],
    ['a node above 63', { mem_flags: 65 << XENMEMF.node_shift }],
    ['a node that does not exist, exactly', { mem_flags: (2 << XENMEMF.node_shift) | XENMEMF.exact_node_request }],
    ['a list in Xen', { extent_start: 2 ** 63 }],
    ['an order above 18', { extent_order: 19 }],
    ['frames below 8 KiB', { mem_flags: 13 }],
  ])('does nothing for %s', (_, wrong) => {
    const { machine, rc } = op(fresh, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, ...wrong });
    expect([rc, pages(machine)]).toEqual([0, pages(fresh)]);
  });
  it('answers the extent with which it comes', () => {
    const at = (extent: number, arg: number) => call(fresh, DOM0, 'memory_op', extent << MEMOP_EXTENT_SHIFT, arg).rc;
    expect([at(5, FAULT), at(0, FAULT)]).toEqual([5, 0]);
  });
  it('lets nobody but domain 0 name another domain', () => {
    const { rc } = op(fresh, DOM1, 'increase_reservation', memory.reservation, { ...RESERVE, extent_start: 0, domid: 0 });
    expect(rc).toBe(0);
    expect(op(fresh, DOM0, 'current_reservation', memory.domain, { domid: 1 }).rc).toBe(pages(fresh, 1));
    expect(op(fresh, DOM1, 'current_reservation', memory.domain, { domid: 0 }).rc).toBe(-1);
  });
});

describe('populate_physmap', () => {
  it('names the frames', () => {
    const { machine, rc } = op(list(fresh, [0x777]), DOM0, 'populate_physmap', memory.reservation, { ...RESERVE, extent_order: 1 });
    const [mfn] = listed(machine, 1);
    expect([rc, m2p(machine, mfn), m2p(machine, mfn + 1)]).toEqual([1, 0x777n, 0x778n]);
    sound(machine);
  });
  it('counts nothing for a page that cannot be read', () =>
    expect(pages(op(fresh, DOM0, 'populate_physmap', memory.reservation, { ...RESERVE, extent_start: FAULT }).machine)).toBe(pages(fresh)));
  it('does nothing on demand, for another domain as if it were done', () => {
    const onDemand = { ...RESERVE, mem_flags: XENMEMF.populate_on_demand };
    expect(op(fresh, DOM0, 'populate_physmap', memory.reservation, onDemand).rc).toBe(0);
    expect(op(fresh, DOM0, 'populate_physmap', memory.reservation, { ...onDemand, domid: 1 }).rc).toBe(1);
  });
});

describe('decrease_reservation', () => {
  it('frees what nothing maps', () => {
    const { machine, rc } = op(list(loose(fresh, 1), [pool(1)]), DOM0, 'decrease_reservation', memory.reservation, RESERVE);
    expect([rc, pages(machine), frame(machine, pool(1))!.owner, m2p(machine, pool(1))]).toEqual([1, pages(fresh) - 1, null, NOBODY]);
    sound(machine);
  });
  it('leaves what is mapped until it is not, and may be told again', () => {
    const held = op(list(fresh, [pool(1), pool(1)]), DOM0, 'decrease_reservation', memory.reservation, { ...RESERVE, nr_extents: 2 });
    expect([held.rc, pages(held.machine), frame(held.machine, pool(1))]).toMatchObject([2, pages(fresh), { owner: 0, refs: 1 }]);
    const gone = loose(held.machine, 1);
    expect([pages(gone), frame(gone, pool(1))!.owner]).toEqual([pages(fresh) - 1, null]);
    sound(gone);
  });
  it('takes whole runs, and none that is not there', () => {
    const given = op(fresh, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, extent_order: 9 }).machine;
    const back = op(given, DOM0, 'decrease_reservation', memory.reservation, { ...RESERVE, extent_order: 9 });
    expect([back.rc, pages(back.machine)]).toEqual([1, pages(fresh)]);
    sound(back.machine);
    const beyond = op(list(fresh, [-1]), DOM0, 'decrease_reservation', memory.reservation, { ...RESERVE, extent_order: 1 });
    expect(beyond.rc).toBe(0);
  });
  it('stops at a frame that is not the domain’s, with those before it given back', () => {
    const first = domainOf(fresh, 0).firstMfn;
    const last = first + pages(fresh) - 1;
    const { machine, rc } = op(list(fresh, [last]), DOM0, 'decrease_reservation', memory.reservation, { ...RESERVE, extent_order: 1 });
    expect([rc, frame(machine, last)!.owner]).toEqual([0, null]);
    sound(machine);
  });
});

const EXCHANGE = {
  in_extent_start: LIST,
  in_nr_extents: 1,
  in_extent_order: 0,
  in_mem_flags: 0,
  in_domid: SELF,
  out_extent_start: SECOND,
  out_nr_extents: 1,
  out_extent_order: 0,
  out_mem_flags: 0,
  out_domid: SELF,
  nr_exchanged: 0,
};

describe('exchange', () => {
  const given = op(list(fresh, [1, 2, 3, 4]), DOM0, 'populate_physmap', memory.reservation, { ...RESERVE, nr_extents: 4 }).machine;
  const ready = list(given, [0x900, 0x901], SECOND);
  it('makes one extent of many single frames', () => {
    const frames = listed(ready, 4);
    const marked = { ...ready, memory: writePage(ready.memory, frames[1], new Uint8Array(4096).fill(5)) };
    const { machine, rc, out } = op(marked, DOM0, 'exchange', memory.exchange, { ...EXCHANGE, in_nr_extents: 4, out_extent_order: 2 });
    const [mfn] = listed(machine, 1, SECOND);
    expect([rc, out.nr_exchanged, mfn % 4, pages(machine)]).toEqual([0, 4, 0, pages(ready)]);
    expect([0, 1, 2, 3].map((i) => m2p(machine, mfn + i))).toEqual([0x900n, 0x901n, 0x902n, 0x903n]);
    expect(frames.map((old) => frame(machine, old)!.owner)).toEqual([null, null, null, null]);
    expect(readPage(machine.memory, frames[1]).some((byte) => byte !== 0)).toBe(false);
    sound(machine);
  });
  it('refuses frames in use and leaves the others', () => {
    const mixed = list(ready, [listed(ready, 1)[0], pool(1)]);
    const { machine, rc, out } = op(mixed, DOM0, 'exchange', memory.exchange, { ...EXCHANGE, in_nr_extents: 2, out_nr_extents: 2 });
    expect([rc, out.nr_exchanged]).toEqual([-22, 1]);
    sound(machine);
  });
  it.each([
    ['an order that is too large first', { in_extent_order: 19, in_domid: 5 }, -1],
    ['domids that differ', { in_domid: 5, in_extent_start: 2 ** 63 }, -22],
    ['a list in Xen', { in_extent_start: 2 ** 63, in_domid: 5, out_domid: 5 }, -14],
    ['a node above 63', { out_mem_flags: 65 << 8, in_domid: 5, out_domid: 5 }, -22],
    ['no such domain', { in_domid: 5, out_domid: 5 }, -3],
    ['no free run', { out_mem_flags: 13 }, -12],
  ])('refuses %s', (_, wrong, errno) => expect(op(ready, DOM0, 'exchange', memory.exchange, { ...EXCHANGE, ...wrong }).rc).toBe(errno));
});

describe('claims', () => {
  const claim = (m: Machine, nr_extents: number, domid = 0, at = DOM0) =>
    op(m, at, 'claim_pages', memory.reservation, { ...RESERVE, extent_start: 0, nr_extents, domid });
  it('are kept for their domain, which uses them up', () => {
    const all = fresh.freeFrames;
    const { machine, rc } = claim(fresh, pages(fresh) + all);
    expect([rc, domainOf(machine, 0).claimed]).toEqual([0, all]);
    expect(claim(machine, pages(fresh) + 1).rc).toBe(-22);
    const used = op(machine, DOM0, 'increase_reservation', memory.reservation, { ...RESERVE, extent_start: 0 }).machine;
    expect(domainOf(used, 0).claimed).toBe(all - 1);
    expect(claim(claim(used, 0).machine, 1, 7).rc).toBe(-22);
    sound(used);
  });
  it('are for domain 0 to make, and no larger than memory', () => {
    expect([claim(fresh, 1, 1, DOM1).rc, claim(fresh, pages(fresh) + fresh.freeFrames + 1).rc]).toEqual([-1, -12]);
    expect(claim(fresh, 2000, DOMID.SELF).rc).toBe(-22);
  });
});

describe('update_va_mapping_otherdomain', () => {
  it('maps a frame of another domain for domain 0', () => {
    const mfn = frameAt(fresh, DOM1, POOL);
    const entry = (BigInt(mfn) << 12n) | 0x67n;
    const mapped = call(fresh, DOM0, 'update_va_mapping_otherdomain', POOL, entry, 0, 1);
    expect([mapped.rc, frame(mapped.machine, mfn)!.refs]).toEqual([0, frame(fresh, mfn)!.refs + 1]);
    sound(mapped.machine);
    expect(call(fresh, DOM1, 'update_va_mapping_otherdomain', POOL, entry, 0, 0).rc).toBe(-1);
    expect(call(fresh, DOM0, 'update_va_mapping_otherdomain', POOL, entry, 0, 0).rc).toBe(-3);
  });
});

describe('whatever a guest does with its memory', () => {
  const frames = fc.oneof(fc.integer({ min: 0, max: 9 }).map(pool), fc.integer({ min: 0x1000, max: 0x1900 }), fc.constant(0x401));
  const step = fc.oneof(
    fc.record({ what: fc.constant('unmap' as const), page: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ what: fc.constant('map' as const), page: fc.integer({ min: 0, max: 9 }), mfn: frames, flags: fc.constantFrom(0x65, 0x67) }),
    fc.record({
      what: fc.constant('pin' as const),
      mfn: frames,
      level: fc.constantFrom('pin_l1_table' as const, 'pin_l2_table' as const, 'unpin_table' as const),
    }),
    fc.record({
      what: fc.constantFrom('increase_reservation' as const, 'decrease_reservation' as const, 'populate_physmap' as const),
      values: fc.array(frames, { minLength: 1, maxLength: 4 }),
      order: fc.constantFrom(0, 0, 0, 1, 2),
      by: fc.constantFrom(DOM0, DOM1),
      domid: fc.constantFrom(SELF, 0, 1),
    }),
    fc.record({
      what: fc.constant('exchange' as const),
      values: fc.array(frames, { minLength: 4, maxLength: 4 }),
      order: fc.constantFrom(0, 1, 2),
    }),
  );
  const perform = (m: Machine, s: typeof step extends fc.Arbitrary<infer T> ? T : never): Machine => {
    switch (s.what) {
      case 'unmap':
        return loose(m, s.page);
      case 'map':
        return remap(m, DOM0, POOL + s.page * 4096, (BigInt(s.mfn) << 12n) | BigInt(s.flags)).machine;
      case 'pin':
        return mmuext(m, DOM0, s.level, s.mfn).machine;
      case 'exchange': {
        const asked = { in_nr_extents: 4, out_nr_extents: 4 >> s.order, out_extent_order: s.order };
        return op(list(m, s.values), DOM0, 'exchange', memory.exchange, { ...EXCHANGE, ...asked }).machine;
      }
      default: {
        const asked = { nr_extents: s.values.length, extent_order: s.order, domid: s.domid };
        return op(list(m, s.values, LIST, s.by), s.by, s.what, memory.reservation, { ...RESERVE, ...asked }).machine;
      }
    }
  };
  it('every reference, page and entry of the machine-to-phys table is where it should be', () =>
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 24 }), (steps) => sound(steps.reduce(perform, fresh))),
      { numRuns: 12 },
    ));
});
