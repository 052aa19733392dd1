/** Instructions one after another, until one of them needs Xen. */

import { FLAT } from '#spec/abi/xen.ts';
import { NotModelled } from '#spec/failure.ts';
import type { Memory } from '../../memory/memory.ts';
import { Asks, Exit, Marked, trap } from './fault.ts';
import { instructionAt } from './fetch.ts';
import { RF, TF } from './flags.ts';
import type { Instruction } from './instruction.ts';
import { type CpuOutcome, VECTOR } from './outcome.ts';
import type { Platform } from './platform.ts';
import { changed, citing, cpuOf, Running, started, withMemory } from './running.ts';
import { type CpuState, CS, SS } from './state.ts';

export type { Platform } from './platform.ts';

/**
 * Run up to `budget` (at least 1) steps and stop early after the first that needs Xen.
 * Throws NotModelled for what the tables lack, e.g. `instruction/0f28`.
 */
export const runInstructions = (cpu: CpuState, memory: Memory, platform: Platform, budget: number): CpuOutcome => {
  if (cpu.system.mode === '64' && cpu.system.kind === 'pv' && cpu.segments.selectors[CS] !== FLAT.RING3_CS64)
    throw new NotModelled('x86/compatibility_mode');
  let s = started(cpu, memory, platform);
  for (;;) {
    try {
      while (s.tick < budget) s = oneStep(s);
      return { kind: 'retired', cpu: cpuOf(s), memory: s.memory, steps: s.tick, clauses: s.cited };
    } catch (thrown) {
      if (thrown instanceof Marked) s = citing(withMemory(s, thrown.memory), 'x86/page_walk-accessed');
      else if (thrown instanceof Exit) return outcomeOf(s, thrown);
      else if (thrown instanceof Asks)
        return { kind: 'wanted', cpu: cpuOf(s), memory: s.memory, steps: s.tick, clauses: s.cited, wanted: thrown.wanted };
      else throw thrown;
    }
  }
};

/** One step. */
export const executeInstruction = (cpu: CpuState, memory: Memory, platform: Platform): CpuOutcome =>
  runInstructions(cpu, memory, platform, 1);

const oneStep = (s: Running): Running => {
  const instruction = instructionAt(s);
  const after = instruction.run(s, instruction);
  const lit = s.system.shadow === 'none' ? after : withoutShadow(after);
  return (s.flags & (TF | RF)) === 0 ? lit : afterDebugFlags(s, instruction, lit);
};

/** RF lasts for one instruction. x86/single_step: TF before an instruction makes a #DB after it, but not after SS was loaded. */
const afterDebugFlags = (s: Running, instruction: Instruction, after: Running): Running => {
  const done = instruction.mnemonic === 'iret' ? after : withoutRf(after);
  if ((s.flags & TF) === 0 || loadsStackSegment(instruction)) return done;
  throw trap(done, VECTOR.DB, 'x86/single_step');
};

/** The shadow of STI or of a load of SS covers one instruction; a second such instruction makes no new one. */
const withoutShadow = (s: Running): Running => changed(s, { system: { ...s.system, shadow: 'none' } });

const withoutRf = (s: Running): Running =>
  new Running(s.regs, s.rip, s.flags & ~RF, s.segments, s.memory, s.platform, s.tick, s.cited, s.fpu, s.system);

const loadsStackSegment = (i: Instruction): boolean => i.mnemonic === 'mov_to_seg' && i.dst.index === SS;

/** A fault shows the state before the instruction; everything else the state after it. */
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
  const reached = { cpu: cpuOf(withoutRf(after)), memory: after.memory, steps: after.tick, clauses };
  if (kind === 'int') return { kind, ...reached, vector: fault.vector, by };
  return kind === 'syscall' ? { kind, ...reached } : { kind: 'trap', ...reached, fault };
};
