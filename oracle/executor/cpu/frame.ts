/** ENTER, LEAVE, PUSHA, POPA. */
import { next, readable, STACK, writable } from './address.ts';
import type { Cpu } from './cpu.ts';
import type { Handler } from './op.ts';
import { getRegister, peek, poke, setRegister } from './operand.ts';
import { moveSp, popPlace, pushPlace, readStack, SP, stackOffset, writeStack } from './stack.ts';

/** Place of RBP. */
const BP = 10;

const placeFor = (register: number, size: number): number => (size === 2 ? 2 * register : register);

/** The value of `size` bytes that lies `below` bytes under where `hi:lo`, a frame pointer, points. */
const fromFrame = (c: Cpu, lo: number, hi: number, below: number, size: number): number => {
  if (c.legacy) return peek(c, readStack(c, stackOffset(c, lo, -below), size), size);
  return peek(c, readable(c, STACK, (lo - below) | 0, (hi - (lo >>> 0 < below ? 1 : 0)) | 0, size - 1), size);
};

/** The stack pointer takes the value of the frame pointer, as far as the stack is wide. */
const spFromBp = (c: Cpu): void => {
  const s = c.s;
  if (c.legacy && !c.wideStack) {
    c.s16[2 * SP] = c.s16[2 * BP];
    return;
  }
  s[SP] = s[BP];
  s[SP + 1] = c.legacy ? 0 : s[BP + 1];
};

export const leave: Handler = (c, o) => {
  const s = c.s;
  const lo = fromFrame(c, s[BP], s[BP + 1], 0, o.size);
  const hi = c.high;
  spFromBp(c);
  moveSp(c, o.size);
  setRegister(c, placeFor(BP, o.size), o.size, lo, hi);
  return o.next;
};

/**
 * ENTER: `imm` bytes of locals, `immHi` the nesting level. Frame pointers are read and pushed one by one; RSP and RBP change at the end.
 * The last check is that the new top of the stack can be written.
 */
export const enter: Handler = (c, o) => {
  const s = c.s;
  const { size } = o;
  const level = o.immHi & 31;
  const [bpLo, bpHi] = [s[BP], s[BP + 1]];
  const [spLo, spHi] = [s[SP], s[SP + 1]];
  try {
    pushSettled(c, size, bpLo, bpHi);
    const [frameLo, frameHi] = [s[SP], s[SP + 1]];
    for (let i = 1; i < level; i++) {
      const lo = fromFrame(c, bpLo, bpHi, i * size, size);
      pushSettled(c, size, lo, c.high);
    }
    if (level > 0) pushSettled(c, size, frameLo, frameHi);
    moveSp(c, -(o.imm & 0xffff));
    if (c.legacy) writeStack(c, stackOffset(c, s[SP], 0), size);
    else writable(c, STACK, s[SP], s[SP + 1], size - 1);
    setRegister(c, placeFor(BP, size), size, frameLo, frameHi);
  } catch (fault) {
    s[SP] = spLo;
    s[SP + 1] = spHi;
    throw fault;
  }
  return next(c, o);
};

/** A push whose aftercare is done at once, because more accesses follow. */
const pushSettled = (c: Cpu, size: number, lo: number, hi: number): void => {
  poke(c, pushPlace(c, size), size, lo, hi);
  moveSp(c, -size);
  c.finishWrite();
};

const REGISTERS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** EAX ECX EDX EBX, ESP as it was, EBP ESI EDI, one push after the other: those before a fault stay in memory. */
export const pusha: Handler = (c, o) => {
  const { size } = o;
  for (const register of REGISTERS) {
    const value = getRegister(c, placeFor(2 * register, size), size);
    poke(c, pushPlace(c, size, register * size), size, value, 0);
    if (register < 7) c.finishWrite();
  }
  moveSp(c, -8 * size);
  return next(c, o);
};

/** The same backwards, register by register: those before a fault have been loaded. What lies in the place of ESP is passed over. */
export const popa: Handler = (c, o) => {
  const { size } = o;
  for (const above of REGISTERS) {
    const register = 7 - above;
    const value = peek(c, popPlace(c, size, above * size), size);
    if (register !== 4) setRegister(c, placeFor(2 * register, size), size, value, 0);
  }
  moveSp(c, 8 * size);
  return o.next;
};
