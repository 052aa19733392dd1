/** The processor together with the memory it works on: what an instruction takes and gives. */
import type { ClauseId } from '#spec/clauses.ts';
import type { Memory } from '../../memory/memory.ts';
import { addInt, Word } from '../../word/word.ts';
import type { Fpu } from './fpu/state.ts';
import type { Instruction } from './instruction.ts';
import type { Platform } from './platform.ts';
import type { CpuState, Segments } from './state.ts';
import type { SystemState } from './system/state.ts';

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
  readonly fpu: Fpu;
  readonly system: SystemState;
  /** Nobody but the loop of a run knows this state and its registers, so that the end of a rule may write over them (see `own`). */
  readonly owned: boolean;
  constructor(
    regs: readonly Word[],
    rip: Word,
    flags: number,
    segments: Segments,
    memory: Memory,
    platform: Platform,
    tick: number,
    cited: readonly ClauseId[],
    fpu: Fpu,
    system: SystemState,
  ) {
    this.regs = regs;
    this.rip = rip;
    this.flags = flags;
    this.segments = segments;
    this.memory = memory;
    this.platform = platform;
    this.tick = tick;
    this.cited = cited;
    this.fpu = fpu;
    this.system = system;
    this.owned = false;
  }
}

type Writable = { -readonly [K in keyof Running]: Running[K] };

/**
 * The loop of a run says that it alone has this state, and the array of its registers: the state before it is gone. Then `advance`,
 * `jump` and `replaced`, with which rules end, write over the state that they are given in place of making a new one. A rule sees
 * nothing of it, as long as they are the last that it does.
 */
export const own = (s: Running, owned: boolean): void => {
  (s as Writable).owned = owned;
};

/** The state written over with what an instruction made of it. */
const overwritten = (s: Running, regs: readonly Word[], rip: Word, flags: number, memory: Memory): Running => {
  const o = s as Writable;
  o.regs = regs;
  o.rip = rip;
  o.flags = flags;
  o.memory = memory;
  o.tick++;
  return s;
};

/** The rule of an instruction. It never changes its argument; a fault is thrown (fault.ts) and leaves the old state as it was. */
export type Semantics = (s: Running, i: Instruction) => Running;

/** The rules of a group of instructions, by mnemonic. */
export type Rules = Readonly<Record<string, Semantics>>;

/** A processor about to take its first step. */
export const started = ({ regs, rip, flags, segments, fpu, system }: CpuState, memory: Memory, platform: Platform): Running =>
  new Running(regs, rip, flags, segments, memory, platform, 0, [], fpu, system);

/** The same, with registers of its own. */
export const startedAlone = ({ regs, rip, flags, segments, fpu, system }: CpuState, memory: Memory, platform: Platform): Running =>
  new Running(regs.slice(), rip, flags, segments, memory, platform, 0, NOTHING, fpu, system);
const NOTHING: readonly ClauseId[] = [];

/** What is left of the processor when it stops. */
export const cpuOf = ({ regs, rip, flags, segments, fpu, system }: Running): CpuState => ({ regs, rip, flags, segments, fpu, system });

/** The address behind the instruction. */
export const nextRip = (s: Running, i: Instruction): Word => {
  const next = addInt(s.rip, i.length);
  return next.hi === 0 || s.system.mode === '64' ? next : new Word(0, next.lo);
};

/** The instruction is done: go on behind it with these registers, flags and memory. */
export const advance = (s: Running, i: Instruction, regs: readonly Word[], flags: number, memory: Memory): Running =>
  s.owned
    ? overwritten(s, regs, nextRip(s, i), flags, memory)
    : new Running(regs, nextRip(s, i), flags, s.segments, memory, s.platform, s.tick + 1, s.cited, s.fpu, s.system);

/** The instruction is done and goes on at `rip`. */
export const jump = (s: Running, rip: Word, regs: readonly Word[], memory: Memory): Running =>
  s.owned
    ? overwritten(s, regs, rip, s.flags, memory)
    : new Running(regs, rip, s.flags, s.segments, memory, s.platform, s.tick + 1, s.cited, s.fpu, s.system);

/** The instruction is done and changed nothing but flags. */
export const withFlags = (s: Running, i: Instruction, flags: number): Running => advance(s, i, s.regs, flags, s.memory);

/** The registers of a state with one replaced: the very last but `advance` that a rule does. */
export const replaced = (s: Running, index: number, value: Word): readonly Word[] => {
  if (!s.owned) return setReg(s.regs, index, value);
  (s.regs as Word[])[index] = value;
  return s.regs;
};

/** The same for two registers. */
export const bothReplaced = (s: Running, first: number, a: Word, second: number, b: Word): readonly Word[] => {
  const regs = s.owned ? (s.regs as Word[]) : s.regs.slice();
  regs[first] = a;
  regs[second] = b;
  return regs;
};

/** The registers with one replaced. */
export const setReg = (regs: readonly Word[], index: number, value: Word): readonly Word[] => {
  const next = regs.slice();
  next[index] = value;
  return next;
};

/** The same state over another memory: for instructions that write in several places, one after another. */
export const withMemory = (s: Running, memory: Memory): Running =>
  memory === s.memory ? s : new Running(s.regs, s.rip, s.flags, s.segments, memory, s.platform, s.tick, s.cited, s.fpu, s.system);

/** The same state with other registers. */
export const withRegs = (s: Running, regs: readonly Word[]): Running =>
  new Running(regs, s.rip, s.flags, s.segments, s.memory, s.platform, s.tick, s.cited, s.fpu, s.system);

/** The instruction is done and changed segments: go on behind it. */
export const withSegments = (s: Running, i: Instruction, regs: readonly Word[], segments: Segments): Running =>
  new Running(regs, nextRip(s, i), s.flags, segments, s.memory, s.platform, s.tick + 1, s.cited, s.fpu, s.system);

/** The same state, with a clause noted that decides what comes next. */
export const citing = (s: Running, clause: ClauseId): Running =>
  s.cited.includes(clause)
    ? s
    : new Running(s.regs, s.rip, s.flags, s.segments, s.memory, s.platform, s.tick, [...s.cited, clause], s.fpu, s.system);

/** Parts of the state that a rule may replace at once. */
export type Changes = Partial<Pick<Running, 'regs' | 'rip' | 'flags' | 'segments' | 'memory' | 'fpu' | 'system' | 'cited'>>;

/** The same state with some parts replaced; still before the end of the instruction. */
export const changed = (s: Running, c: Changes): Running =>
  new Running(
    c.regs ?? s.regs,
    c.rip ?? s.rip,
    c.flags ?? s.flags,
    c.segments ?? s.segments,
    c.memory ?? s.memory,
    s.platform,
    s.tick,
    c.cited ?? s.cited,
    c.fpu ?? s.fpu,
    c.system ?? s.system,
  );

/** The instruction is done with these parts replaced: go on behind it, or where `rip` says. */
export const completed = (s: Running, i: Instruction, c: Changes): Running =>
  new Running(
    c.regs ?? s.regs,
    c.rip ?? nextRip(s, i),
    c.flags ?? s.flags,
    c.segments ?? s.segments,
    c.memory ?? s.memory,
    s.platform,
    s.tick + 1,
    c.cited ?? s.cited,
    c.fpu ?? s.fpu,
    c.system ?? s.system,
  );

/** The instruction is done and changed x87, MMX or SSE state: go on behind it. */
export const withFpu = (s: Running, i: Instruction, fpu: Fpu, memory: Memory = s.memory): Running => completed(s, i, { fpu, memory });

/** The instruction is done and changed system state: go on behind it. */
export const withSystem = (s: Running, i: Instruction, system: SystemState): Running => completed(s, i, { system });
