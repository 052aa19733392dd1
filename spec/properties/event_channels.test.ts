import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VIRQ } from '../abi/xen.ts';
import { channelsOnce, channelsPair, doubledChannels, unpairedChannels } from './event_channels.ts';
import { domain, port, small, vcpu } from './testing/small_machine.ts';

const leads = (from: number, dom: number, to: number) => port(from, { status: 'interdomain', remote_dom: dom, remote_port: to });
const pairs = (...domains: Parameters<typeof unpairedChannels>[0]) => [...unpairedChannels(domains)];
const once = (ports: Parameters<typeof doubledChannels>[0][number]['ports'], vcpus = 2) => [
  ...doubledChannels([{ domid: 3, ports, vcpus: { length: vcpus } }]),
];

test('the ends of channels name each other, also within a domain', () => {
  const whole = [domain(1, { ports: [leads(4, 2, 6), leads(5, 1, 7), leads(7, 1, 5)] }), domain(2, { ports: [leads(6, 1, 4), port(8)] })];
  expect(pairs(...whole)).toEqual([]);
});

test.each([
  ['nobody', domain(5, { ports: [] })],
  ['no port', domain(2, { ports: [leads(7, 1, 4)] })],
  ['a port that waits', domain(2, { ports: [port(6, { remote_dom: 1, remote_port: 4 })] })],
  ['another domain’s end', domain(2, { ports: [leads(6, 3, 4)] })],
  ['another port’s end', domain(2, { ports: [leads(6, 1, 5)] })],
])('an end that leads to %s', (_, other) => {
  expect(pairs(domain(1, { ports: [leads(4, 2, 6)] }), other)).toContain('port 4 of d1 leads to port 6 of d2, which does not lead back');
});

test('a channel that is made whole or not at all', () => {
  const end = fc.record({ dom: fc.nat(1), to: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(fc.array(fc.option(end), { minLength: 6, maxLength: 6 }), (ends) => {
      const domains = [0, 1].map((domid) =>
        domain(domid, {
          ports: [1, 2, 3].flatMap((n) =>
            ends[3 * domid + n - 1] ? [leads(n, ends[3 * domid + n - 1]!.dom, ends[3 * domid + n - 1]!.to)] : [],
          ),
        }),
      );
      const at = (dom: number, n: number) => ends[3 * dom + n - 1];
      const alone = ends.filter(
        (own, i) => own && !(at(own.dom, own.to)?.dom === Math.floor(i / 3) && at(own.dom, own.to)?.to === (i % 3) + 1),
      );
      expect(pairs(...domains)).toHaveLength(alone.length);
    }),
  );
});

const virq = (from: number, number: number, of = 0) => port(from, { status: 'virq', number, vcpu: of });
test('a virtual interrupt has one port: those of each vCPU for each, the others for all', () => {
  for (const number of [VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU]) {
    expect(once([virq(1, number), virq(2, number, 1)])).toEqual([]);
    expect(once([virq(1, number, 1), virq(2, number, 1)])).toEqual([`d3 has two ports for VIRQ ${number} of vCPU 1`]);
  }
  for (const number of [VIRQ.CONSOLE, VIRQ.DOM_EXC, VIRQ.ARGO])
    expect(once([virq(1, number), virq(2, number, 1)])).toEqual([`d3 has two ports for VIRQ ${number}`]);
  expect(once([virq(1, VIRQ.CONSOLE), virq(2, VIRQ.DOM_EXC)])).toEqual([]);
});

test('a physical interrupt has one port, and is no virtual one', () => {
  const pirq = (from: number, number: number) => port(from, { status: 'pirq', number });
  expect(once([pirq(1, 2), pirq(2, 3), virq(3, 2)])).toEqual([]);
  expect(once([pirq(1, 2), pirq(2, 2)])).toEqual(['d3 has two ports for interrupt 2']);
  expect(once([port(1, { number: 2 }), port(2, { number: 2 })])).toEqual([]);
});

test('port 0 is nobody’s, and a port belongs to a vCPU that there is', () => {
  expect(once([port(0)])).toEqual(['d3 has two ports for port 0']);
  expect(once([port(1, { vcpu: 1 }), port(2, { vcpu: 2 }), port(3, { vcpu: 3 })])).toEqual([
    'port 2 of d3 belongs to vCPU 2, which there is not',
    'port 3 of d3 belongs to vCPU 3, which there is not',
  ]);
});

test('as invariants they are said of every domain', () => {
  const view = small({ domains: [domain(0), domain(1, { ports: [leads(0, 0, 1)], vcpus: [vcpu()] })] });
  expect([...channelsPair.violations(view)]).toEqual(['port 0 of d1 leads to port 1 of d0, which does not lead back']);
  expect([...channelsOnce.violations(view)]).toEqual(['d1 has two ports for port 0']);
});
