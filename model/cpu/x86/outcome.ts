/** How a run of instructions ends, as values. Everything but `retired` hands control to Xen. */

import type { ClauseId } from '#spec/clauses.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Word } from '../../word/word.ts';
import type { Wanted } from './outside.ts';
import type { CpuState } from './state.ts';

/** Vectors of the exceptions that instructions raise. */
export const VECTOR = {
  DE: 0,
  DB: 1,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  XM: 19,
} as const;

/** Bits of a page fault's error code. */
export const PF = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 16 } as const;

/** An exception. `error` is null for vectors that push none; `address` is CR2, null except for #PF. */
export type Fault = {
  readonly vector: number;
  readonly error: number | null;
  readonly address: Word | null;
};

/** The instruction behind a software interrupt. */
export type SoftwareInterrupt = 'int' | 'int3' | 'int1' | 'into';

/** What a run came to, whatever its end. */
export type Run = {
  readonly cpu: CpuState;
  readonly memory: Memory;
  /** All steps that were taken, the last one (that faulted, trapped or called) included. */
  readonly steps: number;
  /** The clauses that decided something on the way, each once. */
  readonly clauses: readonly ClauseId[];
};

/**
 * The end of a run, and what `cpu` and `memory` are then:
 *
 * - `retired`: all steps of the budget were taken.
 * - `fault`: as before the faulting instruction, RIP at it. Memory may have gained accessed and dirty bits.
 * - `trap`: as after the instruction, RIP behind it: #BP of INT3, #OF of INT 4, #DB of a single step.
 * - `int`: as after `INT vector`, RIP behind it. Under Xen for the one vector that it routes to PV guests: 0x80. On the bare machine for
 *   every INT n, INT3, INT1 and INTO; `by` says which, because the gate's privilege counts for all but INT1.
 * - `wanted`: as before the instruction, which is not counted as a step: it asks for something from outside the processor. Do what is
 *   wanted, and take the step again with the answer (Platform.answers).
 * - `table`: as before the instruction, which is not counted as a step: a PV guest's local descriptor table has no page at `offset` yet.
 *   Have it mapped, or see to the fault, and take the step again.
 * - `syscall`: as the processor leaves it: RCX is the address behind the instruction, R11 the RFLAGS before it, RIP behind
 *   it. `cpu.flags` are still the guest's.
 */
export type CpuOutcome =
  | (Run & { readonly kind: 'retired' })
  | (Run & { readonly kind: 'fault'; readonly fault: Fault })
  | (Run & { readonly kind: 'trap'; readonly fault: Fault })
  | (Run & { readonly kind: 'int'; readonly vector: number; readonly by: SoftwareInterrupt })
  | (Run & { readonly kind: 'wanted'; readonly wanted: Wanted })
  | (Run & { readonly kind: 'table'; readonly offset: number })
  | (Run & { readonly kind: 'syscall' });
