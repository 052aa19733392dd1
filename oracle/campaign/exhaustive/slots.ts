/** A state is a value for each slot; slots lie side by side in a few words of 32 bits, none across two words. */
import { ModelBug } from '#spec/failure.ts';

/** A part of the state, which has the values 0 to `size` − 1. */
export type Slot = { readonly name: string; readonly size: number };
export type Values = Int32Array;

/** States that differ in names alone: the value v of a slot becomes `to[slot][v]` in slot `slots[slot]`. */
export type Symmetry = { readonly slots: readonly number[]; readonly to: readonly (readonly number[])[] };

export type Packing = {
  readonly words: number;
  /** By slot: its word, its first bit there, and its bits in place. */
  readonly word: Int32Array;
  readonly shift: Int32Array;
  readonly mask: Int32Array;
  readonly pack: (values: Values, into: Int32Array, at?: number) => void;
  readonly unpack: (words: Int32Array, at: number, into: Values) => void;
};

const bitsOf = (size: number): number => (size <= 1 ? 0 : 32 - Math.clz32(size - 1));

/** Slots go to the words by first fit, the widest first. */
export const packingOf = (slots: readonly Slot[]): Packing => {
  const left: number[] = [];
  const [word, shift, mask] = [new Int32Array(slots.length), new Int32Array(slots.length), new Int32Array(slots.length)];
  const order = slots.map((_, s) => s).sort((a, b) => slots[b]!.size - slots[a]!.size || a - b);
  for (const s of order) {
    const bits = bitsOf(slots[s]!.size);
    if (bits > 31) throw new ModelBug(`slot ${slots[s]!.name} is too wide`);
    let at = left.findIndex((free) => free >= bits);
    if (at < 0) at = left.push(32) - 1;
    [word[s], shift[s], mask[s]] = [at, 32 - left[at]!, ((2 ** bits - 1) << (32 - left[at]!)) | 0];
    left[at] = left[at]! - bits;
  }
  const words = left.length;
  return {
    ...{ words, word, shift, mask },
    pack: (values, into, at = 0) => {
      for (let w = 0; w < words; w++) into[at + w] = 0;
      for (let s = 0; s < values.length; s++) into[at + word[s]!] = into[at + word[s]!]! | (values[s]! << shift[s]!);
    },
    unpack: (from, at, into) => {
      for (let s = 0; s < into.length; s++) into[s] = (from[at + word[s]!]! & mask[s]!) >>> shift[s]!;
    },
  };
};

/** The state under other names. */
export const renamed = (values: Values, { slots, to }: Symmetry): Values => {
  const image = new Int32Array(values.length);
  for (let s = 0; s < values.length; s++) image[slots[s]!] = to[s]![values[s]!]!;
  return image;
};

/** Whether the words at `a` come before those at `b`. */
export const isLess = (left: Int32Array, a: number, right: Int32Array, b: number, words: number): boolean => {
  for (let w = 0; w < words; w++) {
    const [x, y] = [left[a + w]!, right[b + w]!];
    if (x !== y) return x < y;
  }
  return false;
};

/** Of all names of a state the words that come first. */
export const canonical = (packing: Packing, symmetries: readonly Symmetry[], values: Values): Int32Array => {
  const least = new Int32Array(packing.words);
  packing.pack(values, least);
  const other = new Int32Array(packing.words);
  for (const symmetry of symmetries) {
    packing.pack(renamed(values, symmetry), other);
    if (isLess(other, 0, least, 0, packing.words)) least.set(other);
  }
  return least;
};
