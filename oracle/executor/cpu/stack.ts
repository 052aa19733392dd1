/** PUSH, POP, ENTER, LEAVE, PUSHF, POPF. RSP changes only after all that can fault has been done. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { linear, next, readable, STACK, writable } from './address.ts';
import type { Cpu } from './cpu.ts';
import { getFlags, setArithmeticFlags } from './flags.ts';
import { SYSTEM } from './layout.ts';
import { type Handler, type Op, STOP } from './op.ts';
import { getRegister, peek, poke, setRegister } from './operand.ts';

/** Place of RSP in the register file, and of RBP. */
export const SP = 8;
const BP = 10;

/** Move RSP by `by` bytes, up or down. */
export const moveSp = (c: Cpu, by: number): void => {
  const s = c.s;
  const lo = (s[SP] + by) | 0;
  s[SP + 1] = (s[SP + 1] + (by >> 31) + (lo >>> 0 < by >>> 0 ? 1 : 0)) | 0;
  s[SP] = lo;
};

/** Where `size` bytes pushed now would go, or `below` bytes further down. */
export const pushPlace = (c: Cpu, size: number, below = 0): number => {
  const s = c.s;
  const by = size + below;
  const lo = (s[SP] - by) | 0;
  return writable(c, STACK, lo, (s[SP + 1] - (s[SP] >>> 0 < by ? 1 : 0)) | 0, size - 1);
};

/** Where the value is that lies `above` bytes over the top of the stack. */
export const popPlace = (c: Cpu, size: number, above = 0): number => {
  const s = c.s;
  const lo = (s[SP] + above) | 0;
  return readable(c, STACK, lo, (s[SP + 1] + (lo >>> 0 < above ? 1 : 0)) | 0, size - 1);
};

export const pushRegister64: Handler = (c, o) => {
  const p = pushPlace(c, 8);
  c.dv.setInt32(p, c.s[o.a], true);
  c.dv.setInt32(p + 4, c.s[o.a + 1], true);
  moveSp(c, -8);
  return next(c, o);
};

export const popRegister64: Handler = (c, o) => {
  const p = popPlace(c, 8);
  const lo = c.dv.getInt32(p, true);
  const hi = c.dv.getInt32(p + 4, true);
  moveSp(c, 8);
  c.s[o.a] = lo;
  c.s[o.a + 1] = hi;
  return o.next;
};

/** Push `hi:lo` of the operand size. */
const push = (c: Cpu, o: Op, lo: number, hi: number): Op => {
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

export const leave: Handler = (c, o) => {
  const s = c.s;
  const lo = peek(c, readable(c, STACK, s[BP], s[BP + 1], o.size - 1), o.size);
  const hi = c.high;
  s[SP] = s[BP];
  s[SP + 1] = s[BP + 1];
  moveSp(c, o.size);
  setRegister(c, o.size === 2 ? 2 * BP : BP, o.size, lo, hi);
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
      const at = (bpLo - i * size) | 0;
      const lo = peek(c, readable(c, STACK, at, (bpHi - (bpLo >>> 0 < i * size ? 1 : 0)) | 0, size - 1), size);
      pushSettled(c, size, lo, c.high);
    }
    if (level > 0) pushSettled(c, size, frameLo, frameHi);
    moveSp(c, -(o.imm & 0xffff));
    writable(c, STACK, s[SP], s[SP + 1], size - 1);
    setRegister(c, size === 2 ? 2 * BP : BP, size, frameLo, frameHi);
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

/** RF and VM read as 0. */
export const pushf: Handler = (c, o) => push(c, o, getFlags(c) & ~(RFLAGS.RF | RFLAGS.VM), 0);

const { TF, DF, NT, AC, ID } = RFLAGS;
/** What ring 3 may change besides the arithmetic flags, with IOPL 0. */
const CHANGEABLE = TF | DF | NT | AC | ID;

/** Load the flags as POPF and IRET do in ring 3: IF, IOPL, VIF, VIP keep their value, RF is cleared unless `keepRf` allows it. */
export const loadFlags = (c: Cpu, value: number, size: number, resume: number): void => {
  const changeable = size === 2 ? CHANGEABLE & 0xffff : CHANGEABLE;
  setArithmeticFlags(c, value);
  c.s[SYSTEM] = (c.s[SYSTEM] & ~(changeable | RFLAGS.RF)) | (value & (changeable | resume));
};

export const popf: Handler = (c, o) => {
  const value = peek(c, popPlace(c, o.size), o.size);
  moveSp(c, o.size);
  loadFlags(c, value, o.size, 0);
  return (c.s[SYSTEM] & TF) === 0 ? o.next : leaveForTrapFlag(c, o.next);
};

/** With TF set, steps are taken one at a time: the burst ends before `follow`. */
export const leaveForTrapFlag = (c: Cpu, follow: Op): Op => {
  c.hold(follow);
  return STOP;
};
