/** Stack instructions: RSP at the edges of the stack's pages, something to pop below it. */
import { DATA_READ_ONLY, PAGE, STACK } from '#oracle/image/instruction/window.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { type Draft, SS } from '../draft.ts';
import type { Stream } from '../stream.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RBP, RSP } from './family.ts';

/** A stack pointer: mostly well inside, else near a page border. */
export const stackPointer = (s: Stream): bigint => {
  const middle = STACK + 0x400 + 8 * s.below(0x180);
  if (!s.one(4)) return BigInt(s.one(6) ? middle + s.below(8) : middle);
  const border = s.pick([STACK, STACK + PAGE, STACK + 2 * PAGE, DATA_READ_ONLY, 0, 0x800000000000, DATA_READ_ONLY + 0x100]);
  return BigInt.asUintN(64, BigInt(border + s.int(-10, 10)));
};

const anyStack = (d: Draft): void => {
  d.pokeAny(d.setStack(stackPointer(d.s)), 8);
};

/** PUSHA and POPA take eight registers. */
const wholeStack = (d: Draft): void => {
  const top = d.setStack(stackPointer(d.s));
  for (let n = 0n; n < 4n; n++) d.pokeAny(top + 8n * n, 8);
};

/** A frame pointer chain for ENTER's levels, and for LEAVE. */
const frames = (d: Draft): void => {
  d.setStack(stackPointer(d.s));
  const top = d.regs[RSP];
  d.regs[RBP] = d.s.one(6) ? d.offsetOf(SS, stackPointer(d.s)) : BigInt.asUintN(64, top + BigInt(8 * d.s.int(-2, 8)));
  if (d.mode !== '64') d.regs[RBP] &= 0xffffffffn;
  d.pokeAny(d.linearOf(SS, d.segments === null ? d.regs[RBP] : d.stackOffset(d.regs[RBP])), 8);
};

const enterImmediates = (d: Draft): void => {
  const { s } = d;
  const room = s.one(4) ? operandValue(s, 2) : BigInt(8 * s.below(64));
  const level = s.one(3) ? s.below(256) : s.below(4);
  d.immediate.push(...bytesOf(room, 2), level);
};

/** Any flags for POPF; TF stays away from them, for it would trap the harness and not the case. */
const flagImage = (d: Draft): void => {
  const top = d.setStack(stackPointer(d.s));
  const image = BigInt(d.s.bits()) & ~BigInt(RFLAGS.TF);
  d.pokeNumber(top, image, 8);
};

export const STACK_FAMILY: Readonly<Record<string, Family>> = {
  push: { before: anyStack },
  pop: { before: anyStack },
  pushf: { before: anyStack },
  popf: { before: flagImage, step: true },
  enter: { before: frames, immediates: enterImmediates },
  leave: { before: frames },
  pusha: { before: wholeStack },
  popa: { before: wholeStack },
  push_seg: { before: anyStack },
};
