/** How a run of instructions ends, as values. Everything but `retired` hands control to Xen. */

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
  /** The clause that decided, where one did. */
  readonly clause: string | null;
};

/**
 * `steps` counts all steps that were taken, the last one (that faulted, trapped or called) included. `cpu` and `memory`:
 *
 * - `retired`: all steps of the budget were taken.
 * - `fault`: as before the faulting instruction, RIP at it. Memory may have gained accessed and dirty bits.
 * - `trap`: as after the instruction, RIP behind it: #BP of INT3, #DB of a single step or of ICEBP.
 * - `int`: as after `INT vector`, RIP behind it, for vectors that ring 3 may call by Xen's IDT.
 * - `syscall`: as the processor leaves it: RCX is the address behind the instruction, R11 the RFLAGS before it, RIP behind
 *   it. `cpu.flags` are still the guest's.
 */
export type CpuOutcome =
  | { readonly kind: 'retired'; readonly cpu: CpuState; readonly memory: Memory; readonly steps: number }
  | { readonly kind: 'fault'; readonly cpu: CpuState; readonly memory: Memory; readonly steps: number; readonly fault: Fault }
  | { readonly kind: 'trap'; readonly cpu: CpuState; readonly memory: Memory; readonly steps: number; readonly fault: Fault }
  | { readonly kind: 'int'; readonly cpu: CpuState; readonly memory: Memory; readonly steps: number; readonly vector: number }
  | { readonly kind: 'syscall'; readonly cpu: CpuState; readonly memory: Memory; readonly steps: number };
