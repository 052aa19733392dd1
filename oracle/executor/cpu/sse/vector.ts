/** Operands of the vector instructions: a place in the register file for each, four int32 to an XMM register. */
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { OPERAND, SPARE } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build } from '../table.ts';

/** Bring 16 bytes of memory to OPERAND; fewer leave zeros above. */
export const load16 = (c: Cpu, o: Op): number => {
  const p = source(c, o, 15);
  const { s, dv } = c;
  s[OPERAND] = dv.getInt32(p, true);
  s[OPERAND + 1] = dv.getInt32(p + 4, true);
  s[OPERAND + 2] = dv.getInt32(p + 8, true);
  s[OPERAND + 3] = dv.getInt32(p + 12, true);
  return OPERAND;
};
const zeroAbove = (s: Int32Array): void => {
  s[OPERAND + 2] = 0;
  s[OPERAND + 3] = 0;
};
export const load8 = (c: Cpu, o: Op): number => {
  const p = source(c, o, 7);
  const { s, dv } = c;
  s[OPERAND] = dv.getInt32(p, true);
  s[OPERAND + 1] = dv.getInt32(p + 4, true);
  zeroAbove(s);
  return OPERAND;
};
export const load4 = (c: Cpu, o: Op): number => {
  const { s } = c;
  s[OPERAND] = c.dv.getInt32(source(c, o, 3), true);
  s[OPERAND + 1] = 0;
  zeroAbove(s);
  return OPERAND;
};
const load2 = (c: Cpu, o: Op): number => {
  const { s } = c;
  s[OPERAND] = c.dv.getUint16(source(c, o, 1), true);
  s[OPERAND + 1] = 0;
  zeroAbove(s);
  return OPERAND;
};

type Load = (c: Cpu, o: Op) => number;
export const LOADS: Readonly<Record<number, Load>> = { 2: load2, 4: load4, 8: load8, 16: load16 };

/** Bytes of an operand by its code: `Wd`, `Mdq`. */
const WIDTHS: Readonly<Record<string, number>> = { b: 1, w: 2, d: 4, q: 8, dq: 16 };
export const widthOf = (code: string): number => WIDTHS[code.slice(1)] ?? 16;

/** What an operation does to its destination `a` with its source `b`, both places of int32; `bytes`: 8 of MMX, 16 of SSE. */
export type Lanes = (c: Cpu, a: number, b: number, bytes: number, o: Op) => void;

/** An operation on the destination and a source that is a register or memory. */
export const packed =
  (lanes: Lanes): Build =>
  (_, i, form) => {
    if (form[1] !== 'm')
      return (c, o) => {
        lanes(c, o.a, o.b, 16, o);
        return o.next;
      };
    const load = LOADS[widthOf(i.row.operands[1])];
    return (c, o) => {
      lanes(c, o.a, load(c, o), 16, o);
      return o.next;
    };
  };

/** The same whose handler sees both places itself. */
export const placed =
  (handler: (c: Cpu, o: Op, b: number) => Op): Build =>
  (_, i, form) => {
    if (form[1] !== 'm') return (c, o) => handler(c, o, o.b);
    const load = LOADS[widthOf(i.row.operands[1])];
    return (c, o) => handler(c, o, load(c, o));
  };

/** A copy of a vector in SPARE, for a source that is read after the destination was written. */
export const spare = (c: Cpu, at: number): number => {
  c.s.copyWithin(SPARE, at, at + 4);
  return SPARE;
};

/** Store 16 bytes from a place. */
export const store16: Handler = (c, o) => {
  const p = target(c, o, 15);
  const { s, dv } = c;
  const b = o.b;
  dv.setInt32(p, s[b], true);
  dv.setInt32(p + 4, s[b + 1], true);
  dv.setInt32(p + 8, s[b + 2], true);
  dv.setInt32(p + 12, s[b + 3], true);
  return next(c, o);
};
export const store8: Handler = (c, o) => {
  const p = target(c, o, 7);
  c.dv.setInt32(p, c.s[o.b], true);
  c.dv.setInt32(p + 4, c.s[o.b + 1], true);
  return next(c, o);
};
export const store4: Handler = (c, o) => {
  c.dv.setInt32(target(c, o, 3), c.s[o.b], true);
  return next(c, o);
};
