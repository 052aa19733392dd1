/** Instructions one after another, until one of them needs Xen. */

import type { Memory } from '../../memory/memory.ts';
import { Asks, Exit, FpuWanted, Marked, TableMissing, trap } from './fault.ts';
import { instructionAt } from './fetch.ts';
import { RF, TF } from './flags.ts';
import type { Instruction } from './instruction.ts';
import { type CpuOutcome, type Run, VECTOR } from './outcome.ts';
import type { Platform } from './platform.ts';
import { changed, citing, cpuOf, own, Running, startedAlone, withMemory } from './running.ts';
import { type CpuState, SS } from './state.ts';
import { bareStep, watchFrom, withDebugExceptions } from './system/step.ts';
import { isWatched } from './system/watch.ts';

export type { Platform } from './platform.ts';

/**
 * Run up to `budget` (at least 1) steps and stop early after the first that needs Xen.
 * Throws NotModelled for what the tables lack, e.g. `instruction/0f28`.
 */
export const runInstructions = (cpu: CpuState, memory: Memory, platform: Platform, budget: number): CpuOutcome => {
  // The loop owns the registers from here on (`own`); the caller's stay as they are.
  let s = startedAlone(cpu, memory, platform);
  const watched = isWatched(s);
  for (;;) {
    try {
      if (s.system.kind === 'pv')
        while (s.tick < budget) {
          const begun = watched ? watchFrom(s) : s;
          const instruction = instructionAt(begun);
          const plain = !watched && (s.flags & (TF | RF)) === 0;
          own(begun, plain);
          const after = instruction.run(begun, instruction);
          if (instruction.mnemonic === 'syscall') return ended('syscall', withoutRf(after));
          if (plain) s = after;
          else s = watched ? withDebugExceptions(s, instruction, after) : afterDebugFlags(s, instruction, after);
        }
      else while (s.tick < budget && s.system.activity === 'running' && s.system.cr8 === cpu.system.cr8) s = bareStep(s);
      return ended('retired', s);
    } catch (thrown) {
      if (thrown instanceof Marked)
        s = citing(withMemory(s, thrown.memory), s.system.kind === 'pv' ? 'x86/page_walk-accessed' : 'x86/paging-accessed');
      else if (thrown instanceof FpuWanted) s = changed(citing(s, 'trap/fpu-loaded'), { system: { ...s.system, fpuAside: false } });
      else if (thrown instanceof Exit) return outcomeOf(s, thrown);
      else if (thrown instanceof TableMissing)
        return { kind: 'table', cpu: cpuOf(s), memory: s.memory, steps: s.tick, clauses: s.cited, offset: thrown.offset };
      else if (thrown instanceof Asks)
        return { kind: 'wanted', cpu: cpuOf(s), memory: s.memory, steps: s.tick, clauses: s.cited, wanted: thrown.wanted };
      else throw thrown;
    }
  }
};

/** One step. */
export const executeInstruction = (cpu: CpuState, memory: Memory, platform: Platform): CpuOutcome =>
  runInstructions(cpu, memory, platform, 1);

const ended = <K extends 'syscall' | 'retired'>(kind: K, s: Running): Run & { readonly kind: K } => ({
  kind,
  cpu: cpuOf(s),
  memory: s.memory,
  steps: s.tick,
  clauses: s.cited,
});

/** How far the run came. */
const reached = (s: Running): Run => ({ cpu: cpuOf(s), memory: s.memory, steps: s.tick, clauses: s.cited });

/** RF lasts for one instruction. x86/single_step: TF before an instruction makes a #DB after it, but not after SS was loaded. */
const afterDebugFlags = (s: Running, instruction: Instruction, after: Running): Running => {
  const done = instruction.mnemonic === 'iret' ? after : withoutRf(after);
  if ((s.flags & TF) === 0 || loadsStackSegment(instruction)) return done;
  throw trap(done, VECTOR.DB, 'x86/single_step');
};

const withoutRf = (s: Running): Running =>
  (s.flags & RF) === 0 ? s : new Running(s.regs, s.rip, s.flags & ~RF, s.segments, s.memory, s.platform, s.tick, s.cited, s.fpu, s.system);

const loadsStackSegment = ({ mnemonic, dst }: Instruction): boolean =>
  (mnemonic === 'mov_to_seg' || mnemonic === 'pop_seg') && dst.index === SS;

/**
 * A fault shows the state before the instruction; everything else the state after it, and so does a fault that belongs to the task that
 * a switch went to (x86/task-segments), or that has left its mark in DR6.
 */
const outcomeOf = (before: Running, { kind, after, fault, clause, left, by }: Exit): CpuOutcome => {
  if (after === null) {
    const clauses = [
      ...before.cited,
      left ? ('x86/fault-stores_kept' as const) : ('x86/step-fault_precise' as const),
      ...(clause ? [clause] : []),
    ];
    return { kind: 'fault', cpu: cpuOf(before), memory: left ?? before.memory, steps: before.tick + 1, clauses, fault };
  }
  const clauses = clause ? [...after.cited, clause] : after.cited;
  if (kind === 'fault') return { kind, cpu: cpuOf(after), memory: after.memory, steps: before.tick + 1, clauses, fault };
  const run: Run = { ...reached(after.system.kind === 'pv' ? withoutRf(after) : after), clauses };
  return kind === 'int' ? { kind, ...run, vector: fault.vector, by } : { kind: 'trap', ...run, fault };
};
