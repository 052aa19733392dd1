/** From what was seen of a run to the records of a trace. */
import type { TraceRecord } from '#traces/format.ts';
import type { Ended } from './peer.ts';

/** Why the end of a run is not in the recording; null when it is. */
export const lossOf = (ended: Ended): string | null => {
  if (ended.kind === 'shutdown') return null;
  if (ended.kind === 'timeout') return `no end within ${ended.seconds} s`;
  return ended.why;
};

/**
 * Console bytes line by line, then the end. When the end was not seen, the last line may be cut: it is left out, and a `lost` record
 * stands for it and for everything after.
 */
export const recordsOf = (console: string, ended: Ended): readonly TraceRecord[] => {
  const lines = console.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const loss = lossOf(ended);
  const kept = loss === null ? lines : lines.filter((line) => line.endsWith('\n'));
  const records: TraceRecord[] = kept.map((bytes) => ({ record: 'event', event: { kind: 'console', domid: 0, bytes } }));
  if (loss !== null) records.push({ record: 'lost', count: null, reason: loss });
  records.push(
    ended.kind === 'shutdown'
      ? { record: 'end', finish: 'halted', reason: ended.reason, retired: null }
      : { record: 'end', finish: 'timeout', reason: null, retired: null },
  );
  return records;
};
