import { expect, test } from 'vitest';
import type { Engine } from '../engine.ts';
import { LEADS } from './cached.ts';
import { INVARIANTS, viewOf, violations } from './index.ts';
import { activeGrant, bytesOf, CONFIG, domain, entry, frame, port, small, vcpu } from './testing/small_machine.ts';
import { domainOf, hex } from './view.ts';

test('each invariant is a sentence of its own, and names the property that a defect of its kind violates', () => {
  const all = Object.entries(INVARIANTS);
  for (const [, { states }] of all) expect(states).toMatch(/^[A-Z].{40,}\.$/);
  expect(new Set(all.map(([, { states }]) => states)).size).toBe(all.length);
  expect(Object.fromEntries(all.map(([id, { property }]) => [id, property]))).toEqual({
    'count/references': 'REF',
    'count/types': 'TYPE',
    'count/pages': 'REF',
    'count/grants': 'REF',
    'owner/mappings': 'OWN',
    'owner/tables': 'OWN',
    'owner/translations': 'OWN',
    'channel/pairs': 'SAFE',
    'channel/once': 'SAFE',
    'authority/ring': 'PRIV',
    'quota/limits': 'QUOTA',
    'gone/remains': 'LEAK',
    'work/bounded': 'TERM',
    'neutral/exit': 'SAFE',
    'total/machine': 'NOCRASH',
  });
});

test('a machine without anything is in order, and one with everything wrong breaks every invariant', () => {
  expect([...violations(small({}))]).toEqual([]);
  const wrong = domain(0, {
    ...{ pages: 7, claimed: 0x10000, vcpus: [vcpu({ rflags: '0x0', user_table: 0x502 })] },
    ports: [port(0, { status: 'interdomain', remote_dom: 9, remote_port: 1 })],
    active_grants: [activeGrant(1, 9, 0x501, { host_read: 1 })],
  });
  const frames = [frame(0x501, { type: 'l1', type_refs: 3 }), frame(0x502, { owner: 1 })];
  const cached = [{ domid: 0, leads: new Map([[0x501, LEADS.write]]) }];
  const work = [{ call: 'iret', domid: 0, kind: 'port', units: 3 }] as const;
  const broken = { ...small({ domains: [wrong], frames, words: { 1281: { 0: entry(0x600) } } }), cached, work, left: ['a timer is due'] };
  const told = [...violations(broken)];
  const alive = Object.keys(INVARIANTS).filter((id) => id !== 'total/machine');
  expect(new Set(told.map(({ invariant }) => invariant))).toEqual(new Set(alive));
  // Of a machine that is no more nothing else is asked.
  expect([...violations({ ...broken, fault: 'an index of -1' })]).toEqual([{ invariant: 'total/machine', what: 'an index of -1' }]);
  expect(told).toContainEqual({ invariant: 'authority/ring', what: 'd0v0: RFLAGS 0x0 keeps interrupts from Xen' });
});

test('the view of an engine asks for each page once, and sees the bytes where they lie', () => {
  const asked: number[] = [];
  const { observation, frames } = small({ frames: [frame(0x501), frame(0x503)] });
  const engine = {
    observe: () => observation,
    frames: () => frames.values(),
    page: (mfn: number) => {
      asked.push(mfn);
      return bytesOf({ 1: BigInt(mfn), 511: 7n });
    },
  } as unknown as Engine;
  const view = viewOf(CONFIG, engine);
  expect([view.config, view.observation, view.frames]).toEqual([CONFIG, observation, frames]);
  expect(asked).toEqual([]);
  for (const mfn of [0x501, 0x503, 0x501]) expect(view.page(mfn).getBigUint64(8, true)).toBe(BigInt(mfn));
  expect([view.page(0x501).byteLength, view.page(0x501).getUint8(4088)]).toEqual([4096, 7]);
  expect(asked).toEqual([0x501, 0x503]);
});

test('a domain is found by its number', () => {
  const view = small({ domains: [domain(0), domain(4)] });
  expect([domainOf(view, 4)?.domid, domainOf(view, 1)]).toEqual([4, undefined]);
  expect(hex(0x1f0)).toBe('0x1f0');
});
