/** What a bare image printed, taken apart: a record for each case that came to an end. */
import { FIRST_LINE, LAST_LINE, RECORD_BYTES, RECORD_FIELDS, RECORD_MARK, type RecordField } from './layout.ts';

export type CaseRecord = {
  readonly id: number;
  readonly fields: Readonly<Record<RecordField, bigint>>;
  /** Words of memory that the case changed: address and what it holds now. */
  readonly changes: readonly (readonly [address: number, value: number])[];
};

export type ImageResult = {
  readonly records: readonly CaseRecord[];
  /** The first line was there: the machine started. */
  readonly began: boolean;
  /** The last line was there: no case took the machine away. */
  readonly complete: boolean;
};

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/** Position of a text in bytes; -1 when it is not there. */
const find = (bytes: Uint8Array, text: string): number => {
  const wanted = Uint8Array.from(text, (c) => c.charCodeAt(0));
  for (let at = 0; at + wanted.length <= bytes.length; at++) if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  return -1;
};

/** Reads debugcon's bytes. What stands before the first line (a BIOS's words) and behind the last is not the image's. */
export const readResult = (bytes: Uint8Array): ImageResult => {
  const records: CaseRecord[] = [];
  const first = find(bytes.subarray(0, 1 << 16), FIRST_LINE);
  if (first < 0) return { records, began: false, complete: false };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = first + FIRST_LINE.length;
  while (at + 4 + RECORD_BYTES <= bytes.length && view.getUint32(at, true) === RECORD_MARK) {
    at += 4;
    const fields = {} as Record<RecordField, bigint>;
    for (const [i, field] of RECORD_FIELDS.entries()) fields[field] = view.getBigUint64(at + 8 * i, true);
    at += RECORD_BYTES;
    const count = Number(fields.changes);
    if (at + 8 * count > bytes.length) break;
    const changes = Array.from(
      { length: count },
      (_, i) => [view.getUint32(at + 8 * i, true), view.getUint32(at + 8 * i + 4, true)] as const,
    );
    at += 8 * count;
    records.push({ id: Number(fields.id), fields, changes });
  }
  return { records, began: true, complete: latin1(bytes.subarray(at, at + LAST_LINE.length)) === LAST_LINE };
};
