/**
 * Instructions of 64-bit code that were decoded before, by the 16 bytes from their first one on: the same bytes are always the same
 * instruction, in whichever machine they stand. Remembering never shows, it only saves the decoding.
 */
import { read } from '../../memory/access.ts';
import type { Memory } from '../../memory/memory.ts';
import type { Instruction } from './instruction.ts';

const SLOTS = 1 << 13;
const BYTES = 16;
const instructions: (Instruction | null)[] = new Array(SLOTS).fill(null);
/** Four 32-bit numbers a slot. */
const keys = new Int32Array(SLOTS * 4);

/** The instruction at `offset` of a frame, decoded by `decode` unless it is known. Throws what `decode` throws. */
export const knownInstruction = (memory: Memory, frame: number, offset: number, decode: () => Instruction): Instruction => {
  if (offset + BYTES > 4096) return decode();
  const a = read(memory, frame, offset, 8);
  const b = read(memory, frame, offset + 8, 8);
  const slot = slotOf(a.lo, a.hi, b.lo, b.hi);
  const at = slot * 4;
  const known = instructions[slot];
  if (known !== null && keys[at] === a.lo && keys[at + 1] === a.hi && keys[at + 2] === b.lo && keys[at + 3] === b.hi) return known;
  const instruction = decode();
  instructions[slot] = instruction;
  keys[at] = a.lo;
  keys[at + 1] = a.hi;
  keys[at + 2] = b.lo;
  keys[at + 3] = b.hi;
  return instruction;
};

const slotOf = (a: number, b: number, c: number, d: number): number => {
  const mixed = Math.imul(a ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & (SLOTS - 1);
};
