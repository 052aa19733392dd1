import { expect, test } from 'vitest';
import { HYPERCALL } from '../abi/hypercall.ts';
import { callName, elementName, OUTSIDE, type Stretch, WORK, WORK_KINDS } from '../work.ts';
import { domain, small } from './testing/small_machine.ts';
import { BOUNDS, work } from './work.ts';

const stretch = (call: string, kind: Stretch['kind'], units: number, domid = 1): Stretch => ({ call, domid, kind, units });
const told = (one: Stretch, domains = [domain(0), domain(1)]): readonly string[] => [
  ...work.violations({ ...small({ domains }), work: [one] }),
];

test('each bound holds up to its last unit, and is told by name beyond it', () => {
  const who = { view: small({ domains: [domain(0), domain(1)] }), domid: 1 };
  for (const { call, operations, kind, most } of BOUNDS) {
    const bound = most(who);
    for (const name of operations?.map((operation) => `${call}/${operation}`) ?? [call]) {
      expect(told(stretch(name, kind, bound)), name).toEqual([]);
      expect(told(stretch(name, kind, bound + 1)), name).toEqual([
        `${name} of d1 goes through units of ${kind} without a question: ${bound + 1}, not ${bound}`,
      ]);
    }
  }
});

test('what no bound speaks of may not be gone through at all', () => {
  expect(told(stretch('event_channel_op/close', 'port', 3))).toEqual([
    'event_channel_op/close of d1 goes through units of port without a question: 3',
  ]);
  expect(told(stretch('grant_table_op/unmap_grant_ref', 'port', 3))).toHaveLength(1);
  expect([...work.violations(small({}))]).toEqual([]);
});

test('a bound of a whole call is one of its operations, too, but not of another call that begins alike', () => {
  expect(told(stretch('mmuext_op/pin_l4_table', 'slot', 2050))).toEqual([]);
  expect(told(stretch('mmuext_op/pin_l4_table', 'slot', 2051))).toHaveLength(1);
  expect(told(stretch('mmuext_op/new_baseptr', 'slot', 2562))).toEqual([]);
  expect(told(stretch('mmuext_ops', 'slot', 3))).toHaveLength(1);
});

test('how large an extent may be is a matter of whose it is', () => {
  const extent = (order: number, domid: number) => stretch('memory_op/populate_physmap', 'page', 2 ** order, domid);
  expect([told(extent(9, 1)), told(extent(18, 0))]).toEqual([[], []]);
  expect([told(extent(10, 1)).length, told(extent(19, 0)).length]).toEqual([1, 1]);
  for (const given of [{ io_ports: [[0x70, 0x71]] }, { io_frames: [[1, 1]] }] as const) {
    expect(told(extent(12, 1), [domain(1, given)])).toEqual([]);
    expect(told(extent(13, 1), [domain(1, given)])).toHaveLength(1);
  }
  // One that is gone by now has no devices that anybody could see.
  expect(told(extent(10, 7))).toHaveLength(1);
});

test('the tables of all vCPUs go with a domain', () => {
  const view = small({ domains: [domain(0)] });
  const most = Math.max(...view.config.domains.map(({ vcpus }) => vcpus));
  const { most: bound } = BOUNDS.find(({ call, kind }) => call === 'domctl' && kind === 'slot')!;
  expect(bound({ view, domid: 0 })).toBe(513 + 3 * 512 + 1537);
  expect(told(stretch('domctl/destroydomain', 'slot', 513 + (2 * most - 1) * 512 + 1537))).toEqual([]);
  expect(told(stretch('domctl/destroydomain', 'slot', 513 + (2 * most - 1) * 512 + 1538))).toHaveLength(1);
});

test('bounds are of calls that there are, and each has its reason', () => {
  for (const { call, why } of BOUNDS) {
    expect(call === OUTSIDE || call in HYPERCALL, call).toBe(true);
    expect(why).toMatch(/.{8,}/);
  }
  expect(WORK_KINDS.map((kind) => WORK[kind])).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('work is told under the call and its operation', () => {
  expect(callName('event_channel_op', 10)).toBe('event_channel_op/reset');
  expect(callName('event_channel_op', 0x7fff)).toBe('event_channel_op');
  expect(callName('memory_op', 1 + (5 << 6))).toBe('memory_op/decrease_reservation');
  expect(callName('grant_table_op', 12 + (3 << 12))).toBe('grant_table_op/cache_flush');
  expect([callName('mmuext_op', 0), callName('domctl', 2), callName('iret', 0)]).toEqual(['mmuext_op', 'domctl', 'iret']);
  expect(elementName('mmuext_op', 3)).toBe('mmuext_op/pin_l4_table');
  expect([elementName('domctl', 2), elementName('domctl', 12), elementName('domctl', 5000)]).toEqual([
    ...['domctl/destroydomain', 'domctl/setvcpucontext'],
    'domctl',
  ]);
});
