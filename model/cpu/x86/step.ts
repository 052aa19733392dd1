/** Instructions one after another, until one of them needs Xen. */
import type { CpuidLeaf } from '#spec/config.ts';
import { ModelBug } from '#spec/failure.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Word } from '../../word/word.ts';
import type { CpuOutcome } from './outcome.ts';
import type { CpuState } from './state.ts';

/** What instructions can see of the machine besides memory. */
export type Platform = {
  readonly cpuid: readonly CpuidLeaf[];
  /** The time-stamp counter before the first step of the run; it grows by one a step (looseness `x86/tsc-rate`). */
  readonly tsc: Word;
};

/**
 * Run up to `budget` (at least 1) steps and stop early after the first that needs Xen.
 * Throws NotModelled for an instruction that the tables lack, e.g. `instruction/0f28`.
 */
export const runInstructions = (_cpu: CpuState, _memory: Memory, _platform: Platform, _budget: number): CpuOutcome => {
  throw new ModelBug('the CPU is being written');
};

/** One step. */
export const executeInstruction = (cpu: CpuState, memory: Memory, platform: Platform): CpuOutcome =>
  runInstructions(cpu, memory, platform, 1);
