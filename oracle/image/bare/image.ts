/**
 * Puts a bare image of cases together: a payload for LOAD, which multiboot loaders find in an ELF file, and Bochs's BIOS on a disk whose
 * first sector loads it the same way.
 */
import { encodeCase, type SystemCase } from './case.ts';
import { emitDriver } from './driver.ts';
import { Emitter, R } from './emitter.ts';
import { stubAddress } from './handlers.ts';
import { LOAD, LOW, LOW_END, RECORD, WINDOW_FRAMES, WINDOW_PAGES } from './layout.ts';
import { lowMemory, REGIONS, templateOf } from './tables.ts';

/** First case's id; 0 ends the list. */
export const FIRST_ID = 1;

export type Payload = { readonly bytes: Uint8Array; readonly entry: number };

/** Bytes at growing addresses from LOAD. */
class Room {
  readonly parts: Uint8Array[] = [];
  next = LOAD;

  add(bytes: Uint8Array): number {
    const at = this.next;
    const padded = new Uint8Array((bytes.length + 15) & ~15);
    padded.set(bytes);
    this.parts.push(padded);
    this.next += padded.length;
    return at;
  }

  words(values: readonly number[]): number {
    return this.add(new Uint8Array(Uint32Array.from(values, (v) => v >>> 0).buffer));
  }

  bytes(): Uint8Array {
    const all = new Uint8Array(this.next - LOAD);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}

/** Memory that cases may read though nobody puts anything there: what firmware left is cleared. */
const CLEARED: readonly (readonly [start: number, end: number])[] = [
  [0, LOW],
  [LOW_END, LOW_END + 0x1000],
  [WINDOW_FRAMES, WINDOW_FRAMES + WINDOW_PAGES * 0x1000],
];

/** Copies the harness down and enters it: 32-bit code, at the start of the image. */
const START_BYTES = 128;
const emitStart = (low: number, start: number): Uint8Array => {
  const e = new Emitter(LOAD);
  e.db(0xfa, 0xfc)
    .movImm(R.si, low)
    .movImm(R.di, LOW)
    .movImm(R.cx, (LOW_END - LOW) / 4)
    .db(0xf3, 0xa5);
  for (const [from, to] of CLEARED)
    e.movImm(R.di, from)
      .movImm(R.cx, (to - from) / 4)
      .movImm(R.ax, 0)
      .db(0xf3, 0xab);
  return e.movImm(R.ax, start).db(0xff, 0xe0).align(START_BYTES).finish();
};

/** The image of some cases; the case at index i has the id FIRST_ID + i. */
export const buildPayload = (cases: readonly SystemCase[]): Payload => {
  // Labels do not depend on the data's addresses: learn them first.
  const draft = emitDriver({ regions: LOAD, cases: LOAD });
  const memory = lowMemory({ stub: (bits, vector) => stubAddress(draft, bits, vector), label: (name) => draft.at(name) });
  if (draft.here > RECORD) throw new Error('the harness is too long');
  const room = new Room();
  room.add(new Uint8Array(START_BYTES));
  const lowAt = room.next;
  room.add(new Uint8Array(LOW_END - LOW));
  const regions = room.words([
    ...REGIONS.flatMap(([start, bytes]) => [start, room.add(templateOf(memory, start, bytes).slice()), bytes / 4]),
    0,
  ]);
  const templates = new Map<string, { readonly address: number; readonly state: DataView }>();
  const list = cases.flatMap((c, i) =>
    encodeCase(
      c,
      FIRST_ID + i,
      (name) => draft.at(name),
      (state, key) => {
        const known = templates.get(key) ?? { address: room.add(new Uint8Array(state.buffer.slice(0))), state };
        templates.set(key, known);
        return known;
      },
    ),
  );
  const driver = emitDriver({ regions, cases: room.words([...list, 0]) });
  const low = memory.bytes(LOW, LOW_END);
  low.set(driver.finish(), 0);
  room.parts[0]!.set(emitStart(lowAt, driver.at('start')));
  room.parts[1]!.set(low);
  return { bytes: room.bytes(), entry: LOAD };
};
