import { describe, expect, test } from 'vitest';
import { Caches, LEADS } from './cached.ts';
import { domain, entry, frame, type Parts, small, vcpu, WRITABLE } from './testing/small_machine.ts';
import type { View } from './view.ts';

const table = (mfn: number, type: 'l1' | 'l2' | 'l3' | 'l4') => frame(mfn, { type, type_refs: 1 });
const [L4, L3, L2, L1, PAGE, OTHER] = [0x500, 0x501, 0x502, 0x503, 0x504, 0x505];
const HOLDS = { domid: 0, vcpu: 0 };

const machine = ({
  mapped = entry(PAGE, 1n | WRITABLE),
  upper = entry(L3),
  ...parts
}: Parts & { mapped?: bigint; upper?: bigint } = {}): View =>
  small({
    domains: [domain(0, { vcpus: [vcpu({ kernel_table: L4 })] })],
    frames: [table(L4, 'l4'), table(L3, 'l3'), table(L2, 'l2'), table(L1, 'l1'), frame(PAGE), frame(OTHER)],
    words: { [L4]: { 3: upper }, [L3]: { 4: entry(L2) }, [L2]: { 5: entry(L1) }, [L1]: { 6: mapped } },
    cpus: [{ current: HOLDS, holds: HOLDS, flushes: 2 }],
    ...parts,
  });
const leadsOf = ({ cached }: View) => cached?.map((one) => one && [one.domid, [...one.leads].sort(([a], [b]) => a - b)]);
const tables = [L4, L3, L2, L1].map((mfn) => [mfn, LEADS.table]);

describe('what a processor may have cached', () => {
  test('is what the tables of the vCPU lead to that it holds', () =>
    expect(leadsOf(new Caches().look(machine()))).toEqual([[0, [...tables, [PAGE, LEADS.write]]]]));

  test('also while it idles, and nothing when it holds none', () => {
    expect(leadsOf(new Caches().look(machine({ cpus: [{ current: null, holds: HOLDS, flushes: 2 }] })))).toEqual([
      [0, [...tables, [PAGE, LEADS.write]]],
    ]);
    expect(leadsOf(new Caches().look(machine({ cpus: [{ current: null, holds: null, flushes: 2 }] })))).toEqual([null]);
  });

  test('stays when an entry goes or changes', () => {
    const caches = new Caches();
    caches.look(machine());
    expect(leadsOf(caches.look(machine({ mapped: entry(OTHER) })))).toEqual([[0, [...tables, [PAGE, LEADS.write], [OTHER, LEADS.read]]]]);
    expect(leadsOf(caches.look(machine({ mapped: entry(PAGE), upper: 0n })))).toEqual([
      [0, [...tables, [PAGE, LEADS.write], [OTHER, LEADS.read]]],
    ]);
    expect(leadsOf(caches.look(machine({ mapped: entry(OTHER, 1n | WRITABLE) })))).toEqual([
      [0, [...tables, [PAGE, LEADS.write], [OTHER, LEADS.read | LEADS.write]]],
    ]);
  });

  test.each([
    ['it forgets', { current: HOLDS, holds: HOLDS, flushes: 3 }, [[0, [...tables, [OTHER, LEADS.read]]]]],
    ['it takes the state of another', { current: null, holds: { domid: 0, vcpu: 1 }, flushes: 2 }, [[0, []]]],
    ['it gives up the state', { current: null, holds: null, flushes: 2 }, [null]],
  ])('is gone when %s', (_, pcpu, leads) => {
    const caches = new Caches();
    caches.look(machine());
    expect(leadsOf(caches.look(machine({ mapped: entry(OTHER), cpus: [pcpu] })))).toEqual(leads);
  });

  test('each processor has its own', () => {
    const [one, two] = [HOLDS, { domid: 0, vcpu: 7 }].map((holds) => ({ current: null, holds, flushes: 0 }));
    const caches = new Caches();
    caches.look(machine({ cpus: [one!, two!] }));
    expect(leadsOf(caches.look(machine({ mapped: 0n, cpus: [{ ...one!, flushes: 1 }, one!] })))).toEqual([
      [0, tables],
      [0, tables],
    ]);
  });

  test('a table that leads to itself is followed once', () =>
    expect(leadsOf(new Caches().look(machine({ upper: entry(L4) })))).toEqual([[0, [[L4, LEADS.table]]]]));
});
