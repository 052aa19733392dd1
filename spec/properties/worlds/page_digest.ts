/** One number for the bytes of a frame: equal for equal bytes, and for others all but never. */
import type { Engine } from '../../engine.ts';

const PAGE_WORDS = 1024;

/** As the engine keeps it, after it was observed; else worked out from the bytes. */
export const digestOf = (engine: Engine, mfn: number): number => engine.pageDigest?.(mfn) ?? ofBytes(engine.page(mfn));

const ofBytes = (page: Uint8Array): number => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let [first, second] = [0, 0];
  for (let word = 0; word < PAGE_WORDS; word++) {
    const value = view.getInt32(4 * word, true);
    if (value === 0) continue;
    const mixed = Math.imul(value ^ Math.imul(word + 1, 0x9e3779b1), 0x85ebca77);
    first = (first + (mixed ^ (mixed >>> 15))) | 0;
    second = (Math.imul(second, 31) + (Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae3d) ^ word)) | 0;
  }
  return joined(first, second);
};

/** Two sums of 32 bits as one number: all bits of the first, and 21 of the second. */
export const joined = (first: number, second: number): number => (first >>> 0) * 0x200000 + (second >>> 11);
