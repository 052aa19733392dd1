/** Memory's digests kept up to date equal digests made afresh. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestText, mixFirst, mixSecond } from '#spec/digest.ts';
import { BadInput } from '#spec/failure.ts';
import { FRAME_BYTES, MARK_CODE, MARK_TABLE, Memory } from './memory.ts';

const afresh = (memory: Memory): string => {
  let [first, second] = [0, 0];
  for (let mfn = 0; mfn < memory.frames; mfn++) {
    const view = new DataView(memory.page(mfn).buffer);
    for (let word = 0; word < 512; word++) {
      const [lo, hi] = [view.getInt32(8 * word, true), view.getInt32(8 * word + 4, true)];
      first = (first + mixFirst(mfn, word, lo, hi)) | 0;
      second = (second + mixSecond(mfn, word, lo, hi)) | 0;
    }
  }
  return digestText(first, second);
};

test('the digest after any writes is that of the bytes', () => {
  const size = 4 * FRAME_BYTES;
  const write = fc.record({
    at: fc.nat(size - 9),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    how: fc.nat(4),
    ask: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 20 }), (writes) => {
      const memory = new Memory(4);
      for (const { at, value, how, ask } of writes) {
        const low = Number(value & 0xffffffffn);
        if (how === 0) memory.write8(at, low & 0xff);
        else if (how === 1) memory.write32(at, low);
        else if (how === 2) memory.write64(at, value);
        else if (how === 3) memory.writeHalves(at, low, low ^ 5);
        else memory.fill(at, 5, low);
        if (ask) expect(memory.digest()).toBe(afresh(memory));
      }
      expect(memory.digest()).toBe(afresh(memory));
    }),
    { numRuns: 100 },
  );
});

test('writes to watched frames are told', () => {
  const memory = new Memory(4);
  const told: [number, number][] = [];
  memory.codeWatchers.push((maddr, size) => told.push([maddr, size]));
  memory.watch(1, MARK_CODE);
  memory.watch(2, MARK_TABLE);
  memory.write64(FRAME_BYTES - 4, 1n);
  memory.writeBytes(2 * FRAME_BYTES - 2, new Uint8Array(4));
  memory.write8(0, 1);
  expect(told).toEqual([
    [FRAME_BYTES, 4],
    [2 * FRAME_BYTES - 2, 2],
  ]);
  expect(memory.tableEpoch).toBe(1);
});

test('populated frames hold something, and zeros written do not count', () => {
  const memory = new Memory(8);
  memory.write8(5 * FRAME_BYTES + 9, 1);
  memory.write8(3 * FRAME_BYTES, 0);
  memory.write8(2 * FRAME_BYTES, 7);
  expect([...memory.populated()]).toEqual([2, 5]);
});

test('two gigabytes are too much', () => {
  expect(() => new Memory(0x80000)).toThrow(BadInput);
});

test('the bytes of a memory that is done come back as zeros', () => {
  const done = new Memory(16);
  const { buffer } = done.bytes;
  done.write64(7 * FRAME_BYTES - 4, -1n);
  done.digest();
  done.writeBytes(15 * FRAME_BYTES, new Uint8Array(FRAME_BYTES).fill(3));
  done.all[done.scratch] = 9;
  done.release();
  const next = new Memory(16);
  expect(next.bytes.buffer).toBe(buffer);
  expect(next.all.every((byte) => byte === 0)).toBe(true);
  expect(next.digest()).toBe(new Memory(16).digest());
});
