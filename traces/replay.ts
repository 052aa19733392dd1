/** Replay a trace on an engine: accepted, rejected at the first difference, or inconclusive. */
import type { Boot } from '#spec/engine.ts';
import type { Trace, TraceEnd } from './format.ts';
import { type Chooser, type Performance, perform } from './perform.ts';
import { clausesOfEvent } from './pinpoint.ts';
import { compareConsoles, compareEvents, compareObservations, type Parting, type Rejection } from './rejection.ts';

export type { Chooser } from './perform.ts';
export type { Rejection } from './rejection.ts';

export type ReplayVerdict =
  | { readonly verdict: 'accepted'; readonly compared: number; readonly clauses: readonly string[]; readonly retired: number }
  | { readonly verdict: 'rejected'; readonly rejection: Rejection; readonly retired: number }
  | { readonly verdict: 'inconclusive'; readonly why: string; readonly retired: number };

/**
 * Throws what the engine throws at boot and for a bug of its own. A difference before the trace's loss, or before the engine met something
 * not modelled, is a rejection; without one, the replay is then inconclusive.
 */
export const replay = (boot: Boot, trace: Trace, images: readonly Uint8Array[], chooser: Chooser): ReplayVerdict => {
  const seen = perform(boot, trace, images, chooser);
  const lossAt = trace.records.findIndex((r) => r.record === 'lost');
  const kept = lossAt < 0 ? trace.records : trace.records.slice(0, lossAt);
  const end = kept.find((r): r is TraceEnd => r.record === 'end');
  // Two that stop at the same thing that is not modelled are both as whole as they can be.
  const whole = { trace: end !== undefined, seen: seen.stopped === null || seen.stopped.kind === end?.finish };
  const { visible } = trace.header;
  const { retired } = seen;

  const stages = [
    ...(visible.includes('events')
      ? [compareEvents(kept, seen, whole)]
      : visible.includes('console')
        ? [compareConsoles(kept, seen, whole)]
        : []),
    ...(visible.includes('observations') ? [compareObservations(trace, seen)] : []),
  ];
  const reject = ({ event, ...parting }: Parting): ReplayVerdict => {
    const at = Math.min(event ?? Number.POSITIVE_INFINITY, seen.events.length - 1);
    const clauses = seen.clauses.length > 0 && at >= 0 ? clausesOfEvent(boot, trace.header.machine, images, seen, at) : [];
    return { verdict: 'rejected', rejection: { ...parting, clauses }, retired };
  };
  for (const { parting } of stages) if (parting) return reject(parting);
  if (seen.stopped?.kind === 'bad_input') {
    const { index, message } = seen.stopped;
    return reject({ aspect: 'input', place: `input ${index}`, expected: 'taken', seen: message, event: null });
  }

  const doubt = doubtOf(trace, seen, end, lossAt);
  if (doubt !== null) return { verdict: 'inconclusive', why: doubt, retired };
  const ended = visible.includes('end') ? compareEnds(end!, seen) : null;
  if (ended) return reject(ended);
  const compared = stages.reduce((sum, stage) => sum + stage.compared, 0);
  return { verdict: 'accepted', compared, clauses: seen.clauses, retired };
};

/** Why agreement so far proves nothing of the whole; null when it does. */
const doubtOf = (trace: Trace, seen: Performance, end: TraceEnd | undefined, lossAt: number): string | null => {
  if (seen.stopped?.kind === 'not_modelled' && end?.finish !== 'not_modelled') return `not modelled: ${seen.stopped.what}`;
  if (seen.stopped?.kind === 'limit') return `more than ${seen.stopped.steps} steps`;
  if (!end) {
    const lost = trace.records[lossAt];
    return lost?.record === 'lost' ? `records lost: ${lost.reason}` : 'no end';
  }
  return end.finish === 'timeout' ? 'the recorder gave up waiting for the machine' : null;
};

/** A replay of inputs ends with the last of them, whatever the reason for which they end. */
const compareEnds = (end: TraceEnd, seen: Performance): Parting | null => {
  const expected = `${end.finish} ${end.reason ?? ''}`.trim();
  const have = `${seen.finish === 'script' ? end.finish : seen.finish} ${seen.halted ?? ''}`.trim();
  return expected === have ? null : { aspect: 'end', place: 'end', expected, seen: have, event: null };
};
