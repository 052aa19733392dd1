/** What the toolstack wrote down, read from its memory. */
import { JOURNAL, JOURNAL_MAGIC, RECORD, RECORD_SIZE, RECORDS, STAGES, STATUS } from './format.ts';

export type Outcome =
  | { readonly kind: 'shutdown'; readonly reason: number }
  /** It neither ended nor would ever do so. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'not built'; readonly step: string; readonly result: number };

export type Entry = { readonly program: number; readonly outcome: Outcome; readonly log: string };
export type Journal = { readonly started: number; readonly done: number; readonly entries: readonly Entry[] };

/** Bytes of the journal that are in use, from its first page. 0 when there is none. */
export const journalLength = (head: Uint8Array): number => {
  const view = new DataView(head.buffer, head.byteOffset);
  return view.getBigUint64(JOURNAL.magic, true) === JOURNAL_MAGIC ? Number(view.getBigUint64(JOURNAL.end, true)) : 0;
};

export const readJournal = (bytes: Uint8Array): Journal => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = (at: number): number => Number(view.getBigUint64(at, true));
  const entries: Entry[] = [];
  const done = number(JOURNAL.done);
  for (let at = RECORDS; entries.length < done; ) {
    const [program, status, value, length] = [RECORD.program, RECORD.status, RECORD.value, RECORD.length].map((field) =>
      view.getInt32(at + field, true),
    ) as [number, number, number, number];
    const log = String.fromCharCode(...bytes.subarray(at + RECORD_SIZE, at + RECORD_SIZE + length));
    const outcome: Outcome =
      status === STATUS.shutdown
        ? { kind: 'shutdown', reason: value }
        : status === STATUS.silent
          ? { kind: 'silent' }
          : { kind: 'not built', step: STAGES[status - STATUS.failed] ?? String(status), result: value };
    entries.push({ program, outcome, log });
    at += RECORD_SIZE + Math.ceil(length / 8) * 8;
  }
  // Of programs that run together one may end before those that were begun earlier.
  entries.sort((a, b) => a.program - b.program);
  return { started: number(JOURNAL.started), done, entries };
};
