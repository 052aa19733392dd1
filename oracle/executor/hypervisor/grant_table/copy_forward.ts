/** How Xen copies bytes: eight at a time in ascending order, then the rest one by one. It shows when the places overlap. */
import type { Memory } from '../../memory.ts';

/** Up to here a loop is quicker than calling for a block move. */
const SHORT = 64;

export const copyForward = (memory: Memory, to: number, from: number, length: number): void => {
  if (length === 0) return;
  memory.willWrite(to, length);
  const { bytes, words } = memory;
  if (from < to && from + length > to) {
    overlapping(bytes, to, from, length);
  } else if (length > SHORT) {
    bytes.copyWithin(to, from, from + length);
  } else if (((to | from | length) & 3) === 0) {
    for (let at = to >> 2, other = from >> 2, end = (to + length) >> 2; at < end; at++, other++) words[at] = words[other];
  } else {
    for (let i = 0; i < length; i++) bytes[to + i] = bytes[from + i];
  }
};

const overlapping = (bytes: Uint8Array, to: number, from: number, length: number): void => {
  const whole = length & ~7;
  for (let i = 0; i < whole; i += 8) bytes.copyWithin(to + i, from + i, from + i + 8);
  for (let i = whole; i < length; i++) bytes[to + i] = bytes[from + i];
};
