/** What an instruction wants of the state beyond its explicit operands, so that it does more than fault. */
import type { Draft } from '../draft.ts';

export const [RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI] = [0, 1, 2, 3, 4, 5, 6, 7];

/**
 * `before` the memory operand is placed: implicit registers and memory. `immediates` when it chooses them itself. `target`: how far
 * from the chosen place the operand's address must lie (bit strings). `operand`: what lies at the place, in place of any number.
 */
export type Family = {
  readonly before?: (d: Draft) => void;
  readonly immediates?: (d: Draft) => void;
  readonly target?: (d: Draft) => bigint;
  readonly operand?: (d: Draft, address: bigint, bytes: number) => void;
  /** Only the trap flag shows where it went, or it changes what is run. */
  readonly step?: true;
};
