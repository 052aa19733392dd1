import { expect, test } from 'vitest';
import { remains } from './remains.ts';
import { activeGrant, domain, frame, type Parts, port, small } from './testing/small_machine.ts';

/** Something of domain `other`'s in every place where a domain is named. */
const named = (other: number): Parts => ({
  domains: [
    domain(0, {
      ports: [port(3, { status: 'interdomain', remote_dom: other }), port(4, { status: 'virq' })],
      active_grants: [activeGrant(8, other, 0x500)],
      maptrack: [{ handle: 2, domid: other, ref: 1, flags: 0 }],
    }),
    domain(1),
  ],
  frames: [frame(0x50a, { owner: other }), frame(0x50b, { owner: null })],
  cpus: [
    { current: null, holds: { domid: other, vcpu: 2 }, flushes: 0 },
    { current: { domid: other, vcpu: 1 }, holds: null, flushes: 0 },
  ],
});

test('a domain that lives may be named everywhere', () => expect([...remains.violations(small(named(1)))]).toEqual([]));

test('one that is gone nowhere', () => {
  expect([...remains.violations(small(named(7)))]).toEqual([
    'frame 50a is of d7',
    'processor 0 holds the state of d7v2',
    'processor 1 runs d7v1',
    'port 3 of d0 leads to d7',
    'grant 8 of d0 is used by d7',
    'handle 2 of d0 is for d7',
  ]);
});

test('a port may wait for a domain that is gone, or is not there yet', () => {
  expect([...remains.violations(small({ domains: [domain(0, { ports: [port(3, { remote_dom: 7 })] })] }))]).toEqual([]);
});
