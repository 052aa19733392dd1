/** A call that is stopped, at whatever question, and made again leaves everything as if it had not been stopped. */
import { expect, test } from 'vitest';
import { SUBOPERATIONS } from '#spec/abi/hypercall.ts';
import { DOMID } from '#spec/abi/xen.ts';
import { ARGS_AT, ARGUMENTS, L1, L4, TwoDomains } from '../testing/two_domains.ts';
import { mmu_update } from './mmu_update.ts';
import { mmuext_op } from './mmuext_op.ts';

const OP = SUBOPERATIONS.mmuext_op;
/** Pages that become tables: two of level 1 and 2, one of level 3 and 4. */
const TABLES = { l1: 40, otherL1: 41, l2: 42, otherL2: 43, l3: 44, l4: 45 } as const;
const DATA = 50;
const RW_KERNEL = 0x63;
const TABLE_FLAGS = 0x67;

const entryAt = (t: TwoDomains, page: number, slot: number): number => t.mfn(0, page) * 4096 + 8 * slot;
const ext = (t: TwoDomains, ...ops: readonly (readonly [cmd: number, mfn: number])[]): number => {
  t.put(0, ARGUMENTS, 0, ...ops.flatMap(([cmd, mfn]) => [cmd, 0, mfn, 0, 0, 0]));
  return t.call(0, mmuext_op, ARGS_AT, ops.length, 0, DOMID.SELF);
};
const update = (t: TwoDomains, ...updates: readonly (readonly [at: number, value: number])[]): number => {
  t.put(0, ARGUMENTS, 0, ...updates.flatMap(([at, value]) => [at, 0, value, 0]));
  return t.call(0, mmu_update, ARGS_AT, updates.length, 0, DOMID.SELF);
};

/** A tree that is not in use: its pages are not mapped, its entries lie at both ends of the tables and between. */
const prepare = (): TwoDomains => {
  const t = new TwoDomains();
  const point = (page: number, slot: number, to: number, flags: number): void =>
    t.machine.memory.writeHalves(entryAt(t, page, slot), (t.mfn(0, to) << 12) | flags, 0);
  for (const page of Object.values(TABLES)) expect(update(t, [entryAt(t, L1, page), 0])).toBe(0);
  point(TABLES.l1, 0, DATA, RW_KERNEL);
  point(TABLES.l1, 511, DATA + 1, RW_KERNEL);
  point(TABLES.otherL1, 7, DATA, RW_KERNEL);
  point(TABLES.l2, 0, TABLES.l1, TABLE_FLAGS);
  point(TABLES.l2, 300, TABLES.otherL1, TABLE_FLAGS);
  point(TABLES.otherL2, 511, TABLES.otherL1, TABLE_FLAGS);
  point(TABLES.l3, 1, TABLES.l2, TABLE_FLAGS);
  point(TABLES.l3, 510, TABLES.otherL2, TABLE_FLAGS);
  point(TABLES.l4, 0, TABLES.l3, TABLE_FLAGS);
  return t;
};

/** What is done to the tree; each answers what the guest saw. */
const WORK: readonly (readonly [name: string, work: (t: TwoDomains) => readonly number[]])[] = [
  [
    'pinned and unpinned',
    (t) => {
      const l4 = t.mfn(0, TABLES.l4);
      return [ext(t, [OP.pin_l4_table, l4], [OP.tlb_flush_local, 0]), ext(t, [OP.unpin_table, l4])];
    },
  ],
  [
    'loaded, its entries changed, and another loaded',
    (t) => {
      const user = OP.new_user_baseptr;
      return [
        ext(t, [user, t.mfn(0, TABLES.l4)]),
        update(t, [entryAt(t, TABLES.l3, 1), 0], [entryAt(t, TABLES.l1, 0), 0]),
        update(t, [entryAt(t, TABLES.l4, 0), 0]),
        ext(t, [user, t.mfn(0, L4)], [user, 0]),
      ];
    },
  ],
  [
    'refused for an entry far down',
    (t) => {
      t.machine.memory.writeHalves(entryAt(t, TABLES.otherL1, 9), (t.mfn(1, 60) << 12) | RW_KERNEL, 0);
      return [ext(t, [OP.pin_l4_table, t.mfn(0, TABLES.l4)]), ext(t, [OP.tlb_flush_local, 0])];
    },
  ],
];

const outcome = (work: (t: TwoDomains) => readonly number[], preempt: readonly number[]): readonly unknown[] => {
  const t = prepare();
  t.machine.questions = 0;
  t.machine.preempt = preempt;
  const answers = work(t);
  return [answers, t.counts(), t.machine.memory.digest(), t.machine.questions];
};

test.each(WORK)('a tree that is %s', (_, work) => {
  const [answers, counts, memory, questions] = outcome(work, []);
  const all = questions as number;
  expect(all).toBeGreaterThan(400);
  const stops = [1, 2, 3, all - 1, all, ...Array.from({ length: 12 }, (_, i) => Math.round(((i + 1) * all) / 13))];
  for (const stop of stops) expect(outcome(work, [stop]).slice(0, 3), `stopped at ${stop}`).toEqual([answers, counts, memory]);
  // More than once, as far as the test's way to make a call again goes.
  expect(outcome(work, [5, 300, 301, 600, 900]).slice(0, 3)).toEqual([answers, counts, memory]);
});
