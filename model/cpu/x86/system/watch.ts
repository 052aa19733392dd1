/**
 * Data breakpoints that an instruction runs into. Reading gives no new state, so what was met is kept beside it for the length of one
 * step: begun by the step, asked at its end, and never seen otherwise.
 */
import { CR4, DR7_LENGTH, DR7_RW } from '#spec/isa/x86/control_registers.ts';
import type { Word } from '../../../word/word.ts';
import type { Running } from '../running.ts';

/** Whether accesses of the present step are looked at. */
export const watching = { armed: false };
let met = 0;

export type Breakpoint = { readonly number: number; readonly kind: number; readonly length: number };

const ALL_ENABLE = 0xff;

/** The breakpoints that DR7 enables. */
export const enabledBreakpoints = ({ system: { dr } }: Running): readonly Breakpoint[] => {
  const control = dr[5].lo;
  if ((control & ALL_ENABLE) === 0) return [];
  return [0, 1, 2, 3]
    .filter((n) => ((control >>> (2 * n)) & 3) !== 0)
    .map((number) => ({ number, kind: (control >>> (16 + 4 * number)) & 3, length: DR7_LENGTH[(control >>> (18 + 4 * number)) & 3] }));
};

/** Some breakpoint is enabled. */
export const isWatched = ({ system: { dr } }: Running): boolean => (dr[5].lo & ALL_ENABLE) !== 0;

/** A step begins. */
export const beginWatching = (s: Running): void => {
  met = 0;
  watching.armed = (s.system.dr[5].lo & ALL_ENABLE) !== 0 && enabledBreakpoints(s).some(({ kind }) => kind !== DR7_RW.execute);
};

/** Breakpoints met since the step began, as bits of DR6: x86/debug-data, x86/debug-io. */
export const metBreakpoints = (): number => met;

/** An access to `size` bytes of data. */
export const noteAccess = (s: Running, at: Word, size: number, writes: boolean): void => {
  for (const b of enabledBreakpoints(s))
    if ((b.kind === DR7_RW.access || (b.kind === DR7_RW.write && writes)) && overlaps(s.system.dr[b.number], b.length, at, size))
      met |= 1 << b.number;
};

/** An access to `size` ports from `port` on. */
export const notePort = (s: Running, port: number, size: number): void => {
  if ((s.system.cr4 & CR4.DE) === 0) return;
  for (const b of enabledBreakpoints(s)) {
    const first = s.system.dr[b.number].lo & ~(b.length - 1);
    if (b.kind === DR7_RW.io && first < port + size && port < first + b.length) met |= 1 << b.number;
  }
};

/** The watched bytes begin at a multiple of their number. */
const overlaps = (watched: Word, length: number, at: Word, size: number): boolean => {
  if (watched.hi !== at.hi) return false;
  const first = (watched.lo & ~(length - 1)) >>> 0;
  const begin = at.lo >>> 0;
  return first < begin + size && begin < first + length;
};
