import { expect, test } from 'vitest';
import type { Channel } from '#model/domain.ts';
import type { PortObservation } from '#spec/observation.ts';
import { doubledChannels, unpairedChannels } from '#spec/properties/event_channels.ts';
import { brokenChannels } from './broken.ts';
import { type ChannelScope, kindsOf, slotsOf } from './scope.ts';

const observed = (port: number, channel: Channel): PortObservation => ({
  port,
  status: channel.state,
  vcpu: channel.vcpu,
  remote_dom: 'remoteDom' in channel ? channel.remoteDom : null,
  remote_port: channel.state === 'interdomain' ? channel.remotePort : null,
  number: channel.state === 'virq' ? channel.virq : null,
});

test.each<ChannelScope>([
  { domids: [0, 1], ports: 2, vcpus: 1, bits: false },
  { domids: [1, 2], ports: 2, vcpus: 2, bits: false },
])(
  'every choice of ports is in order by the tables when it is by the properties, and else is not: %o',
  (scope) => {
    const { channels } = kindsOf(scope);
    const slots = slotsOf(scope);
    const broken = brokenChannels(scope);
    const values = new Int32Array(slots.count);
    const places = [slots.kind(0, 1), slots.kind(0, 2), slots.kind(1, 1), slots.kind(1, 2)];
    const counts = { whole: 0, broken: 0, apart: 0 };
    for (let n = 0; n < channels.length ** 4; n++) {
      for (const [i, place] of places.entries()) values[place] = Math.floor(n / channels.length ** i) % channels.length;
      const ends = scope.domids.map((domid, d) => ({
        domid,
        vcpus: { length: scope.vcpus },
        ports: [1, 2].flatMap((port) => {
          const channel = channels[values[slots.kind(d, port)]!]!;
          return channel === null ? [] : [observed(port, channel)];
        }),
      }));
      const holds = ![unpairedChannels, doubledChannels].some((rule) => !rule(ends).next().done);
      counts[holds ? 'whole' : 'broken']++;
      if (holds !== (broken(values) === null)) counts.apart++;
    }
    expect(counts.apart).toBe(0);
    expect(Math.min(counts.whole, counts.broken)).toBeGreaterThan(500);
  },
  60_000,
);
