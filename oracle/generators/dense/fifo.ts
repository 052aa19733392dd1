/**
 * Channels of the FIFO ABI: a domain takes it up, raises ports of many priorities, and gives it back with a reset. Two domains hand over to each other
 * by a port, which a reset would close, so only one that is alone does this.
 */

import type { Value } from '#spec/program.ts';
import { type Generation, PAGES, SELF } from '../state.ts';
import { timelessVirq } from '../virqs.ts';
import { call, type Maker, oneOf, type Theme } from './theme.ts';

const [CONTROL, ARRAY, SECOND] = [PAGES.data[3], PAGES.data[4], PAGES.data[5]];
const BLOCK = 128;
const [LAST_IN_USE, LAST_PORT] = [6, 12];

const port = ({ r }: Generation): Value => (r.one(24) ? r.pick([0, 1000, 0x20000]) : r.int(1, LAST_IN_USE));
const owned = ({ r }: Generation): number => r.int(1, LAST_PORT);
const event = (row: string, weight: number, command: number, fields: (g: Generation) => Readonly<Record<string, Value>>): Maker => ({
  weight,
  row: `event_channel_op/${row}`,
  make: (g) => call('event_channel_op', command, { struct: `evtchn.${row}` as never, fields: fields(g) }),
});

/** Bits of two event words at once, by way of mmu_update, which stores into pages of data as well. */
const twoWords = (first: number, low: number, high: number): Readonly<Record<string, Value>> => ({
  ptr: { page: ARRAY, as: 'maddr', plus: 8 * (first >> 1) },
  val: `0x${((BigInt(low) << 28n) | (BigInt(high) << 60n)).toString(16)}`,
});

const MAKERS: readonly Maker[] = [
  event('init_control', 4, 11, ({ r }) => ({
    control_gfn: r.one(12) ? 0 : { page: r.one(12) ? ARRAY : CONTROL, as: 'mfn' },
    offset: r.one(12) ? 4 : BLOCK * r.int(0, 2),
    vcpu: r.one(12) ? 1 : 0,
  })),
  event('expand_array', 3, 12, ({ r }) => ({ array_gfn: r.one(12) ? 0 : { page: r.one(4) ? SECOND : ARRAY, as: 'mfn' } })),
  event('set_priority', 8, 13, (g) => ({ port: port(g), priority: g.r.one(12) ? 16 : g.r.int(0, 15) })),
  event('reset', 1, 10, () => ({ dom: SELF })),
  event('alloc_unbound', 8, 6, () => ({ dom: SELF, remote_dom: SELF })),
  event('bind_interdomain', 6, 0, (g) => ({ remote_dom: SELF, remote_port: port(g) })),
  event('bind_ipi', 4, 7, () => ({ vcpu: 0 })),
  event('bind_virq', 2, 1, ({ r }) => ({ virq: timelessVirq(r), vcpu: 0 })),
  event('close', 12, 3, (g) => ({ port: owned(g) })),
  event('send', 20, 4, (g) => ({ port: port(g) })),
  event('unmask', 4, 9, (g) => ({ port: owned(g) })),
  event('bind_vcpu', 1, 8, (g) => ({ port: owned(g), vcpu: 0 })),
  {
    // A page that is a table for a while takes no event words.
    weight: 1,
    row: 'mmuext_op/pin_l1_table',
    make: ({ r }) => {
      const arg1: Value = { page: r.pick([ARRAY, SECOND]), as: 'mfn' };
      return call('mmuext_op', { structs: [{ struct: 'xen.mmuext_op', fields: { cmd: r.pick([0, 4]), arg1, arg2: 0 } }] }, 1, 0, SELF);
    },
  },
  {
    // What a guest does to its event words.
    weight: 4,
    row: 'mmu_update/normal_pt_update',
    make: ({ r }) => {
      const fields = twoWords(r.int(0, LAST_PORT), r.int(0, 15), r.int(0, 15));
      return call('mmu_update', { structs: [{ struct: 'xen.mmu_update', fields }] }, 1, 0, SELF);
    },
  },
];

export const fifo: Theme = {
  name: 'fifo',
  weight: 4,
  needs: ['event_channel_op/init_control'],
  prepare: () => [],
  call: (g, caller) => (g.state.two ? null : oneOf(MAKERS)(g, caller)),
};
