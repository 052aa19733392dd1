/** Segments as if they were not there. */
import type { Cpu } from './cpu.ts';
import { CS } from './interface.ts';
import { SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_RIGHTS } from './layout.ts';
import { RING3_DATA } from './segment_rights.ts';

/** ES, CS, SS, DS, FS, GS; bases, limits and rights lie behind each other. */
const SEGMENTS = 6;
const END = SEGMENT_RIGHTS + SEGMENTS;

/** All but CS become flat data; of 64-bit code only the bases of FS and GS count. Returns what puts them back. */
export const makeSegmentsLinear = (c: Cpu): (() => void) => {
  const { s, fsBase, gsBase } = c;
  if (!c.legacy) {
    c.fsBase = 0n;
    c.gsBase = 0n;
    return () => {
      c.fsBase = fsBase;
      c.gsBase = gsBase;
    };
  }
  const before = s.slice(SEGMENT_BASE, END);
  for (let segment = 0; segment < SEGMENTS; segment++) {
    if (segment === CS) continue;
    s.fill(0, SEGMENT_BASE + 2 * segment, SEGMENT_BASE + 2 * segment + 2);
    s[SEGMENT_LIMIT + segment] = -1;
    s[SEGMENT_RIGHTS + segment] = RING3_DATA;
  }
  return () => s.set(before, SEGMENT_BASE);
};
