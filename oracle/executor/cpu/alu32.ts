/** 32-bit arithmetic and logic, one handler for each operation and form of operands. */
import { next, source, target } from './address.ts';
import { adc32, add32, logic32, sbb32, sub32 } from './arithmetic.ts';
import type { Cpu } from './cpu.ts';
import { SIZE32 } from './flags.ts';
import type { Forms } from './forms.ts';
import type { Op } from './op.ts';

/** The result into the destination register, which it zero-extends. */
const set = (c: Cpu, o: Op, value: number): Op => {
  const s = c.s;
  s[o.a] = value;
  s[o.a + 1] = 0;
  return o.next;
};

const put = (c: Cpu, o: Op, p: number, value: number): Op => {
  c.dv.setInt32(p, value, true);
  return next(c, o);
};

export const ALU32: Readonly<Record<string, Forms>> = {
  add: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, add32(c, s[o.a], s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, add32(c, s[o.a], o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, add32(c, s[o.a], c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, add32(c, c.dv.getInt32(p, true), s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, add32(c, c.dv.getInt32(p, true), o.imm, SIZE32));
    },
  },
  sub: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, sub32(c, s[o.a], s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, sub32(c, s[o.a], o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, sub32(c, s[o.a], c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, sub32(c, c.dv.getInt32(p, true), s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, sub32(c, c.dv.getInt32(p, true), o.imm, SIZE32));
    },
  },
  adc: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, adc32(c, s[o.a], s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, adc32(c, s[o.a], o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, adc32(c, s[o.a], c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, adc32(c, c.dv.getInt32(p, true), s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, adc32(c, c.dv.getInt32(p, true), o.imm, SIZE32));
    },
  },
  sbb: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, sbb32(c, s[o.a], s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, sbb32(c, s[o.a], o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, sbb32(c, s[o.a], c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, sbb32(c, c.dv.getInt32(p, true), s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, sbb32(c, c.dv.getInt32(p, true), o.imm, SIZE32));
    },
  },
  and: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] & s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] & o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] & c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) & s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) & o.imm, SIZE32));
    },
  },
  or: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] | s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] | o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] | c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) | s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) | o.imm, SIZE32));
    },
  },
  xor: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] ^ s[o.b], SIZE32));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] ^ o.imm, SIZE32));
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      return set(c, o, logic32(c, s[o.a] ^ c.dv.getInt32(p, true), SIZE32));
    },
    mr: (c, o) => {
      const p = target(c, o, 3);
      const s = c.s;
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) ^ s[o.b], SIZE32));
    },
    mi: (c, o) => {
      const p = target(c, o, 3);
      return put(c, o, p, logic32(c, c.dv.getInt32(p, true) ^ o.imm, SIZE32));
    },
  },
  cmp: {
    rr: (c, o) => {
      const s = c.s;
      sub32(c, s[o.a], s[o.b], SIZE32);
      return o.next;
    },
    ri: (c, o) => {
      const s = c.s;
      sub32(c, s[o.a], o.imm, SIZE32);
      return o.next;
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      sub32(c, s[o.a], c.dv.getInt32(p, true), SIZE32);
      return o.next;
    },
    mr: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      sub32(c, c.dv.getInt32(p, true), s[o.b], SIZE32);
      return o.next;
    },
    mi: (c, o) => {
      const p = source(c, o, 3);
      sub32(c, c.dv.getInt32(p, true), o.imm, SIZE32);
      return o.next;
    },
  },
  test: {
    rr: (c, o) => {
      const s = c.s;
      logic32(c, s[o.a] & s[o.b], SIZE32);
      return o.next;
    },
    ri: (c, o) => {
      const s = c.s;
      logic32(c, s[o.a] & o.imm, SIZE32);
      return o.next;
    },
    rm: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      logic32(c, s[o.a] & c.dv.getInt32(p, true), SIZE32);
      return o.next;
    },
    mr: (c, o) => {
      const p = source(c, o, 3);
      const s = c.s;
      logic32(c, c.dv.getInt32(p, true) & s[o.b], SIZE32);
      return o.next;
    },
    mi: (c, o) => {
      const p = source(c, o, 3);
      logic32(c, c.dv.getInt32(p, true) & o.imm, SIZE32);
      return o.next;
    },
  },
};
