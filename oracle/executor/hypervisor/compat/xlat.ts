/**
 * Arguments of 32-bit guests as the handlers of 64-bit ones read them: structures are laid out anew in an area of Xen's, at addresses that no guest
 * has. The area takes two frames of Xen's heap, the last, and is empty again after each call.
 */
import { type Machine, XLAT_BYTES, XLAT_HI } from '../machine.ts';

export { XLAT_BYTES, XLAT_HI } from '../machine.ts';

const FRAME = 4096;

/** Do something with the area open. Answers what it answers. */
export const withXlat = (machine: Machine, act: (xlat: Xlat) => number): number => {
  const base = machine.config.layout.xenheap_end * FRAME - XLAT_BYTES;
  machine.xlat = base;
  try {
    return act(new Xlat(machine, base));
  } finally {
    machine.xlat = -1;
    machine.memory.fill(base, XLAT_BYTES, 0);
  }
};

/** The open area, by offsets. */
export class Xlat {
  private readonly machine: Machine;
  private readonly base: number;

  constructor(machine: Machine, base: number) {
    this.machine = machine;
    this.base = base;
  }

  /** Store a number of 2, 4 or 8 bytes: `lo`, zero above. */
  put(at: number, size: number, lo: number, hi = 0): void {
    const { memory } = this.machine;
    if (size === 8) memory.writeHalves(this.base + at, lo | 0, hi | 0);
    else if (size === 4) memory.write32(this.base + at, lo | 0);
    else memory.write16(this.base + at, lo & 0xffff);
  }

  /** A pointer to an offset of the area. */
  putOwn(at: number, offset: number): void {
    this.put(at, 8, offset, XLAT_HI);
  }

  word(at: number): number {
    return this.machine.memory.view.getInt32(this.base + at, true);
  }

  half(at: number): number {
    return this.machine.memory.view.getUint16(this.base + at, true);
  }
}

/** Arguments as halves, from 32-bit numbers. */
export const narrow = (...words: readonly number[]): Int32Array => {
  const args = new Int32Array(12);
  words.forEach((value, i) => {
    args[2 * i] = value;
  });
  return args;
};

/** The same with the start of the area in place of argument `index`. */
export const pointed = (index: number, ...words: readonly number[]): Int32Array => {
  const args = narrow(...words);
  args[2 * index] = 0;
  args[2 * index + 1] = XLAT_HI;
  return args;
};
