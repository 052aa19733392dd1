/** Near branches outside 64-bit mode: targets are offsets in CS, cut to the operand size and checked against the limit. */
import { linearBeyond, readable, source } from './address.ts';
import { jump, nextIp } from './code_segment.ts';
import { condition } from './condition.ts';
import type { Cpu } from './cpu.ts';
import { BR, GP, OF } from './exit.ts';
import { overflow, zero } from './flags.ts';
import { CS_BASE, CS_LIMIT, PAGE } from './layout.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, poke } from './operand.ts';
import { moveSp, popPlace, pushPlace } from './stack.ts';

/** Offset that a relative branch leads to. */
const target = (c: Cpu, o: Op): number => {
  const ip = (c.s[PAGE] + o.imm - c.s[CS_BASE]) | 0;
  return o.size === 2 ? ip & 0xffff : ip;
};

const taken = (c: Cpu, o: Op): Op => (o.taken !== null && !c.boundary ? o.taken : jump(c, target(c, o)));

export const jmp: Handler = taken;

/** Jcc; the condition's number is in `v`. */
export const jcc: Handler = (c, o) => (condition(c, o.v) ? taken(c, o) : o.next);

/** Push the offset of the next instruction and go. A stack that cannot be written counts before a target beyond the limit. */
const callTo = (c: Cpu, o: Op, ip: number): Op => {
  const p = pushPlace(c, o.size);
  if (ip >>> 0 > c.s[CS_LIMIT] >>> 0) c.fault(GP, 0);
  poke(c, p, o.size, nextIp(c, o), 0);
  moveSp(c, -o.size);
  if (c.aftercare) {
    c.finishWrite();
    return jump(c, ip);
  }
  return o.taken !== null && !c.boundary ? o.taken : jump(c, ip);
};

export const call: Handler = (c, o) => callTo(c, o, target(c, o));

const indirect = (c: Cpu, o: Op): number => (o.memory ? peek(c, source(c, o, o.size - 1), o.size) : getRegister(c, o.a, o.size));

export const callIndirect: Handler = (c, o) => callTo(c, o, indirect(c, o));
export const jmpIndirect: Handler = (c, o) => jump(c, indirect(c, o));

export const ret: Handler = (c, o) => {
  const ip = peek(c, popPlace(c, o.size), o.size);
  if (ip >>> 0 > c.s[CS_LIMIT] >>> 0) c.fault(GP, 0);
  moveSp(c, o.size + o.imm);
  return jump(c, ip);
};

/** Place of ECX; CX is at twice that. */
const CX = 2;
const count = (c: Cpu, o: Op): number => (o.address === 2 ? c.s16[2 * CX] : c.s[CX]);

/** LOOP, LOOPE, LOOPNE. A target that cannot be reached faults before the count changes. */
const loopWhile =
  (also: (c: Cpu) => boolean): Handler =>
  (c, o) => {
    const left = (count(c, o) - 1) | 0;
    const follow = left !== 0 && also(c) ? taken(c, o) : o.next;
    if (o.address === 2) c.s16[2 * CX] = left;
    else {
      c.s[CX] = left;
      c.s[CX + 1] = 0;
    }
    return follow;
  };
export const loop = loopWhile(() => true);
export const loope = loopWhile(zero);
export const loopne = loopWhile((c) => !zero(c));

export const jcxz: Handler = (c, o) => (count(c, o) === 0 ? taken(c, o) : o.next);

/** BOUND: #BR unless the signed index lies between the two bounds in memory. */
export const bound: Handler = (c, o) => {
  const signed = (value: number): number => (o.size === 2 ? (value << 16) >> 16 : value);
  const index = signed(getRegister(c, o.a, o.size));
  const lower = signed(peek(c, source(c, o, o.size - 1), o.size));
  const at = linearBeyond(c, o, o.size, 0);
  const upper = signed(peek(c, readable(c, o, at, c.high, o.size - 1), o.size));
  return index < lower || index > upper ? c.fault(BR, null) : o.next;
};

/** INTO: a trap, when O is set. */
export const into: Handler = (c, o) => (overflow(c) ? c.leave(o, { kind: 'int', vector: OF }) : o.next);
