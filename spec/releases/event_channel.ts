/** What releases changed in event channels. Chapter: spec/chapters/event_fifo.md. */
import { change } from './change.ts';

export const EVENT_CHANGES = {
  'evtchn_fifo-no_control_block': change({
    clause: 'evtchn_fifo/raise-no_control_block',
    ways: { '4.14': 'PENDING', '4.17': 'lost', '4.20': 'lost' },
    says: {
      PENDING: 'PENDING is set, and who polls is woken; the port is linked nowhere.',
      lost: 'Not even PENDING is set, and nobody is woken.',
    },
    shown: { script: 'evtchn_fifo-lost', steps: [6, 11] },
  }),
} as const;
