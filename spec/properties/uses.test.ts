import { expect, test } from 'vitest';
import { activeGrant, domain, entry, frame, type Parts, PRESENT, small, vcpu, WRITABLE } from './testing/small_machine.ts';
import { baseTables, isCompat, uses } from './uses.ts';

const told = (parts: Parts) => [...uses(small(parts))].map(({ mfn, type, by }) => [mfn, type, by()]);
const table = (mfn: number, type: 'l1' | 'l2' | 'l3' | 'l4', partial: { entries: number; nested: boolean } | null = null) =>
  frame(mfn, { type, type_refs: 1, partial });

test('an entry of a level 1 table refers to a frame, and uses it as writable when it says so', () => {
  const words = { 1281: { 0: entry(0x502), 5: entry(0x503, PRESENT | WRITABLE), 6: entry(0x504, WRITABLE) } };
  expect(told({ frames: [table(0x501, 'l1')], words })).toEqual([
    [0x502, null, 'entry 0 of l1 501'],
    [0x503, 'writable', 'entry 5 of l1 501'],
  ]);
});

test.each([
  ['l2', 'l1'],
  ['l3', 'l2'],
  ['l4', 'l3'],
] as const)('an entry of an %s uses an %s, or another table of its own level, and says nothing of itself', (type, below) => {
  const frames = [table(0x501, type), table(0x502, below), frame(0x503, { type, type_refs: 0 }), table(0x504, type)];
  const words = { 1281: { 0: entry(0x501), 1: entry(0x502), 2: entry(0x503), 3: entry(0x504), 4: entry(0x505) } };
  expect(told({ frames, words })).toEqual([
    [0x502, below, `entry 1 of ${type} 501`],
    [0x503, below, `entry 2 of ${type} 501`],
    [0x504, type, `entry 3 of ${type} 501`],
    [0x505, below, `entry 4 of ${type} 501`],
  ]);
});

test('a table that is half way holds itself, and the entry whose table is half way too', () => {
  const words = { 1281: { 0: entry(0x502), 1: entry(0x503), 2: entry(0x504) } };
  const half = (entries: number, nested: boolean) => told({ frames: [table(0x501, 'l2', { entries, nested })], words });
  const first = [0x502, 'l1', 'entry 0 of l2 501'];
  expect(half(1, false)).toEqual([first, [0x501, 'l2', 'its state half way']]);
  expect(half(1, true)).toEqual([first, [0x501, 'l2', 'its state half way'], [0x503, null, 'entry 1 of 501, half way']]);
  expect(half(3, true).slice(3)).toEqual([[0x501, 'l2', 'its state half way']]);
});

test('a pin uses a table', () => {
  const frames = [frame(0x501, { type: 'l3', pinned: true }), frame(0x502, { type: 'l3' })];
  expect(told({ frames })).toEqual([[0x501, 'l3', 'its pin']]);
});

test('a vCPU holds its tables, the pages of its descriptor tables and the frame of its vcpu_info', () => {
  const held = vcpu({
    ...{ vcpu: 2, kernel_table: 0x501, user_table: 0x502, gdt: { entries: 1024, frames: [0x503, 0x504] }, vcpu_info: [0x507, 64] },
    ldt: {
      base: '0x0',
      entries: 600,
      frames: [
        [0, 0x505],
        [1, 0x506],
      ],
    },
  });
  expect(told({ domains: [domain(1, { vcpus: [held] })], frames: [frame(0x501)] })).toEqual([
    [0x501, 'l4', 'the kernel table of d1v2'],
    [0x502, 'l4', 'the user table of d1v2'],
    [0x503, 'seg_desc', 'the GDT of d1v2'],
    [0x504, 'seg_desc', 'the GDT of d1v2'],
    [0x505, 'seg_desc', 'the LDT of d1v2'],
    [0x506, 'seg_desc', 'the LDT of d1v2'],
    [0x507, 'writable', 'vcpu_info of d1v2'],
  ]);
});

test('a table put off is held by its vCPU, unless it is half given back, or gone', () => {
  const holds = (...frames: Parts['frames'] & object) => told({ domains: [domain(0, { vcpus: [vcpu({ put_off: 0x501 })] })], frames });
  expect(holds(table(0x501, 'l2'))).toEqual([[0x501, 'l2', 'the table put off of d0v0']]);
  expect(holds(table(0x501, 'l2', { entries: 0, nested: false }))).toEqual([[0x501, 'l2', 'its state half way']]);
  expect(holds(table(0x502, 'l2'))).toEqual([]);
});

test('a vcpu_info in the shared info holds nothing, nor does a table that is not there', () => {
  expect(told({ domains: [domain(1, { vcpus: [vcpu({ vcpu_info: [0x401, 64] })] })] })).toEqual([]);
});

test('the base table of a 32-bit vCPU is Xen’s, and leads to the guest’s level 3', () => {
  const compat = vcpu({ kernel_table: 0x600, user_table: 0x601, vcpu_info: [0x401, 0] });
  const with0 = (words: Parts['words']) => ({ domains: [domain(1, { vcpus: [compat] })], ...(words && { words }) });
  expect(isCompat(small({}), compat)).toBe(true);
  expect(isCompat(small({ frames: [frame(0x600)] }), compat)).toBe(false);
  expect(isCompat(small({ frames: [frame(0x600, { owner: null })] }), compat)).toBe(false);
  expect(isCompat(small({}), vcpu())).toBe(false);
  expect(told(with0({ 1536: { 0: entry(0x501), 1: entry(0x502) } }))).toEqual([[0x501, 'l3', 'the base pointer of d1v0']]);
  expect(baseTables(small(with0(undefined)), compat)).toEqual([]);
});

test('FIFO events and the map of interrupts are writable', () => {
  const fifo = {
    array: [0x501, 0x502],
    vcpus: [
      { control_block: null, tails: [] },
      { control_block: [0x503, 8] as const, tails: [] },
    ],
    kept: [],
  };
  expect(told({ domains: [domain(1, { fifo, eoi_map: 0x504 })] })).toEqual([
    [0x501, 'writable', 'the event array of d1'],
    [0x502, 'writable', 'the event array of d1'],
    [0x503, 'writable', 'a control block of d1'],
    [0x504, 'writable', 'the map of interrupts of d1'],
  ]);
});

test('a grant that is mapped for devices holds its frame as often; other mappings stand in page tables', () => {
  const grant = activeGrant(8, 2, 0x501, { host_read: 3, host_write: 4, device_read: 2, device_write: 1 });
  expect(told({ domains: [domain(1, { active_grants: [grant] })] })).toEqual([
    [0x501, null, 'grant 8 of d1, for a device'],
    [0x501, null, 'grant 8 of d1, for a device'],
    [0x501, 'writable', 'grant 8 of d1, for a device'],
  ]);
});
