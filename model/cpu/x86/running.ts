/** The processor together with the memory it works on: what an instruction takes and gives. */
import type { ClauseId } from '#spec/clauses.ts';
import type { Memory } from '../../memory/memory.ts';
import { addInt, type Word } from '../../word/word.ts';
import type { Instruction } from './instruction.ts';
import type { Platform } from './platform.ts';
import type { Segments } from './state.ts';

export class Running {
  readonly regs: readonly Word[];
  readonly rip: Word;
  readonly flags: number;
  readonly segments: Segments;
  readonly memory: Memory;
  readonly platform: Platform;
  /** Steps taken since the run began: what the time-stamp counter counts. */
  readonly tick: number;
  /** Clauses that decided something since the run began, apart from the fault that may end it. */
  readonly cited: readonly ClauseId[];
  constructor(
    regs: readonly Word[],
    rip: Word,
    flags: number,
    segments: Segments,
    memory: Memory,
    platform: Platform,
    tick: number,
    cited: readonly ClauseId[],
  ) {
    this.regs = regs;
    this.rip = rip;
    this.flags = flags;
    this.segments = segments;
    this.memory = memory;
    this.platform = platform;
    this.tick = tick;
    this.cited = cited;
  }
}

/** The rule of an instruction. It never changes its argument; a fault is thrown (fault.ts) and leaves the old state as it was. */
export type Semantics = (s: Running, i: Instruction) => Running;

/** The address behind the instruction. */
export const nextRip = (s: Running, i: Instruction): Word => addInt(s.rip, i.length);

/** The instruction is done: go on behind it with these registers, flags and memory. */
export const advance = (s: Running, i: Instruction, regs: readonly Word[], flags: number, memory: Memory): Running =>
  new Running(regs, addInt(s.rip, i.length), flags, s.segments, memory, s.platform, s.tick + 1, s.cited);

/** The instruction is done and goes on at `rip`. */
export const jump = (s: Running, rip: Word, regs: readonly Word[], memory: Memory): Running =>
  new Running(regs, rip, s.flags, s.segments, memory, s.platform, s.tick + 1, s.cited);

/** The instruction is done and changed nothing but flags. */
export const withFlags = (s: Running, i: Instruction, flags: number): Running => advance(s, i, s.regs, flags, s.memory);

/** The registers with one replaced. */
export const setReg = (regs: readonly Word[], index: number, value: Word): readonly Word[] => {
  const next = regs.slice();
  next[index] = value;
  return next;
};

/** The same state over another memory: for instructions that write in several places, one after another. */
export const withMemory = (s: Running, memory: Memory): Running =>
  memory === s.memory ? s : new Running(s.regs, s.rip, s.flags, s.segments, memory, s.platform, s.tick, s.cited);

/** The same state with other registers. */
export const withRegs = (s: Running, regs: readonly Word[]): Running =>
  new Running(regs, s.rip, s.flags, s.segments, s.memory, s.platform, s.tick, s.cited);

/** The instruction is done and changed segments: go on behind it. */
export const withSegments = (s: Running, i: Instruction, regs: readonly Word[], segments: Segments): Running =>
  new Running(regs, nextRip(s, i), s.flags, segments, s.memory, s.platform, s.tick + 1, s.cited);

/** The same state, with a clause noted that decides what comes next. */
export const citing = (s: Running, clause: ClauseId): Running =>
  s.cited.includes(clause) ? s : new Running(s.regs, s.rip, s.flags, s.segments, s.memory, s.platform, s.tick, [...s.cited, clause]);
