/** Present entries of a page table: most tables have few, and whoever goes through one passes over those that are not. */
import type { Memory } from '../../memory.ts';
import { PTE } from './entry.ts';

export const ENTRIES = 512;
/** So many entries are looked at together, from multiples of the number on. */
const GROUP = 8;

/** Whether any entry of the group that begins at this word is present. */
const someIn = (words: Int32Array, i: number): boolean =>
  ((words[i] | words[i + 2] | words[i + 4] | words[i + 6] | words[i + 8] | words[i + 10] | words[i + 12] | words[i + 14]) & PTE.PRESENT) !==
  0;

/** The first slot from `from` on with a present entry; ENTRIES when there is none. */
export const nextPresent = ({ words }: Memory, table: number, from: number): number => {
  const base = table << 10;
  let slot = from;
  while (slot < ENTRIES) {
    if (slot % GROUP === 0 && !someIn(words, base + 2 * slot)) slot += GROUP;
    else if ((words[base + 2 * slot] & PTE.PRESENT) !== 0) return slot;
    else slot++;
  }
  return ENTRIES;
};

/** The last slot up to `from` with a present entry; -1 when there is none. */
export const previousPresent = ({ words }: Memory, table: number, from: number): number => {
  const base = table << 10;
  let slot = from;
  while (slot >= 0) {
    if (slot % GROUP === GROUP - 1 && !someIn(words, base + 2 * (slot - GROUP + 1))) slot -= GROUP;
    else if ((words[base + 2 * slot] & PTE.PRESENT) !== 0) return slot;
    else slot--;
  }
  return -1;
};
