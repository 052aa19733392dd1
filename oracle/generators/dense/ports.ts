/**
 * Event channels that come and go as fast as they are made, so that the ports that calls name are of every kind: what closes one end of a channel
 * leaves the other to be bound again, and a VIRQ is free again when its port is closed.
 */

import type { Value } from '#spec/program.ts';
import { type Generation, SELF } from '../state.ts';
import { timelessVirq } from '../virqs.ts';
import { call, type Maker, oneOf, type Theme } from './theme.ts';

/** Xen hands out the lowest free port, so that the first of these are in use most of the time, and no port lives for ever. */
const [LAST_IN_USE, LAST_PORT] = [6, 16];
/** Two domains hand over to each other by port 1. */
const firstPort = ({ state }: Generation): number => (state.two ? 2 : 1);
const port = (g: Generation): Value => (g.r.one(24) ? g.r.pick([0, 1000, 0x20000]) : g.r.int(firstPort(g), LAST_IN_USE));
const owned = (g: Generation): number => g.r.int(firstPort(g), LAST_PORT);
const virq = ({ r }: Generation): number => (r.one(12) ? 24 : timelessVirq(r));

const MAKERS: readonly Maker[] = [
  {
    weight: 24,
    row: 'event_channel_op/alloc_unbound',
    make: (g) =>
      call('event_channel_op', 6, {
        struct: 'evtchn.alloc_unbound',
        fields: { dom: SELF, remote_dom: g.r.one(20) ? g.r.pick([0, 1, 0x7fe0]) : SELF },
      }),
  },
  {
    weight: 7,
    row: 'event_channel_op/bind_interdomain',
    make: (g) => call('event_channel_op', 0, { struct: 'evtchn.bind_interdomain', fields: { remote_dom: SELF, remote_port: port(g) } }),
  },
  {
    weight: 4,
    row: 'event_channel_op/bind_virq',
    make: (g) => call('event_channel_op', 1, { struct: 'evtchn.bind_virq', fields: { virq: virq(g), vcpu: g.r.one(12) ? 1 : 0 } }),
  },
  {
    weight: 1,
    row: 'event_channel_op/bind_ipi',
    make: () => call('event_channel_op', 7, { struct: 'evtchn.bind_ipi', fields: { vcpu: 0 } }),
  },
  {
    weight: 40,
    row: 'event_channel_op/close',
    make: (g) => call('event_channel_op', 3, { struct: 'evtchn.close', fields: { port: owned(g) } }),
  },
  {
    weight: 3,
    row: 'event_channel_op/send',
    make: (g) => call('event_channel_op', 4, { struct: 'evtchn.send', fields: { port: port(g) } }),
  },
  {
    weight: 2,
    row: 'event_channel_op/status',
    make: (g) => call('event_channel_op', 5, { struct: 'evtchn.status', fields: { dom: SELF, port: port(g) } }),
  },
  {
    weight: 1,
    row: 'event_channel_op/unmask',
    make: (g) => call('event_channel_op', 9, { struct: 'evtchn.unmask', fields: { port: owned(g) } }),
  },
  {
    weight: 1,
    row: 'event_channel_op/bind_vcpu',
    make: (g) => call('event_channel_op', 8, { struct: 'evtchn.bind_vcpu', fields: { port: owned(g), vcpu: 0 } }),
  },
];

export const ports: Theme = {
  name: 'ports',
  weight: 6,
  needs: ['event_channel_op/bind_interdomain'],
  prepare: () => [],
  call: oneOf(MAKERS),
};
