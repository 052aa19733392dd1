import { expect, test } from 'vitest';
import type { FrameObservation } from '../observation.ts';
import { LEADS } from './cached.ts';
import { activeGrant, domain, frame, small } from './testing/small_machine.ts';
import { translations } from './translations.ts';
import type { View } from './view.ts';

const MFN = 0x500;
const { read, write, table } = LEADS;

const view = (domid: number, ways: number, state: Partial<FrameObservation> | null, mfn = MFN): View => ({
  ...small({
    domains: [domain(0), domain(1, { active_grants: [activeGrant(8, 2, MFN, { host_read: 1 })] }), domain(2)],
    frames: state ? [frame(mfn, state)] : [],
  }),
  cached: [null, { domid, leads: new Map([[mfn, ways]]) }],
});
const found = (...args: Parameters<typeof view>): readonly string[] => [...translations.violations(view(...args))];
const said = (domid: number, what: string): readonly string[] => [`processor 1 may have cached for d${domid} ${what}: 0x500`];

test('where only one moment is known nothing is cached', () => expect([...translations.violations(small({}))]).toEqual([]));

test.each([read, write, table, read | write | table])('a free frame harms nobody (%i)', (ways) => expect(found(1, ways, null)).toEqual([]));

test.each([
  [read, {}],
  [write, {}],
  [write, { type: 'writable', type_refs: 1 }],
  [write, { type: 'l1', type_refs: 0 }],
  [write, { type: 'seg_desc', type_refs: 0 }],
  [read, { type: 'l1', type_refs: 1 }],
  [read, { type: 'seg_desc', type_refs: 2 }],
  [table, { type: 'l2', type_refs: 1 }],
  [table, { type: 'writable', type_refs: 0 }],
] as const)('the domain’s own frame, %i while it is %o', (ways, state) => expect(found(1, ways, { owner: 1, ...state })).toEqual([]));

test.each([
  [write, { type: 'l1', type_refs: 1 }, 'a page table, to be written'],
  [write | table, { type: 'l4', type_refs: 1 }, 'a page table, to be written'],
  [read | write, { type: 'seg_desc', type_refs: 1 }, 'descriptors, to be written'],
  [table, { type: 'writable', type_refs: 1 }, 'as a page table, what it can write'],
] as const)('but not %i while it is %o', (ways, state, what) => {
  expect(found(1, ways, { owner: 1, ...state })).toEqual(said(1, what));
  expect(found(0, ways, { owner: 0, ...state })).toEqual(said(0, what));
});

test('another’s frame as far as it is granted', () => {
  expect(found(2, read, { owner: 1 })).toEqual([]);
  expect(found(2, write, { owner: 1 })).toEqual(said(2, 'a frame of d1 that it was not granted'));
  expect(found(2, read, { owner: 0 })).toEqual(said(2, 'a frame of d0 that it was not granted'));
  expect(found(1, read, { owner: null, type: 'writable' })).toEqual(said(1, 'a frame of nobody'));
});

test('domain 0 may lead anywhere, but never by another’s page as its table', () => {
  expect(found(0, write, { owner: 1, type: 'l1', type_refs: 1 })).toEqual([]);
  expect(found(0, table, { owner: 1, type: 'l1', type_refs: 1 })).toEqual(said(0, 'as a page table, a frame of d1'));
});

test('what is Xen’s own, and what Xen shares', () => {
  expect(found(1, read, null, 0x401)).toEqual([]);
  expect(found(2, read, null, 0x401)).toEqual(['processor 1 may have cached for d2 what Xen shares with d1: 0x401']);
  expect(found(1, read, null, 0x40f)).toEqual(['processor 1 may have cached for d1 what is Xen’s own: 0x40f']);
  expect(found(1, table, null, 0x200)).toEqual([]);
  expect(found(1, write, null, 0x200)).toEqual(['processor 1 may have cached for d1 the machine-to-physical table, to be written: 0x200']);
});
