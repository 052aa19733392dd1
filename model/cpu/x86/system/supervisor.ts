/**
 * What the processor itself reads and writes: descriptor tables, task-state segments, stacks of inner rings. Tables are reached with
 * supervisor rights whatever CPL is: x86/table-supervisor.
 */
import type { Memory } from '../../../memory/memory.ts';
import type { Size } from '../../../word/size.ts';
import { addInt, type Word, word, ZERO } from '../../../word/word.ts';
import { AC } from '../flags.ts';
import { readLinear, writeLinear } from '../linear.ts';
import { changed, type Running } from '../running.ts';

/** The same processor at another privilege level; RIP, registers and memory as they are. */
export const atLevel = (s: Running, cpl: number): Running => (s.system.cpl === cpl ? s : changed(s, { system: { ...s.system, cpl } }));

const NO_BREAKPOINTS: readonly Word[] = new Array<Word>(6).fill(ZERO);

/** With the rights of the processor itself: SMAP keeps it from user pages even with AC. No breakpoint watches what it does. */
const supervising = (s: Running): Running => changed(s, { system: { ...s.system, cpl: 0, dr: NO_BREAKPOINTS }, flags: s.flags & ~AC });

/** `base` + `offset` in a table: outside long mode linear addresses end at 4 GiB and begin anew. */
export const inTable = (s: Running, base: Word, offset: number): Word => {
  const at = addInt(base, offset);
  return isLong(s) ? at : word(0, at.lo);
};

/** EFER.LMA: long mode is active, be it 64-bit or compatibility mode. */
export const isLong = ({ system: { mode } }: Running): boolean => mode === '64' || mode === 'compat16' || mode === 'compat32';

export const readTable = (s: Running, at: Word, size: Size): Word => readLinear(supervising(s), at, size, false);

/** The memory after the write. */
export const writeTable = (s: Running, at: Word, size: Size, value: Word): Memory => writeLinear(supervising(s), at, size, value, false);
