/** One 8259A interrupt controller: registers, priorities, and what its two ports do. Pure. */
import type { PicObservation } from '#spec/bare/devices.ts';

/** `needsIcw4`, `single`: what ICW1 promised about the words that follow. */
export type Pic = PicObservation & { readonly needsIcw4: boolean; readonly single: boolean };

const NONE = 8;

/** How far the first of these inputs in the order of priority is from the top, 8 for none. */
const rankOf = ({ priority }: Pic, inputs: number): number => {
  for (let rank = 0; rank < NONE; rank++) if ((inputs >> ((rank + priority) & 7)) & 1) return rank;
  return NONE;
};
const inputAt = ({ priority }: Pic, rank: number): number => (rank + priority) & 7;

/** The input on the master that the slave drives: in special fully nested mode, it does not hide itself. */
const CASCADE = 2;

/** device/pic-priority: the input that asks now, null when none is above what is in service. */
export const asking = (pic: Pic, master: boolean): number | null => {
  const rank = rankOf(pic, pic.irr & ~pic.imr);
  if (rank === NONE) return null;
  const masked = pic.special_mask ? pic.isr & ~pic.imr : pic.isr;
  const serving = pic.nested && master ? masked & ~(1 << CASCADE) : masked;
  return rank < rankOf(pic, serving) ? inputAt(pic, rank) : null;
};

/** An input's level changes. Edge-triggered inputs ask when the line rises, level-triggered ones while it is high. */
export const setLine = (pic: Pic, input: number, high: boolean): Pic => {
  const bit = 1 << input;
  const line = high ? pic.line | bit : pic.line & ~bit;
  if (pic.elcr & bit) return { ...pic, line, irr: high ? pic.irr | bit : pic.irr & ~bit };
  const rises = high && (pic.line & bit) === 0;
  return { ...pic, line, irr: rises ? pic.irr | bit : pic.irr };
};

/** device/pic-acknowledge: an input is taken into service; a level-triggered one goes on asking. */
export const acknowledge = (pic: Pic, input: number): Pic => {
  const bit = 1 << input;
  const irr = pic.elcr & bit ? pic.irr : pic.irr & ~bit;
  if (!pic.auto_eoi) return { ...pic, irr, isr: pic.isr | bit };
  return { ...pic, irr, priority: pic.rotate_on_auto_eoi ? (input + 1) & 7 : pic.priority };
};

/** ICW1: everything but trigger modes and the inputs' levels starts anew: an input that is high has to rise again to ask. */
const initialise = (pic: Pic, value: number): Pic => ({
  ...pic,
  irr: pic.irr & pic.elcr,
  isr: 0,
  imr: 0,
  base: 0,
  priority: 0,
  auto_eoi: false,
  rotate_on_auto_eoi: false,
  read_isr: false,
  special_mask: false,
  poll: false,
  nested: false,
  init: 2,
  needsIcw4: (value & 1) !== 0,
  single: (value & 2) !== 0,
});

const nextWord = (pic: Pic, after: number): number => {
  if (after === 2 && !pic.single) return 3;
  return pic.needsIcw4 ? 4 : 0;
};

const withoutService = (pic: Pic, input: number): Pic => ({ ...pic, isr: pic.isr & ~(1 << input) });
const lowest = (pic: Pic, input: number): Pic => ({ ...pic, priority: (input + 1) & 7 });

/** OCW2: device/pic-end_of_interrupt. The upper three bits are the command. */
const endOfInterrupt = (pic: Pic, value: number): Pic => {
  const command = value >> 5;
  const named = value & 7;
  switch (command) {
    case 0:
    case 4:
      return { ...pic, rotate_on_auto_eoi: command === 4 };
    case 1:
    case 5: {
      const rank = rankOf(pic, pic.isr);
      if (rank === NONE) return pic;
      const input = inputAt(pic, rank);
      return command === 5 ? lowest(withoutService(pic, input), input) : withoutService(pic, input);
    }
    case 3:
      return withoutService(pic, named);
    case 6:
      return lowest(pic, named);
    case 7:
      return lowest(withoutService(pic, named), named);
    default:
      return pic;
  }
};

/** OCW3. */
const select = (pic: Pic, value: number): Pic => ({
  ...pic,
  poll: pic.poll || (value & 4) !== 0,
  read_isr: value & 2 ? (value & 1) !== 0 : pic.read_isr,
  special_mask: value & 0x40 ? (value & 0x20) !== 0 : pic.special_mask,
});

export const writeCommand = (pic: Pic, value: number): Pic => {
  if (value & 0x10) return initialise(pic, value);
  return value & 8 ? select(pic, value) : endOfInterrupt(pic, value);
};

export const writeData = (pic: Pic, value: number): Pic => {
  switch (pic.init) {
    case 2:
      return { ...pic, base: value & 0xf8, init: nextWord(pic, 2) };
    case 3:
      return { ...pic, init: nextWord(pic, 3) };
    case 4:
      return { ...pic, nested: (value & 0x10) !== 0, auto_eoi: (value & 2) !== 0, init: 0 };
    default:
      return { ...pic, imr: value };
  }
};

/** device/pic-poll: after a poll command the next read acknowledges, and tells the input. */
export const readPic = (pic: Pic, data: boolean, master: boolean): { readonly pic: Pic; readonly value: number } => {
  if (pic.poll) {
    const input = asking(pic, master);
    const polled = { ...pic, poll: false };
    return input === null ? { pic: polled, value: 0 } : { pic: acknowledge(polled, input), value: 0x80 | input };
  }
  if (data) return { pic, value: pic.imr };
  return { pic, value: pic.read_isr ? pic.isr : pic.irr };
};

/** Inputs whose trigger mode cannot be changed: the timer, keyboard and cascade, the clock and the FPU. */
const ELCR_MASK = { master: 0xf8, slave: 0xde } as const;
export const writeElcr = (pic: Pic, value: number, master: boolean): Pic => ({
  ...pic,
  elcr: value & (master ? ELCR_MASK.master : ELCR_MASK.slave),
});
