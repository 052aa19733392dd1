/** From what was seen of a run to the records of a trace. */
import type { TraceRecord } from '#traces/format.ts';
import type { Ended } from './peer.ts';

/** Why the end of a run is not in the recording; null when it is. */
export const lossOf = (ended: Ended): string | null => {
  if (ended.kind === 'shutdown') return null;
  if (ended.kind === 'timeout') return `no end within ${ended.seconds} s`;
  return ended.why;
};

/** A console as events, one a line. */
const linesOf = (domid: number, console: string, whole: boolean): readonly TraceRecord[] => {
  const lines = console.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const kept = whole ? lines : lines.filter((line) => line.endsWith('\n'));
  return kept.map((bytes) => ({ record: 'event', event: { kind: 'console', domid, bytes } }));
};

/**
 * Consoles line by line, by domain (its place is its domid), then the end. When the end was not seen, or a console, the last line may be cut: it is
 * left out, and a `lost` record stands for it and for everything after.
 */
export const recordsOf = (consoles: readonly (string | null)[], ended: Ended): readonly TraceRecord[] => {
  const hidden = consoles.indexOf(null);
  const loss = lossOf(ended) ?? (hidden < 0 ? null : `domain ${hidden}'s console was not shown`);
  const records = consoles.flatMap((console, domid) => (console === null ? [] : linesOf(domid, console, loss === null)));
  if (loss !== null) records.push({ record: 'lost', count: null, reason: loss });
  records.push(
    ended.kind === 'shutdown'
      ? { record: 'end', finish: 'halted', reason: ended.reason, retired: null }
      : { record: 'end', finish: 'timeout', reason: null, retired: null },
  );
  return records;
};
