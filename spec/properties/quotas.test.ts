import { expect, test } from 'vitest';
import type { DomainObservation } from '../observation.ts';
import { quotas } from './quotas.ts';
import { domain, frame, port, small } from './testing/small_machine.ts';

const fifo = { array: [], vcpus: [], kept: [] };
const handles = (count: number) => Array.from({ length: count }, (_, handle) => ({ handle, domid: 0, ref: 0, flags: 0 }));

test.each<readonly [most: Partial<DomainObservation>, over: Partial<DomainObservation>, what: string]>([
  [{ ports: [port(1), port(4095)] }, { ports: [port(1), port(4096)] }, 'd1 has port 4096'],
  [{ ports: [port(131_071)], fifo }, { ports: [port(131_072)], fifo }, 'd1 has port 131072'],
  [{ grant_frames: [1, 2] }, { grant_frames: [1, 2, 3] }, 'd1 has 3 grant frames'],
  [{ maptrack: handles(512) }, { maptrack: handles(513) }, 'd1 has 513 handles'],
  [{ claimed: 0x7ee }, { claimed: 0x7ef }, '2031 pages are claimed, and 2030 frames free'],
])('a domain may have that much, and no more: %#', (most, over, what) => {
  const told = (change: Partial<DomainObservation>) => [
    ...quotas.violations(small({ domains: [domain(0), domain(1, change)], frames: [frame(0x500), frame(0x501)] })),
  ];
  expect(told(most)).toEqual([]);
  expect(told(over)).toEqual([what]);
});

test('what is claimed for all domains together must be there', () => {
  const domains = [domain(0, { claimed: 0x700 }), domain(1, { claimed: 0xf0 })];
  expect([...quotas.violations(small({ domains }))]).toEqual([]);
  expect([...quotas.violations(small({ domains: [...domains, domain(2, { claimed: 1 })] }))]).toEqual([
    '2033 pages are claimed, and 2032 frames free',
  ]);
});
