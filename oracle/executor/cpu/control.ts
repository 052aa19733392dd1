/** Branches, calls, returns, loops of 64-bit mode. */
import { source } from './address.ts';
import { isCanonical } from './canonical.ts';
import { belowOrEqual, less, lessOrEqual } from './condition.ts';
import type { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { carry, overflow, parity, sign, zero } from './flags.ts';
import { PAGE } from './layout.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, poke } from './operand.ts';
import { dropTop, moveSp, popPlace, popTop, pushPlace, pushTop } from './stack.ts';

/** Upper half of the branch's target, whose lower half is PAGE + imm. */
const targetHigh = (c: Cpu, o: Op, lo: number): number => {
  const s = c.s;
  return (s[PAGE + 1] + o.immHi + (lo >>> 0 < s[PAGE] >>> 0 ? 1 : 0)) | 0;
};

/** To the target of a relative branch in another page. With 16-bit operands only its low 16 bits are left. */
const far = (c: Cpu, o: Op): Op => {
  const lo = (c.s[PAGE] + o.imm) | 0;
  if (o.size === 2) return c.goto(lo & 0xffff, 0);
  const hi = targetHigh(c, o, lo);
  if (!isCanonical(hi)) c.fault(GP, 0);
  return c.goto(lo, hi);
};

const taken = (c: Cpu, o: Op): Op => o.taken ?? far(c, o);

/** By condition number. */
export const JCC: readonly Handler[] = [
  (c, o) => (overflow(c) ? taken(c, o) : o.next),
  (c, o) => (overflow(c) ? o.next : taken(c, o)),
  (c, o) => (carry(c) ? taken(c, o) : o.next),
  (c, o) => (carry(c) ? o.next : taken(c, o)),
  (c, o) => (zero(c) ? taken(c, o) : o.next),
  (c, o) => (zero(c) ? o.next : taken(c, o)),
  (c, o) => (belowOrEqual(c) ? taken(c, o) : o.next),
  (c, o) => (belowOrEqual(c) ? o.next : taken(c, o)),
  (c, o) => (sign(c) ? taken(c, o) : o.next),
  (c, o) => (sign(c) ? o.next : taken(c, o)),
  (c, o) => (parity(c) ? taken(c, o) : o.next),
  (c, o) => (parity(c) ? o.next : taken(c, o)),
  (c, o) => (less(c) ? taken(c, o) : o.next),
  (c, o) => (less(c) ? o.next : taken(c, o)),
  (c, o) => (lessOrEqual(c) ? taken(c, o) : o.next),
  (c, o) => (lessOrEqual(c) ? o.next : taken(c, o)),
];

export const jmp: Handler = taken;

/** Push the address of the next instruction. */
const pushReturn = (c: Cpu, o: Op): void => {
  const s = c.s;
  const p = pushTop(c);
  const lo = (s[PAGE] + o.end) | 0;
  c.dv.setInt32(p, lo, true);
  c.dv.setInt32(p + 4, (s[PAGE + 1] + (lo >>> 0 < s[PAGE] >>> 0 ? 1 : 0)) | 0, true);
  dropTop(c, -8);
};

/** Push, then go to `hi:lo`. A stack that cannot be written counts before a target that is not canonical. */
const callTo = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  if (!isCanonical(hi)) {
    pushTop(c);
    c.fault(GP, 0);
  }
  pushReturn(c, o);
  if (c.aftercare) c.finishWrite();
  return c.goto(lo, hi);
};

export const call: Handler = (c, o) => {
  const { taken } = o;
  if (taken !== null) {
    pushReturn(c, o);
    if (!c.aftercare) return taken;
    c.finishWrite();
  }
  const lo = (c.s[PAGE] + o.imm) | 0;
  const hi = targetHigh(c, o, lo);
  return taken === null ? callTo(c, o, lo, hi) : c.goto(lo, hi);
};

/** Where an indirect branch leads. */
const indirect = (c: Cpu, o: Op): number => (o.memory ? peek(c, source(c, o, 7), 8) : getRegister(c, o.a, 8));

export const callIndirect: Handler = (c, o) => {
  const lo = indirect(c, o);
  return callTo(c, o, lo, c.high);
};

export const jmpIndirect: Handler = (c, o) => {
  const lo = indirect(c, o);
  if (!isCanonical(c.high)) c.fault(GP, 0);
  return c.goto(lo, c.high);
};

/** The same with 16-bit operands: targets and return addresses of 16 bits. */
const indirectShort = (c: Cpu, o: Op): number => (o.memory ? peek(c, source(c, o, 1), 2) : getRegister(c, o.a, 2));

const callShortTo = (c: Cpu, o: Op, lo: number): Op => {
  poke(c, pushPlace(c, 2), 2, c.s[PAGE] + o.end, 0);
  moveSp(c, -2);
  if (c.aftercare) c.finishWrite();
  return c.goto(lo, 0);
};

export const callShort: Handler = (c, o) => callShortTo(c, o, (c.s[PAGE] + o.imm) & 0xffff);
export const callIndirectShort: Handler = (c, o) => callShortTo(c, o, indirectShort(c, o));
export const jmpIndirectShort: Handler = (c, o) => c.goto(indirectShort(c, o), 0);
export const retShort: Handler = (c, o) => {
  const lo = peek(c, popPlace(c, 2), 2);
  moveSp(c, 2 + o.imm);
  return c.goto(lo, 0);
};

/** RET; `imm` bytes of arguments are dropped too. */
export const ret: Handler = (c, o) => {
  const p = popTop(c);
  const lo = c.dv.getInt32(p, true);
  const hi = c.dv.getInt32(p + 4, true);
  if (!isCanonical(hi)) c.fault(GP, 0);
  dropTop(c, 8 + o.imm);
  return c.goto(lo, hi);
};

/** Place of RCX. */
const CX = 2;

/** Whether RCX (ECX with a 67 prefix) minus one is not zero; the new value is stored by `countDown`. */
const remains = (c: Cpu, o: Op): boolean => c.s[CX] !== 1 || (o.address === 8 && c.s[CX + 1] !== 0);

const countDown = (c: Cpu, o: Op): void => {
  const s = c.s;
  if (o.address === 4) s[CX + 1] = 0;
  else if (s[CX] === 0) s[CX + 1] -= 1;
  s[CX] -= 1;
};

/** LOOP, LOOPE, LOOPNE. A target that cannot be reached faults before the count changes. */
const loopWhile =
  (also: (c: Cpu) => boolean): Handler =>
  (c, o) => {
    const follow = remains(c, o) && also(c) ? taken(c, o) : o.next;
    countDown(c, o);
    return follow;
  };
export const loop = loopWhile(() => true);
export const loope = loopWhile(zero);
export const loopne = loopWhile((c) => !zero(c));

export const jrcxz: Handler = (c, o) => (c.s[CX] === 0 && (o.address === 4 || c.s[CX + 1] === 0) ? taken(c, o) : o.next);
