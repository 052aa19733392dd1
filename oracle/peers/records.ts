/** From what was seen of a run to the records and the header of a trace. */
import { createHash } from 'node:crypto';
import { TRACE_FORMAT, TRACE_VERSION, type Trace, type TraceHeader, type TraceRecord } from '#traces/format.ts';
import type { Ended, Peer, Recording } from './peer.ts';

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

/** What a recording is of. */
export type Subject = Pick<TraceHeader, 'title' | 'program' | 'seed' | 'clauses'>;

/** A recording as a trace. */
export const traceOf = (
  peer: Pick<Peer, 'name' | 'version' | 'details'>,
  image: Uint8Array,
  recording: Recording,
  subject: Subject,
): Trace => ({
  header: {
    record: 'header',
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    producer: { name: peer.name, version: peer.version, details: { ...peer.details } },
    ...subject,
    visible: ['console', 'end'],
    machine: recording.machine,
    images: [{ domid: 0, sha256: createHash('sha256').update(image).digest('hex'), elf: Buffer.from(image).toString('base64') }],
    policy: null,
  },
  records: recording.records,
});
