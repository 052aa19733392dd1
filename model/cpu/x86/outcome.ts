/** How a run of instructions ends, as values. Everything but `retired` hands control to Xen. */

import type { ClauseId } from '#spec/clauses.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Word } from '../../word/word.ts';
import type { CpuState } from './state.ts';

/** Vectors of the exceptions that ring 3 can raise. */
export const VECTOR = { DE: 0, DB: 1, BP: 3, OF: 4, UD: 6, SS: 12, GP: 13, PF: 14, AC: 17 } as const;

/** Bits of a page fault's error code. */
export const PF = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 16 } as const;

/** An exception. `error` is null for vectors that push none; `address` is CR2, null except for #PF. */
export type Fault = {
  readonly vector: number;
  readonly error: number | null;
  readonly address: Word | null;
};

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
 * - `int`: as after `INT vector`, RIP behind it, for the one vector that Xen routes to PV guests: 0x80.
 * - `syscall`: as the processor leaves it: RCX is the address behind the instruction, R11 the RFLAGS before it, RIP behind
 *   it. `cpu.flags` are still the guest's.
 */
export type CpuOutcome =
  | (Run & { readonly kind: 'retired' })
  | (Run & { readonly kind: 'fault'; readonly fault: Fault })
  | (Run & { readonly kind: 'trap'; readonly fault: Fault })
  | (Run & { readonly kind: 'int'; readonly vector: number })
  | (Run & { readonly kind: 'syscall' });
