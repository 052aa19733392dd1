/** CRC32: the checksum of iSCSI, one operand at a time. */
import { Word } from '../../../word/word.ts';
import { finish, read } from '../operand.ts';
import type { Rules, Semantics } from '../running.ts';

/** 11edc6f41 with its bits reversed, the highest left out. */
const POLYNOMIAL = 0x82f63b78;

const withBits = (sum: number, bits: number, count: number): number => {
  let now = sum ^ bits;
  for (let n = 0; n < count; n++) now = (now >>> 1) ^ (now & 1 ? POLYNOMIAL : 0);
  return now;
};

/** CRC32: DEST ← the remainder after SRC's bits, its upper half 0. No flags. */
const crc32Rule: Semantics = (s, i) => {
  const { lo, hi } = read(s, i, i.src);
  const sum = read(s, i, i.dst).lo;
  const bits = Math.min(8 * i.src.size, 32);
  const first = withBits(sum, lo, bits);
  return finish(s, i, i.dst, new Word(0, i.src.size === 8 ? withBits(first, hi, 32) : first));
};

export const CRC32_RULES: Rules = {
  crc32: crc32Rule,
};
