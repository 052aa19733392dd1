/** The stack. Its address is always all of RSP, and what goes wrong with its address is a stack fault. */
import type { Memory } from '../../memory/memory.ts';
import { ACCESS } from '../../memory/translate.ts';
import type { Size } from '../../word/size.ts';
import { addInt, type Word } from '../../word/word.ts';
import { readLinear, writeLinear } from './linear.ts';
import { type Running, withMemory } from './running.ts';
import { RSP } from './state.ts';
import { frameFor } from './translation.ts';

/** The memory after one push below `top`. */
export const pushed = (s: Running, top: Word, size: Size, value: Word): Memory => writeLinear(s, addInt(top, -size), size, value, true);

/**
 * The memory after several pushes below `top`. All places are translated, in order, before the first is written, so that a
 * fault at a later one leaves nothing behind.
 */
export const pushedAll = (s: Running, top: Word, size: Size, values: readonly Word[]): Memory => {
  values.forEach((_, k) => {
    probeWrite(s, addInt(top, -size * (k + 1)), size);
  });
  return values.reduce((memory, value, k) => writeLinear(withMemory(s, memory), addInt(top, -size * (k + 1)), size, value, true), s.memory);
};

/** x86/step-fault_precise: fault now if a later write there would. */
export const probeWrite = (s: Running, at: Word, size: Size): void => {
  frameFor(s, at, ACCESS.WRITE, true);
  if ((at.lo & 4095) + size > 4096) frameFor(s, addInt(at, size - 1), ACCESS.WRITE, true);
};

/** Stack slot number `slot` of `size` bytes above RSP. */
export const stackSlot = (s: Running, slot: number, size: Size): Word => readLinear(s, addInt(s.regs[RSP], slot * size), size, true);
