/** PUSH and POP. RSP changes only after all that can fault has been done. */
import { LEGACY_STACK, linear, linearOf, next, readable, STACK, writable } from './address.ts';
import type { Cpu } from './cpu.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, poke, setRegister } from './operand.ts';

/** Place of RSP in the register file. */
export const SP = 8;

/** Move the stack pointer by `by` bytes, up or down: RSP, ESP or SP. */
export const moveSp = (c: Cpu, by: number): void => {
  if (!c.legacy) moveRsp(c, by);
  else if (c.wideStack) {
    c.s[SP] += by;
    c.s[SP + 1] = 0;
  } else c.s16[2 * SP] += by;
};

const moveRsp = (c: Cpu, by: number): void => {
  const s = c.s;
  const lo = (s[SP] + by) | 0;
  s[SP + 1] = (s[SP + 1] + (by >> 31) + (lo >>> 0 < by >>> 0 ? 1 : 0)) | 0;
  s[SP] = lo;
};

/** The offset `by` bytes from a pointer into the stack, outside 64-bit mode: wraps as the stack pointer does. */
export const stackOffset = (c: Cpu, pointer: number, by: number): number => {
  const offset = (pointer + by) | 0;
  return c.wideStack ? offset : offset & 0xffff;
};

/** Where `size` bytes at an offset of the stack segment can be read, or written, outside 64-bit mode. */
export const readStack = (c: Cpu, offset: number, size: number): number => {
  const lo = linearOf(c, LEGACY_STACK, offset);
  return readable(c, LEGACY_STACK, lo, c.high, size - 1);
};
export const writeStack = (c: Cpu, offset: number, size: number): number => {
  const lo = linearOf(c, LEGACY_STACK, offset);
  return writable(c, LEGACY_STACK, lo, c.high, size - 1);
};

/** Where `size` bytes pushed now would go, or `below` bytes further down. */
export const pushPlace = (c: Cpu, size: number, below = 0): number => {
  const by = size + below;
  if (c.legacy) return writeStack(c, stackOffset(c, c.s[SP], -by), size);
  return pushPlace64(c, size, by);
};

const pushPlace64 = (c: Cpu, size: number, by: number): number => {
  const s = c.s;
  const lo = (s[SP] - by) | 0;
  return writable(c, STACK, lo, (s[SP + 1] - (s[SP] >>> 0 < by ? 1 : 0)) | 0, size - 1);
};

/** Where the value is that lies `above` bytes over the top of the stack. */
export const popPlace = (c: Cpu, size: number, above = 0): number => {
  if (c.legacy) return readStack(c, stackOffset(c, c.s[SP], above), size);
  const s = c.s;
  const lo = (s[SP] + above) | 0;
  return readable(c, STACK, lo, (s[SP + 1] + (lo >>> 0 < above ? 1 : 0)) | 0, size - 1);
};

/** Push and pop of 64-bit mode, whose stack is never a segment: also for CALL and RET. */
export const pushTop = (c: Cpu): number => pushPlace64(c, 8, 8);
export const popTop = (c: Cpu): number => readable(c, STACK, c.s[SP], c.s[SP + 1], 7);
export const dropTop = (c: Cpu, by: number): void => moveRsp(c, by);

export const pushRegister64: Handler = (c, o) => {
  const p = pushTop(c);
  c.dv.setInt32(p, c.s[o.a], true);
  c.dv.setInt32(p + 4, c.s[o.a + 1], true);
  moveRsp(c, -8);
  return next(c, o);
};

export const popRegister64: Handler = (c, o) => {
  const p = popTop(c);
  const lo = c.dv.getInt32(p, true);
  const hi = c.dv.getInt32(p + 4, true);
  moveRsp(c, 8);
  c.s[o.a] = lo;
  c.s[o.a + 1] = hi;
  return o.next;
};

/** Push `hi:lo` of the operand size. */
export const push = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  poke(c, pushPlace(c, o.size), o.size, lo, hi);
  moveSp(c, -o.size);
  return next(c, o);
};

export const pushImmediate: Handler = (c, o) => push(c, o, o.imm, o.immHi);
export const pushRegister: Handler = (c, o) => push(c, o, getRegister(c, o.a, o.size), c.high);
export const pushMemory: Handler = (c, o) => {
  const at = linear(c, o);
  const lo = peek(c, readable(c, o, at, c.high, o.size - 1), o.size);
  return push(c, o, lo, c.high);
};

export const popRegister: Handler = (c, o) => {
  const lo = peek(c, popPlace(c, o.size), o.size);
  moveSp(c, o.size);
  setRegister(c, o.a, o.size, lo, c.high);
  return o.next;
};

/** The operand's address as it is once RSP has moved up; RSP itself stays. */
const withRaisedSp = (c: Cpu, o: Op): number => {
  moveSp(c, o.size);
  try {
    return linear(c, o);
  } finally {
    moveSp(c, -o.size);
  }
};

/** The address is computed with RSP already moved (a base of RSP sees the new value). */
export const popMemory: Handler = (c, o) => {
  const lo = peek(c, popPlace(c, o.size), o.size);
  const hi = c.high;
  const at = withRaisedSp(c, o);
  poke(c, writable(c, o, at, c.high, o.size - 1), o.size, lo, hi);
  moveSp(c, o.size);
  return next(c, o);
};
