/** What carrying out an instruction for a guest comes to. */
import type { Machine } from '../machine.ts';
import type { Word } from '../word/word.ts';

/** An exception that the guest gets in place of the #GP(0) at hand. */
export type EmulatedFault = { readonly vector: number; readonly error: number | null; readonly address?: Word };

/**
 * `machine`: carried out; with `retry` to be run again, with `stays` not over yet, with `fault` ended by another exception, with `met` by a
 * #DB for these breakpoints. Null: not for Xen, the guest gets its #GP(0).
 */
export type Emulated = {
  readonly machine: Machine;
  readonly retry?: true;
  readonly stays?: boolean;
  readonly met?: number;
  readonly fault?: EmulatedFault | undefined;
} | null;
