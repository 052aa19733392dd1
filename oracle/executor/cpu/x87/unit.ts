/** The x87's registers as a stack, its status, and how its instructions begin and end. Intel SDM volume 1, chapter 8. */
import { fromBits80, significand80, top80 } from '../../fp/format.ts';
import { type Fp, INDEFINITE } from '../../fp/number.ts';
import type { Cpu } from '../cpu.ts';
import { X87, X87_CONTROL, X87_STATUS, X87_TAG } from '../layout.ts';

/** Bits of the status word. */
export const STACK_FAULT = 0x40;
export const SUMMARY = 0x8080;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
export const TOP_SHIFT = 11;
const TOP_FIELD = 0x3800;
const INVALID = 1;

export const topOf = ({ s }: Cpu): number => (s[X87_STATUS] >> TOP_SHIFT) & 7;
export const setTop = ({ s }: Cpu, top: number): void => {
  s[X87_STATUS] = (s[X87_STATUS] & ~TOP_FIELD) | ((top & 7) << TOP_SHIFT);
};

/** Place of ST(i) in the register file. */
export const placeOf = (c: Cpu, i: number): number => X87 + (((topOf(c) + i) & 7) << 2);
export const isEmpty = (c: Cpu, i: number): boolean => ((c.s[X87_TAG] >> ((topOf(c) + i) & 7)) & 1) === 0;

/** The number in ST(i). */
export const read = (c: Cpu, i: number): Fp => {
  const at = placeOf(c, i);
  return fromBits80(c.s[at + 2] & 0xffff, c.u64[at >> 1]);
};

/** Into ST(i), which is valid then. */
export const write = (c: Cpu, i: number, x: Fp): void => writeBits(c, i, top80(x), significand80(x));
export const writeBits = (c: Cpu, i: number, top: number, significand: bigint): void => {
  const at = placeOf(c, i);
  c.u64[at >> 1] = significand;
  c.s[at + 2] = top;
  c.s[X87_TAG] |= 1 << ((topOf(c) + i) & 7);
};

export const free = (c: Cpu, i: number): void => {
  c.s[X87_TAG] &= ~(1 << ((topOf(c) + i) & 7));
};
export const pop = (c: Cpu): void => {
  free(c, 0);
  setTop(c, topOf(c) + 1);
};
export const pushBits = (c: Cpu, top: number, significand: bigint): void => {
  setTop(c, topOf(c) - 1);
  writeBits(c, 0, top, significand);
};
export const push = (c: Cpu, x: Fp): void => pushBits(c, top80(x), significand80(x));

/** Begin an instruction under the control word. C1 is 0 unless the instruction says otherwise. */
export const begin = (c: Cpu): void => {
  c.fp.useControl(c.s[X87_CONTROL]);
  c.s[X87_STATUS] &= ~C1;
};

/** Error summary and busy follow from the exceptions and their masks. */
export const summarize = ({ s }: Cpu): void => {
  if ((s[X87_STATUS] & ~s[X87_CONTROL] & 0x3f) !== 0) s[X87_STATUS] |= SUMMARY;
  else s[X87_STATUS] &= ~SUMMARY;
};

/** Note what the operation raised, and in C1 whether it rounded up. */
export const conclude = (c: Cpu): void => {
  const { fp, s } = c;
  if (fp.up) s[X87_STATUS] |= C1;
  if (fp.flags === 0) return;
  s[X87_STATUS] |= fp.flags;
  summarize(c);
};

/** A stack fault. Returns whether invalid operations are masked, so that the instruction goes on with the indefinite. */
export const stackFault = (c: Cpu, overflow: boolean): boolean => {
  const { fp, s } = c;
  fp.flags |= INVALID;
  s[X87_STATUS] |= STACK_FAULT | (overflow ? C1 : 0);
  conclude(c);
  return (fp.masks & INVALID) !== 0;
};
export const underflow = (c: Cpu): boolean => stackFault(c, false);

/** Whether there is room for one more; else the stack overflows, and the masked answer is the indefinite pushed. */
export const hasRoom = (c: Cpu): boolean => {
  if (isEmpty(c, 7)) return true;
  if (stackFault(c, true)) push(c, INDEFINITE);
  return false;
};
