/** Images of x87 and SSE state in memory: their last byte is reached before the others. */
import type { Memory } from '../../../memory/memory.ts';
import { readBlock, writeBlock } from '../block.ts';
import type { Instruction, Operand } from '../instruction.ts';
import type { Running } from '../running.ts';

export const readWhole = (s: Running, i: Instruction, o: Operand, length: number): Uint8Array => {
  readBlock(s, i, o, 1, length - 1);
  return readBlock(s, i, o, length);
};

export const writeWhole = (s: Running, i: Instruction, o: Operand, bytes: Uint8Array): Memory => {
  writeBlock(s, i, o, bytes.subarray(-1), bytes.length - 1);
  return writeBlock(s, i, o, bytes);
};
