/** MMX, by mnemonic: the operations that SSE registers have too, eight bytes at a time, and what moves them. */
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { X87_TAG } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import { ELEMENTS } from '../sse/element.ts';
import { byteSigns } from '../sse/move.ts';
import { pshufw, REARRANGED } from '../sse/rearrange.ts';
import { byImmediate, byVector, SHIFT_NAMES } from '../sse/shift.ts';
import { maskedStore, toRdi } from '../sse/special.ts';
import { type Lanes, LOADS, load8, widthOf } from '../sse/vector.ts';
import { type Build, type BuildTable, fixed } from '../table.ts';
import { MMX_CONVERSIONS } from './convert.ts';
import { enter, written } from './state.ts';

/** An operation on the destination and a source that is a register or memory. */
const packed =
  (lanes: Lanes): Build =>
  (_, i, form) => {
    const memory = form[1] === 'm';
    const load = LOADS[Math.max(4, widthOf(i.row.operands[1]))] ?? load8;
    return (c, o) => {
      const b = memory ? load(c, o) : o.b;
      enter(c);
      lanes(c, o.a, b, 8, o);
      written(c, o.a);
      return o.next;
    };
  };
const all = (table: Readonly<Record<string, Lanes>>): BuildTable =>
  Object.fromEntries(Object.entries(table).map(([name, lanes]) => [name, packed(lanes)]));

const byOwnImmediate = (lanes: Lanes): Handler => {
  return (c, o) => {
    enter(c);
    lanes(c, o.a, o.a, 8, o);
    written(c, o.a);
    return o.next;
  };
};
const shifts: BuildTable = Object.fromEntries(
  SHIFT_NAMES.map((name) => {
    const vector = packed(byVector(name));
    const immediate = byOwnImmediate(byImmediate(name));
    return [name, (o, i, form) => (form === 'pi' ? immediate : vector(o, i, form))];
  }),
);

/** Two dwords into an MMX register. */
const put = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  enter(c);
  c.s[o.a] = lo;
  c.s[o.a + 1] = hi;
  written(c, o.a);
  return o.next;
};
/** Two dwords, or one, of an MMX register into memory. */
const store =
  (bytes: 4 | 8): Handler =>
  (c, o) => {
    const p = target(c, o, bytes - 1);
    enter(c);
    c.dv.setInt32(p, c.s[o.b], true);
    if (bytes === 8) c.dv.setInt32(p + 4, c.s[o.b + 1], true);
    return next(c, o);
  };
const load =
  (bytes: 4 | 8): Handler =>
  (c, o) => {
    const p = source(c, o, bytes - 1);
    return put(c, o, c.dv.getInt32(p, true), bytes === 8 ? c.dv.getInt32(p + 4, true) : 0);
  };
const copy: Handler = (c, o) => put(c, o, c.s[o.b], c.s[o.b + 1]);

const movd: Build = (o, _, form) => {
  const bytes = o.size === 8 ? 8 : 4;
  if (form === 'pm') return load(bytes);
  if (form === 'mp') return store(bytes);
  if (form === 'pr') return (c, each) => put(c, each, c.s[each.b], bytes === 8 ? c.s[each.b + 1] : 0);
  return (c, each) => intoGeneral(c, each, c.s[each.b], bytes === 8 ? c.s[each.b + 1] : 0);
};

const intoGeneral = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  enter(c);
  c.s[o.a] = lo;
  c.s[o.a + 1] = hi;
  return o.next;
};

const pinsrw: Build = (_, __, form) => (c, o) => {
  const value = form[1] === 'm' ? c.dv.getUint16(source(c, o, 1), true) : c.s16[o.b];
  enter(c);
  c.s16[(o.a << 1) + (o.imm & 3)] = value;
  written(c, o.a);
  return o.next;
};

/** From an MMX register to an XMM register, and back. */
const movq2dq: Handler = (c, o) => {
  enter(c);
  c.s[o.a] = c.s[o.b];
  c.s[o.a + 1] = c.s[o.b + 1];
  c.s[o.a + 2] = 0;
  c.s[o.a + 3] = 0;
  return o.next;
};

const maskmovq: Handler = (c, o) => {
  // The x87 state is MMX's even when the store faults.
  enter(c);
  return maskedStore(c, o, o.a, o.b, 8);
};

/** All registers are empty; TOP becomes 0 as with the others. */
const emms: Handler = (c, o) => {
  enter(c);
  c.s[X87_TAG] = 0;
  return o.next;
};

export const MMX: BuildTable = {
  ...all(ELEMENTS),
  ...all(REARRANGED),
  ...shifts,
  ...MMX_CONVERSIONS,
  pshufw: packed(pshufw),
  movd,
  movq: (_, __, form) => (form === 'pm' ? load(8) : form === 'mp' ? store(8) : copy),
  movntq: fixed(store(8)),
  movq2dq: fixed(movq2dq),
  movdq2q: fixed(copy),
  pinsrw,
  pextrw: fixed((c, o) => intoGeneral(c, o, c.s16[(o.b << 1) + (o.imm & 3)], 0)),
  pmovmskb: fixed((c, o) => intoGeneral(c, o, byteSigns(c.s, o.b, 8), 0)),
  maskmovq: toRdi(maskmovq, 8),
  emms: fixed(emms),
};
