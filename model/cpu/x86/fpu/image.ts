/**
 * Images of x87 and SSE state in memory, whose last byte is reached early: when several pages are missing, it decides what CR2 tells.
 * `first` bytes at the beginning are reached even before it.
 */
import type { Memory } from '../../../memory/memory.ts';
import { readBlock, writeBlock } from '../block.ts';
import type { Instruction, Operand } from '../instruction.ts';
import type { Running } from '../running.ts';

export const readWhole = (s: Running, i: Instruction, o: Operand, length: number, first = 0): Uint8Array => {
  if (first > 0) readBlock(s, i, o, first, 0, first);
  readBlock(s, i, o, 1, length - 1);
  return readBlock(s, i, o, length);
};

/** `length`: of the whole image, of which `bytes` may be less. */
export const writeWhole = (s: Running, i: Instruction, o: Operand, bytes: Uint8Array, first = 0, length = bytes.length): Memory => {
  if (first > 0) writeBlock(s, i, o, bytes.subarray(0, first), 0, first);
  writeBlock(s, i, o, new Uint8Array(1), length - 1);
  return writeBlock(s, i, o, bytes);
};
