/** 64-bit arithmetic and logic, one handler for each operation and form of operands: the executor's hottest code. */
import { next, source, target } from './address.ts';
import { adc64, add64, logic64, sbb64, sub64 } from './arithmetic.ts';
import type { Cpu } from './cpu.ts';
import type { Forms } from './forms.ts';
import type { Op } from './op.ts';

/** The result into the destination register. */
const set = (c: Cpu, o: Op, lo: number): Op => {
  const s = c.s;
  s[o.a] = lo;
  s[o.a + 1] = c.high;
  return o.next;
};

/** The result into memory at `p`. */
const put = (c: Cpu, o: Op, p: number, lo: number): Op => {
  c.dv.setInt32(p, lo, true);
  c.dv.setInt32(p + 4, c.high, true);
  return next(c, o);
};

export const ALU64: Readonly<Record<string, Forms>> = {
  add: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, add64(c, s[o.a], s[o.a + 1], s[o.b], s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, add64(c, s[o.a], s[o.a + 1], o.imm, o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, add64(c, s[o.a], s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, add64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), s[o.b], s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, add64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi));
    },
  },
  sub: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, sub64(c, s[o.a], s[o.a + 1], s[o.b], s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, sub64(c, s[o.a], s[o.a + 1], o.imm, o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, sub64(c, s[o.a], s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, sub64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), s[o.b], s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, sub64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi));
    },
  },
  adc: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, adc64(c, s[o.a], s[o.a + 1], s[o.b], s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, adc64(c, s[o.a], s[o.a + 1], o.imm, o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, adc64(c, s[o.a], s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, adc64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), s[o.b], s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, adc64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi));
    },
  },
  sbb: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, sbb64(c, s[o.a], s[o.a + 1], s[o.b], s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, sbb64(c, s[o.a], s[o.a + 1], o.imm, o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, sbb64(c, s[o.a], s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, sbb64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), s[o.b], s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, sbb64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi));
    },
  },
  and: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] & s[o.b], s[o.a + 1] & s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] & o.imm, s[o.a + 1] & o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] & c.dv.getInt32(p, true), s[o.a + 1] & c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) & s[o.b], c.dv.getInt32(p + 4, true) & s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) & o.imm, c.dv.getInt32(p + 4, true) & o.immHi));
    },
  },
  or: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] | s[o.b], s[o.a + 1] | s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] | o.imm, s[o.a + 1] | o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] | c.dv.getInt32(p, true), s[o.a + 1] | c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) | s[o.b], c.dv.getInt32(p + 4, true) | s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) | o.imm, c.dv.getInt32(p + 4, true) | o.immHi));
    },
  },
  xor: {
    rr: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] ^ s[o.b], s[o.a + 1] ^ s[o.b + 1]));
    },
    ri: (c, o) => {
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] ^ o.imm, s[o.a + 1] ^ o.immHi));
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      return set(c, o, logic64(c, s[o.a] ^ c.dv.getInt32(p, true), s[o.a + 1] ^ c.dv.getInt32(p + 4, true)));
    },
    mr: (c, o) => {
      const p = target(c, o, 7);
      const s = c.s;
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) ^ s[o.b], c.dv.getInt32(p + 4, true) ^ s[o.b + 1]));
    },
    mi: (c, o) => {
      const p = target(c, o, 7);
      return put(c, o, p, logic64(c, c.dv.getInt32(p, true) ^ o.imm, c.dv.getInt32(p + 4, true) ^ o.immHi));
    },
  },
  cmp: {
    rr: (c, o) => {
      const s = c.s;
      sub64(c, s[o.a], s[o.a + 1], s[o.b], s[o.b + 1]);
      return o.next;
    },
    ri: (c, o) => {
      const s = c.s;
      sub64(c, s[o.a], s[o.a + 1], o.imm, o.immHi);
      return o.next;
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      sub64(c, s[o.a], s[o.a + 1], c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true));
      return o.next;
    },
    mr: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      sub64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), s[o.b], s[o.b + 1]);
      return o.next;
    },
    mi: (c, o) => {
      const p = source(c, o, 7);
      sub64(c, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true), o.imm, o.immHi);
      return o.next;
    },
  },
  test: {
    rr: (c, o) => {
      const s = c.s;
      logic64(c, s[o.a] & s[o.b], s[o.a + 1] & s[o.b + 1]);
      return o.next;
    },
    ri: (c, o) => {
      const s = c.s;
      logic64(c, s[o.a] & o.imm, s[o.a + 1] & o.immHi);
      return o.next;
    },
    rm: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      logic64(c, s[o.a] & c.dv.getInt32(p, true), s[o.a + 1] & c.dv.getInt32(p + 4, true));
      return o.next;
    },
    mr: (c, o) => {
      const p = source(c, o, 7);
      const s = c.s;
      logic64(c, c.dv.getInt32(p, true) & s[o.b], c.dv.getInt32(p + 4, true) & s[o.b + 1]);
      return o.next;
    },
    mi: (c, o) => {
      const p = source(c, o, 7);
      logic64(c, c.dv.getInt32(p, true) & o.imm, c.dv.getInt32(p + 4, true) & o.immHi);
      return o.next;
    },
  },
};
