/** RAM by physical address. Where no RAM is, reads give all ones and writes vanish; devices are reached by other ways (outside.ts). */
import { RAM_HOLE } from '#spec/bare/boot.ts';
import { read, write } from '../../../memory/access.ts';
import type { Memory } from '../../../memory/memory.ts';
import type { Size } from '../../../word/size.ts';
import { zeroExtend } from '../../../word/size.ts';
import { ALL_ONES, type Word } from '../../../word/word.ts';

const FRAME = 4096;
const HOLE_FIRST = RAM_HOLE.start / FRAME;
const HOLE_END = RAM_HOLE.end / FRAME;

/** Whether RAM answers in this frame. */
export const isRam = (memory: Memory, frame: number): boolean => frame < memory.frames && (frame < HOLE_FIRST || frame >= HOLE_END);

/** `size` bytes that do not cross the end of a frame. */
export const readPhysical = (memory: Memory, at: number, size: Size): Word => {
  const frame = Math.floor(at / FRAME);
  return isRam(memory, frame) ? read(memory, frame, at % FRAME, size) : zeroExtend(ALL_ONES, size);
};

/** The memory after writing `size` bytes that do not cross the end of a frame. */
export const writePhysical = (memory: Memory, at: number, size: Size, value: Word): Memory => {
  const frame = Math.floor(at / FRAME);
  return isRam(memory, frame) ? write(memory, frame, at % FRAME, size, value) : memory;
};
