import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestText, mixFirst, mixSecond } from '#spec/digest.ts';
import type { Size } from '../word/size.ts';
import { fromBigInt, fromNumber, toBigInt, ZERO } from '../word/word.ts';
import { clearPage, memoryDigest, populated, read, readBytes, readPage, write, writeBytes, writePage } from './access.ts';
import { emptyMemory, type Memory, pageOf, readWord, withPageOf, writeWord } from './memory.ts';

/** Few frames, so that writes meet; more than four, so that the hot slots overflow. */
const frame = fc.constantFrom(0, 1, 2, 63, 64, 70, 4095, 4096, 0x1ffff, 0x3fffff);
const value64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const writes = fc.array(fc.record({ mfn: frame, index: fc.integer({ min: 0, max: 511 }), value: value64 }), { maxLength: 60 });

const build = (all: readonly { mfn: number; index: number; value: bigint }[]): Memory =>
  all.reduce((m, { mfn, index, value }) => writeWord(m, mfn, index, fromBigInt(value)), emptyMemory(0x400000));

describe('memory', () => {
  it('holds what was written last, and zero elsewhere', () => {
    fc.assert(
      fc.property(writes, frame, (all, probe) => {
        const m = build(all);
        const plain = new Map(all.map(({ mfn, index, value }) => [mfn * 512 + index, value]));
        for (const [at, value] of plain) expect(toBigInt(readWord(m, Math.floor(at / 512), at % 512))).toBe(value);
        expect(toBigInt(readWord(m, probe, 7))).toBe(plain.get(probe * 512 + 7) ?? 0n);
      }),
    );
  });

  it('never changes under a later write', () => {
    fc.assert(
      fc.property(writes, writes, (before, after) => {
        const old = build(before);
        const digest = memoryDigest(old);
        for (const { mfn, index, value } of after) writeWord(old, mfn, index, fromBigInt(value));
        expect(memoryDigest(old)).toBe(digest);
        expect(digest).toBe(memoryDigest(build(before)));
      }),
    );
  });

  it('has the digest that the specification defines, whenever it is asked for', () => {
    fc.assert(
      fc.property(writes, writes, (early, late) => {
        const half = build(early);
        memoryDigest(half);
        const m = late.reduce((now, { mfn, index, value }) => writeWord(now, mfn, index, fromBigInt(value)), half);
        const plain = new Map([...early, ...late].map(({ mfn, index, value }) => [mfn * 512 + index, fromBigInt(value)]));
        let [first, second] = [0, 0];
        for (const [at, { lo, hi }] of plain) {
          first = (first + mixFirst(Math.floor(at / 512), at % 512, lo, hi)) | 0;
          second = (second + mixSecond(Math.floor(at / 512), at % 512, lo, hi)) | 0;
        }
        expect(memoryDigest(m)).toBe(digestText(first, second));
      }),
    );
  });

  it('sums up a page anew in every place that it comes to', () => {
    const m = writeWord(emptyMemory(16), 3, 100, fromNumber(5));
    memoryDigest(m);
    const shared = withPageOf(m, 4, pageOf(m, 3));
    expect(memoryDigest(shared)).toBe(memoryDigest(writeWord(m, 4, 100, fromNumber(5))));
  });

  it('names the frames that hold anything', () => {
    fc.assert(
      fc.property(writes, (all) => {
        const frames = new Set<number>();
        const plain = new Map(all.map(({ mfn, index, value }) => [mfn * 512 + index, value]));
        for (const [at, value] of plain) if (value !== 0n) frames.add(Math.floor(at / 512));
        expect([...populated(build(all))]).toEqual([...frames].sort((a, b) => a - b));
      }),
    );
  });
});

describe('access to pieces of a frame', () => {
  const bytes = fc.uint8Array({ minLength: 4096, maxLength: 4096 });

  it('reads and writes as an array of bytes does', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom<Size>(1, 2, 4, 8), fc.nat(4095), value64, (content, size, anywhere, value) => {
        const offset = Math.min(anywhere, 4096 - size);
        const m = writePage(emptyMemory(16), 3, content);
        const plain = Uint8Array.from(content);
        for (let i = 0; i < size; i++) plain[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
        const after = write(m, 3, offset, size, fromBigInt(value));
        expect(readPage(after, 3)).toEqual(plain);
        expect(toBigInt(read(after, 3, offset, size))).toBe(BigInt.asUintN(8 * size, value));
        expect(readPage(m, 3)).toEqual(content);
      }),
      { numRuns: 40 },
    );
  });

  it('copies any run of bytes', () => {
    fc.assert(
      fc.property(bytes, fc.uint8Array({ maxLength: 600 }), fc.nat(3400), (content, piece, offset) => {
        const m = writeBytes(writePage(emptyMemory(16), 3, content), 3, offset, piece);
        const plain = Uint8Array.from(content);
        plain.set(piece, offset);
        expect(readPage(m, 3)).toEqual(plain);
        expect(readBytes(m, 3, offset, piece.length)).toEqual(piece);
      }),
      { numRuns: 40 },
    );
  });

  it('clears a frame', () => {
    const m = writeWord(emptyMemory(16), 3, 100, fromNumber(5));
    expect(readWord(clearPage(m, 3), 3, 100)).toEqual(ZERO);
    expect(memoryDigest(clearPage(m, 3))).toBe('0000000000000000');
  });
});
