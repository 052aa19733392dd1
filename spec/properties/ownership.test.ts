import { expect, test } from 'vitest';
import { mappings, tableOwners } from './ownership.ts';
import { activeGrant, domain, entry, frame, type Parts, PRESENT, small, vcpu, WRITABLE } from './testing/small_machine.ts';

const l1 = (owner: number | null) => frame(0x501, { type: 'l1', type_refs: 1, owner });
const grants = [
  activeGrant(1, 1, 0x521, { host_read: 1 }),
  activeGrant(2, 1, 0x522, { host_write: 1 }),
  activeGrant(3, 1, 0x523, { device_read: 1, device_write: 1 }),
  activeGrant(4, 3, 0x524, { host_read: 1, host_write: 1 }),
];
/** Domain `owner` maps one frame. 0x510 is domain 1's, 0x520 to 0x524 are domain 2's, and 0x530 is nobody's. */
const maps = (owner: number | null, mfn: number, flags = PRESENT) => [
  ...mappings.violations(
    small({
      domains: [domain(0), domain(1), domain(2, { active_grants: grants })],
      frames: [
        ...[l1(owner), frame(0x510, { owner: 1 }), frame(0x530, { owner: null })],
        ...[0x520, 0x521, 0x522, 0x523, 0x524].map((each) => frame(each, { owner: 2 })),
        frame(0x531, { owner: 9 }),
      ],
      words: { 1281: { 6: entry(mfn, flags) } },
    }),
  ),
];

/** What domain 1 may not map to read, and to write; domain 0 may what the last column says. */
test.each<readonly [mfn: number, read: string | null, write: string | null, control: string | null]>([
  [0xff, 'device memory', 'device memory', null],
  [0x7f0, 'device memory', 'device memory', null],
  [0x203, null, 'the machine-to-physical table, to be written', 'the machine-to-physical table, to be written'],
  [0x209, null, 'the machine-to-physical table, to be written', 'the machine-to-physical table, to be written'],
  [0x401, null, null, null],
  [0x402, 'what Xen shares with d2', 'what Xen shares with d2', null],
  [0x40f, 'what is Xen’s own', 'what is Xen’s own', 'what is Xen’s own'],
  [0x600, 'a free frame', 'a free frame', 'a free frame'],
  [0x510, null, null, null],
  [0x530, 'a frame of nobody', 'a frame of nobody', null],
  [0x520, 'a frame of d2 that it was not granted', 'a frame of d2 that it was not granted', null],
  [0x521, null, 'a frame of d2 that it was not granted', null],
  [0x522, null, null, null],
  [0x523, 'a frame of d2 that it was not granted', 'a frame of d2 that it was not granted', null],
  [0x524, 'a frame of d2 that it was not granted', 'a frame of d2 that it was not granted', null],
  [0x531, 'a frame of d9 that it was not granted', 'a frame of d9 that it was not granted', null],
])('frame %i: to read %s, to write %s', (mfn, read, write, control) => {
  const says = (domid: number, why: string | null) =>
    why === null ? [] : [`d${domid} maps ${why}: entry 6 of 0x501 leads to 0x${mfn.toString(16)}`];
  expect(maps(1, mfn)).toEqual(says(1, read));
  expect(maps(1, mfn, PRESENT | WRITABLE)).toEqual(says(1, write));
  expect(maps(0, mfn, PRESENT | WRITABLE)).toEqual(says(0, control));
  expect(maps(null, mfn, PRESENT | WRITABLE)).toEqual([]);
});

test('what tables of higher levels lead to is not mapped', () => {
  const parts = { frames: [frame(0x501, { type: 'l2', type_refs: 1, owner: 1 })], words: { 1281: { 0: entry(0x600) } } };
  expect([...mappings.violations(small(parts))]).toEqual([]);
});

/** A table of domain 1, whose entry 6 leads to a frame. */
const leads = (type: 'l1' | 'l2' | 'l4', mfn: number, owner: number | null = 1) => [
  ...tableOwners.violations(
    small({
      frames: [frame(0x501, { type, type_refs: 1, owner }), frame(0x510, { owner: 1 }), frame(0x520, { owner: 2 })],
      words: { 1281: { 6: entry(mfn) } },
    }),
  ),
];

test('a page table leads to its domain’s tables, or to Xen’s machine-to-phys table', () => {
  for (const type of ['l2', 'l4'] as const) {
    expect(leads(type, 0x510)).toEqual([]);
    expect(leads(type, 0x203)).toEqual([]);
    expect(leads(type, 0x520, null)).toEqual([]);
    for (const mfn of [0x520, 0x600])
      expect(leads(type, mfn)).toEqual([`entry 6 of 0x501, a table of d1, leads to 0x${mfn.toString(16)}, which is not its own`]);
  }
  expect(leads('l1', 0x520)).toEqual([]);
});

test('the base pointers of a vCPU are its domain’s', () => {
  const told = (parts: Parts) => [...tableOwners.violations(small(parts))];
  const domains = [domain(1, { vcpus: [vcpu({ vcpu: 3, kernel_table: 0x501, user_table: 0x502 })] })];
  const kernel = frame(0x501, { owner: 1 });
  expect(told({ domains, frames: [kernel, frame(0x502, { owner: 1 })] })).toEqual([]);
  expect(told({ domains, frames: [kernel, frame(0x502, { owner: 2 })] })).toEqual([
    'd1v3 has the base pointer 0x502, which is not its own',
  ]);
  expect(told({ domains, frames: [kernel] })).toEqual(['d1v3 has the base pointer 0x502, which is not its own']);
});
