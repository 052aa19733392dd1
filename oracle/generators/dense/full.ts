/**
 * A domain that has all it may have of something: ports, numbers of interrupts. What comes then meets a table without a free place. Two domains hand over to
 * each other by a port, so only one that is alone does this.
 */
import type { Step } from '#spec/program.ts';
import type { Generation } from '../state.ts';
import { SELF } from '../state.ts';
import { ports } from './ports.ts';
import { call, type Theme } from './theme.ts';

/** Somewhat more than a domain may have. */
const PORTS = 4100;
const NUMBERS = 240;

const repeat = (g: Generation, times: number, one: ReturnType<typeof call>): Step =>
  g.step({ do: 'calls', calls: [one], draws: times, seed: 1, batches: 0 } as never);

export const full: Theme = {
  name: 'full',
  weight: 2,
  needs: ['event_channel_op/alloc_unbound'],
  prepare: (g) => {
    if (g.state.two) return [];
    const port = call('event_channel_op', 6, { struct: 'evtchn.alloc_unbound', fields: { dom: SELF, remote_dom: SELF } });
    const number = call('physdev_op', 23, { struct: 'physdev.get_free_pirq', fields: { type: g.r.int(0, 1) } });
    return g.r.one(3) ? [repeat(g, NUMBERS, number)] : [repeat(g, PORTS, port)];
  },
  call: ports.call,
};
