/** LZ4 in the legacy frame that Linux's build writes: a magic number, then blocks, each behind its packed length. Source: LZ4's format pages. */

const MAGIC = 0x184c2102;
/** A length of 15 in a token goes on in bytes that are added up, until one is not 255. */
const LENGTH_GOES_ON = 15;
const LEAST_MATCH = 4;

class Damaged extends Error {
  constructor() {
    super('it ends early or points outside itself');
  }
}

/** One block into `out` from `at` on; answers where it ended. */
const unpackBlock = (block: Uint8Array, out: Uint8Array, start: number): number => {
  let from = 0;
  let at = start;
  const next = (): number => {
    if (from >= block.length) throw new Damaged();
    return block[from++]!;
  };
  const lengthOf = (nibble: number): number => {
    let length = nibble;
    if (nibble === LENGTH_GOES_ON) {
      let more: number;
      do {
        more = next();
        length += more;
      } while (more === 255);
    }
    return length;
  };
  while (from < block.length) {
    const token = next();
    const literals = lengthOf(token >> 4);
    if (from + literals > block.length || at + literals > out.length) throw new Damaged();
    out.set(block.subarray(from, from + literals), at);
    from += literals;
    at += literals;
    if (from === block.length) break; // the last sequence has literals alone
    const distance = next() | (next() << 8);
    const match = lengthOf(token & 15) + LEAST_MATCH;
    if (distance === 0 || distance > at - start || at + match > out.length) throw new Damaged();
    // A match may overlap what it writes.
    for (let i = 0; i < match; i++, at++) out[at] = out[at - distance]!;
  }
  return at;
};

/** @param size bytes unpacked, as announced. Throws an Error when the data is damaged. */
export const unlz4 = (packed: Uint8Array, size: number): Uint8Array => {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const out = new Uint8Array(size);
  let [from, at] = [0, 0];
  while (from + 4 <= packed.length) {
    const length = view.getUint32(from, true);
    from += 4;
    if (length === MAGIC) continue;
    if (length === 0) break;
    if (from + length > packed.length) throw new Damaged();
    at = unpackBlock(packed.subarray(from, from + length), out, at);
    from += length;
  }
  return out.subarray(0, at);
};
