/** Tables of handlers: one for each group of the manual. */
import type { Instruction } from './instruction.ts';
import type { Handler, Op } from './op.ts';

/**
 * Finds the handler for an instruction whose operands are in place (operands.ts); may still adjust them. `form` has a letter for each
 * operand of the row: r general register, x XMM, p MMX, f x87, m memory, i immediate, s something that the handler knows by itself.
 */
export type Build = (o: Op, i: Instruction, form: string) => Handler;

/** By mnemonic of the opcode table. */
export type BuildTable = Readonly<Record<string, Build>>;

export const fixed =
  (handler: Handler): Build =>
  () =>
    handler;

/** RET drops an unsigned number of bytes. */
export const returning =
  (handler: Handler): Build =>
  (o) => {
    o.imm &= 0xffff;
    return handler;
  };
