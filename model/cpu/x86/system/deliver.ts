/** Delivery of an event and of what goes wrong on the way: double fault, triple fault. Chapter: "Interrupts and exceptions". */
import type { Word } from '../../../word/word.ts';
import { Exit, Marked } from '../fault.ts';
import { type Fault, VECTOR } from '../outcome.ts';
import { changed, citing, type Running, withMemory } from '../running.ts';
import type { Event } from './event.ts';
import { through } from './interrupt.ts';

/** `state` stands in the handler, or is shut down. `delivered`: the events that reached theirs, in order. */
export type Delivery = { readonly state: Running; readonly delivered: readonly DeliveredEvent[] };
export type DeliveredEvent = Event & { readonly address: Word | null };

/** x86/exception-cr2: what raising a fault leaves even if it is not delivered. */
export const raised = (s: Running, { address }: Fault): Running =>
  address === null ? s : citing(changed(s, { system: { ...s.system, cr2: address } }), 'x86/exception-cr2');

/** Deliver an event; `address` is CR2 of a page fault. */
export const deliver = (s: Running, event: Event, address: Word | null = null): Delivery => {
  let now = s;
  let current: DeliveredEvent = { ...event, address };
  const delivered: DeliveredEvent[] = [];
  for (;;) {
    try {
      return { state: through(now, current), delivered: [...delivered, current] };
    } catch (thrown) {
      if (thrown instanceof Marked) {
        now = citing(withMemory(now, thrown.memory), 'x86/paging-accessed');
        continue;
      }
      if (!(thrown instanceof Exit)) throw thrown;
      if (thrown.clause) now = citing(now, thrown.clause);
      if (((thrown.fault.error ?? 0) & EXTERNAL) !== 0 && thrown.fault.vector !== VECTOR.PF) now = citing(now, 'x86/interrupt-external');
      if (thrown.kind === 'trap') delivered.push(current);
      now = afterFailure(now, thrown);
      const next = following(current, thrown);
      if (next === null) return { state: shutDown(citing(now, 'x86/exception-triple')), delivered };
      if (next.vector === VECTOR.DF) now = citing(now, 'x86/exception-double');
      current = next;
    }
  }
};

const EXTERNAL = 1;

/** The state that the next event is delivered from: as before, or in the task that has taken over. */
const afterFailure = (s: Running, { after, left, fault }: Exit): Running => {
  const state = after ?? (left ? withMemory(s, left) : s);
  return raised(changed(state, { cited: s.cited }), fault);
};

const CONTRIBUTORY: readonly number[] = [VECTOR.DE, VECTOR.TS, VECTOR.NP, VECTOR.SS, VECTOR.GP];

/** What comes next when the delivery of `first` ended in `thrown`; null: shutdown. */
const following = (first: Event, { kind, fault: { vector, error, address } }: Exit): DeliveredEvent | null => {
  if (kind === 'trap') return { vector, error, address, source: 'trap' };
  const second: DeliveredEvent = { vector, error, address, source: 'fault' };
  if (first.source !== 'fault') return second;
  const contributory = CONTRIBUTORY.includes(vector);
  const page = vector === VECTOR.PF;
  if (first.vector === VECTOR.DF) return contributory || page ? null : second;
  const doubles = first.vector === VECTOR.PF ? contributory || page : CONTRIBUTORY.includes(first.vector) && contributory;
  return doubles ? { vector: VECTOR.DF, error: 0, address: null, source: 'fault' } : second;
};

const shutDown = (s: Running): Running => changed(s, { system: { ...s.system, activity: 'shutdown' } });
