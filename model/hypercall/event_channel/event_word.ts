/** The event word of the FIFO ABI, and what Xen makes of it: the rules by which a port gets into a queue. Chapter: event_fifo.md. */
import { EVTCHN_FIFO_BIT, EVTCHN_FIFO_LINK_MASK } from '#spec/abi/event_channel.ts';

/** What decides about a port: is it signalled, may it be queued, does it stand in a queue. */
export type EventState = { readonly pending: boolean; readonly masked: boolean; readonly linked: boolean };

/** What Xen does to a port, as a change of its state. A port that gets linked goes to the end of its queue. */
export const EVENT_RULES = {
  /** It is raised: signalled, and queued unless it is masked or queued already. */
  raise: (event: EventState): EventState => ({ ...event, pending: true, linked: event.linked || !event.masked }),
  /** Its mask is taken away. What was signalled meanwhile is then raised. */
  unmask: (event: EventState): EventState => ({ ...event, masked: false }),
  /** Its channel is closed. It stays in its queue, from which only the guest takes ports. */
  close: (event: EventState): EventState => ({ ...event, pending: false }),
} as const;

const BITS = { pending: 2 ** EVTCHN_FIFO_BIT.pending, masked: 2 ** EVTCHN_FIFO_BIT.masked, linked: 2 ** EVTCHN_FIFO_BIT.linked } as const;
const BUSY = 2 ** EVTCHN_FIFO_BIT.busy;
const DECIDES = (BITS.pending | BITS.masked | BITS.linked) >>> 0;

/** The state in a word, which the guest may have given any value. */
export const eventState = (word: number): EventState => ({
  pending: (word & BITS.pending) !== 0,
  masked: (word & BITS.masked) !== 0,
  linked: (word & BITS.linked) !== 0,
});

/** The word with another state; every other bit stays. */
export const withEventState = (word: number, { pending, masked, linked }: EventState): number =>
  ((word & ~DECIDES) | (pending ? BITS.pending : 0) | (masked ? BITS.masked : 0) | (linked ? BITS.linked : 0)) >>> 0;

/** The word of a queue's last port when `next` comes behind it. */
export const withLink = (word: number, next: number): number => ((word & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | next) >>> 0;
