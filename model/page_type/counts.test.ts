import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ONE_PAGE_KERNEL } from '#oracle/image/one_page.ts';
import { GNTMAP, GTF, gnttab, grant_entry_v1 } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { kill } from '../domain/teardown/kill.ts';
import { frameSums } from '../frame_table.ts';
import { EMPTY_JOURNAL } from '../journal.ts';
import { domainOf, findDomain, frame, setMemory, vcpuOf } from '../lens.ts';
import type { Machine } from '../machine.ts';
import { write } from '../memory/access.ts';
import { pageOf } from '../memory/memory.ts';
import { EMPTY_PAGE } from '../memory/page.ts';
import { itemsOf } from '../numbered.ts';
import { miscounted } from '../testing/census.ts';
import { DOM0, DOM1, frameAt, mmuext, mmuUpdate, operate, POOL, remap, SELF, twoDomains } from '../testing/guest.ts';
import { setVcpuInfo, vcpuInfo } from '../vcpu_info.ts';
import { fromNumber } from '../word/word.ts';

/** Each domain has eight pages to play with, and grants them all to the other. */
const PAGES = 8;
const start = ((): Machine => {
  let m = twoDomains(ONE_PAGE_KERNEL);
  const { flags, domid, frame: granted } = grant_entry_v1.fields;
  for (const at of [DOM0, DOM1])
    for (let n = 0; n < PAGES; n++) {
      const table = domainOf(m, at.domid).grants.frames[0];
      let memory = write(m.memory, table, (8 + n) * 8 + flags.at, 2, fromNumber(GTF.permit_access));
      memory = write(memory, table, (8 + n) * 8 + domid.at, 2, fromNumber(1 - at.domid));
      m = setMemory(m, write(memory, table, (8 + n) * 8 + granted.at, 4, fromNumber(frameAt(m, at, POOL + n * 4096))));
    }
  return m;
})();
const mfnOf = (at: VcpuRef, n: number): number => frameAt(start, at, POOL + n * 4096);

const n = fc.integer({ min: 0, max: PAGES - 1 });
const flags = fc.constantFrom(0, 0x21, 0x25, 0x61, 0x63, 0x67, 0xe3);
/** A page of the pool, of either domain, or the top-level table. */
const target = fc.oneof({ weight: 8, arbitrary: n }, { weight: 1, arbitrary: fc.constantFrom(100, 200) });
const step = fc.oneof(
  fc.record({ do: fc.constant('remap' as const), at: n, to: target, flags }),
  fc.record({ do: fc.constant('entry' as const), table: n, index: fc.constantFrom(0, 1, 2, 300), to: target, flags }),
  fc.record({
    do: fc.constantFrom(
      'pin_l1_table',
      'pin_l2_table',
      'pin_l3_table',
      'pin_l4_table',
      'unpin_table',
      'new_user_baseptr',
      'clear_page' as const,
    ),
    page: n,
  }),
  fc.record({ do: fc.constant('map' as const), at: n, ref: n, flags: fc.constantFrom(1, 2, 3, 5, 6, 7) }),
  fc.record({ do: fc.constant('unmap' as const), at: n, handle: fc.integer({ min: 0, max: 6 }), bus: n }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const frameFor = (at: VcpuRef, to: number): number => {
  if (to === 100) return vcpuOf(start, at).kernelTable;
  return to === 200 ? mfnOf({ domid: 1 - at.domid, vcpu: 0 }, 0) : mfnOf(at, to);
};
const pte = (mfn: number, low: number): bigint => (low === 0 ? 0n : (BigInt(mfn) << 12n) | BigInt(low));

const take = (m: Machine, at: VcpuRef, s: Step): Machine => {
  switch (s.do) {
    case 'remap':
      return remap(m, at, POOL + s.at * 4096, pte(frameFor(at, s.to), s.flags)).machine;
    case 'entry':
      return mmuUpdate(m, at, [[(BigInt(mfnOf(at, s.table)) << 12n) + BigInt(s.index * 8), pte(frameFor(at, s.to), s.flags)]]).machine;
    case 'map':
      return operate(m, at, 'grant_table_op', 'map_grant_ref', gnttab.map_grant_ref, {
        host_addr: POOL + s.at * 4096,
        flags: s.flags,
        ref: 8 + s.ref,
        dom: 1 - at.domid,
      }).machine;
    case 'unmap': {
      const bus = mfnOf({ domid: 1 - at.domid, vcpu: 0 }, s.bus) * 4096;
      const mapping = domainOf(m, at.domid).grants.maptrack[s.handle];
      const fields = { host_addr: POOL + s.at * 4096, dev_bus_addr: (mapping?.flags ?? 0) & GNTMAP.device_map ? bus : 0, handle: s.handle };
      return operate(m, at, 'grant_table_op', 'unmap_grant_ref', gnttab.unmap_grant_ref, fields).machine;
    }
    default:
      return mmuext(m, at, s.do as Parameters<typeof mmuext>[2], mfnOf(at, s.page), 0, SELF).machine;
  }
};

/** The same while an upcall waits that could be delivered, so that every call stops half way as often as it can. */
const hurried = (m: Machine, at: VcpuRef, s: Step): Machine => {
  const mask = vcpuInfo(m, at, 'evtchn_upcall_mask');
  const after = take(setVcpuInfo(setVcpuInfo(m, at, 'evtchn_upcall_pending', 1), at, 'evtchn_upcall_mask', 0), at, s);
  return setVcpuInfo(setVcpuInfo(after, at, 'evtchn_upcall_pending', 0), at, 'evtchn_upcall_mask', mask);
};

const steps = fc.array(fc.tuple(fc.constantFrom(DOM0, DOM1), step), { minLength: 10, maxLength: 60 });

it('references and uses are what the tables, pins, base pointers and grants add up to', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(steps, (steps) => {
      let machine = start;
      for (const [at, s] of steps) {
        machine = take(machine, at, s);
        for (let i = 0; i < PAGES; i++) seen.add(frame(machine, mfnOf(at, i))!.type);
      }
      expect(miscounted(machine)).toEqual([]);
    }),
    { numRuns: 60, seed: 3 },
  );
  expect([...seen].sort()).toEqual(['l1', 'l2', 'l3', 'l4', 'none', 'writable']);
});

it('calls that are interrupted again and again come to the same', () =>
  fc.assert(
    fc.property(steps, (steps) => {
      let machine = start;
      let interrupted = start;
      for (const [at, s] of steps) {
        machine = take(machine, at, s);
        interrupted = hurried(interrupted, at, s);
      }
      expect(frameSums(interrupted.frames)).toEqual(frameSums(machine.frames));
      expect(miscounted(interrupted)).toEqual([]);
    }),
    { numRuns: 40, seed: 4 },
  ));

describe('a domain that is destroyed after any of it', () => {
  /** Its end, in one go or with a stop wherever Xen asks. */
  const end = (machine: Machine, stopAlways: boolean): Machine => {
    let m = machine;
    for (;;) {
      const killed = kill({ ...m, questions: 0, forced: stopAlways ? [1] : [] }, DOM0, 1);
      m = killed.machine;
      if (killed.over) return { ...m, questions: 0, forced: [], journal: EMPTY_JOURNAL };
    }
  };
  const framesOf = (machine: Machine, domid: number): readonly number[] =>
    Array.from({ length: machine.config.frames }, (_, mfn) => mfn).filter((mfn) => frame(machine, mfn)!.owner === domid);
  /** Frames of domain 1 that domain 0's tables map. */
  const heldBy0 = (machine: Machine): number => framesOf(machine, 1).filter((mfn) => frame(machine, mfn)!.refs > 1).length;

  it('leaves nothing behind but what others hold, and their counts add up', () =>
    fc.assert(
      fc.property(steps, (steps) => {
        let machine = start;
        for (const [at, s] of steps) machine = take(machine, at, s);
        const after = end(machine, false);
        expect(miscounted(after)).toEqual([]);
        const left = framesOf(after, 1);
        expect(left.length).toBe(findDomain(after, 1)?.pages ?? 0);
        for (const mfn of left) expect(frame(after, mfn)!.allocated).toBe(false);
        expect(itemsOf(domainOf(after, 0).grants.active)).toHaveLength(0);
        expect(left.length).toBeLessThanOrEqual(heldBy0(machine));
        const own = framesOf(machine, 1).filter((mfn) => mfn >= machine.config.layout.domheap_first);
        for (const mfn of own.filter((mfn) => !left.includes(mfn))) expect(pageOf(after.memory, mfn)).toBe(EMPTY_PAGE);
      }),
      { numRuns: 25, seed: 5 },
    ));

  it('ends the same wherever it is interrupted', () =>
    fc.assert(
      fc.property(steps, (steps) => {
        let machine = start;
        for (const [at, s] of steps) machine = take(machine, at, s);
        expect(frameSums(end(machine, true).frames)).toEqual(frameSums(end(machine, false).frames));
      }),
      { numRuns: 4, seed: 6 },
    ));
});
