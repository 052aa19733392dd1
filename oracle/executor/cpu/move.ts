/** Moves, with and without extension, LEA, and the conversions inside RAX and RDX. */
import { linear, next, source, target } from './address.ts';
import type { Cpu } from './cpu.ts';
import type { Forms } from './forms.ts';
import type { Handler, Op } from './op.ts';
import { getRegister, peek, poke, setRegister } from './operand.ts';

/** A value of up to 32 bits into a whole register. */
const wide = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  const s = c.s;
  s[o.a] = lo;
  s[o.a + 1] = hi;
  return o.next;
};

export const MOV64: Forms = {
  rr: (c, o) => wide(c, o, c.s[o.b], c.s[o.b + 1]),
  ri: (c, o) => wide(c, o, o.imm, o.immHi),
  rm: (c, o) => {
    const p = source(c, o, 7);
    return wide(c, o, c.dv.getInt32(p, true), c.dv.getInt32(p + 4, true));
  },
  mr: (c, o) => {
    const p = target(c, o, 7);
    c.dv.setInt32(p, c.s[o.b], true);
    c.dv.setInt32(p + 4, c.s[o.b + 1], true);
    return next(c, o);
  },
  mi: (c, o) => {
    const p = target(c, o, 7);
    c.dv.setInt32(p, o.imm, true);
    c.dv.setInt32(p + 4, o.immHi, true);
    return next(c, o);
  },
};

export const MOV32: Forms = {
  rr: (c, o) => wide(c, o, c.s[o.b], 0),
  ri: (c, o) => wide(c, o, o.imm, 0),
  rm: (c, o) => wide(c, o, c.dv.getInt32(source(c, o, 3), true), 0),
  mr: (c, o) => {
    c.dv.setInt32(target(c, o, 3), c.s[o.b], true);
    return next(c, o);
  },
  mi: (c, o) => {
    c.dv.setInt32(target(c, o, 3), o.imm, true);
    return next(c, o);
  },
};

const narrow16 = (c: Cpu, o: Op, value: number): Op => {
  c.s16[o.a] = value;
  return o.next;
};

/** The low half of 32 bits in memory. */
export const loadLow16: Handler = (c, o) => narrow16(c, o, c.dv.getUint16(source(c, o, 3), true));

export const MOV16: Forms = {
  rr: (c, o) => narrow16(c, o, c.s16[o.b]),
  ri: (c, o) => narrow16(c, o, o.imm),
  rm: (c, o) => narrow16(c, o, c.dv.getUint16(source(c, o, 1), true)),
  mr: (c, o) => {
    c.dv.setUint16(target(c, o, 1), c.s16[o.b], true);
    return next(c, o);
  },
  mi: (c, o) => {
    c.dv.setUint16(target(c, o, 1), o.imm, true);
    return next(c, o);
  },
};

const narrow8 = (c: Cpu, o: Op, value: number): Op => {
  c.s8[o.a] = value;
  return o.next;
};

export const MOV8: Forms = {
  rr: (c, o) => narrow8(c, o, c.s8[o.b]),
  ri: (c, o) => narrow8(c, o, o.imm),
  rm: (c, o) => narrow8(c, o, c.dv.getUint8(source(c, o, 0))),
  mr: (c, o) => {
    c.dv.setUint8(target(c, o, 0), c.s8[o.b]);
    return next(c, o);
  },
  mi: (c, o) => {
    c.dv.setUint8(target(c, o, 0), o.imm);
    return next(c, o);
  },
};

/** MOVZX: a 64-bit destination is the 32-bit one, zero-extended as always. By size of the source. */
export const MOVZX: Readonly<Record<number, { readonly rr: Handler; readonly rm: Handler }>> = {
  1: { rr: (c, o) => wide(c, o, c.s8[o.b], 0), rm: (c, o) => wide(c, o, c.dv.getUint8(source(c, o, 0)), 0) },
  2: { rr: (c, o) => wide(c, o, c.s16[o.b], 0), rm: (c, o) => wide(c, o, c.dv.getUint16(source(c, o, 1), true), 0) },
};

const signed64 = (c: Cpu, o: Op, value: number): Op => wide(c, o, value, value >> 31);

/** MOVSX and MOVSXD to 64 bits, by size of the source. */
export const MOVSX64: Readonly<Record<number, { readonly rr: Handler; readonly rm: Handler }>> = {
  1: { rr: (c, o) => signed64(c, o, (c.s8[o.b] << 24) >> 24), rm: (c, o) => signed64(c, o, c.dv.getInt8(source(c, o, 0))) },
  2: { rr: (c, o) => signed64(c, o, (c.s16[o.b] << 16) >> 16), rm: (c, o) => signed64(c, o, c.dv.getInt16(source(c, o, 1), true)) },
  4: { rr: (c, o) => signed64(c, o, c.s[o.b]), rm: (c, o) => signed64(c, o, c.dv.getInt32(source(c, o, 3), true)) },
};

/** The same to 32 bits. */
export const MOVSX32: Readonly<Record<number, { readonly rr: Handler; readonly rm: Handler }>> = {
  1: { rr: (c, o) => wide(c, o, (c.s8[o.b] << 24) >> 24, 0), rm: (c, o) => wide(c, o, c.dv.getInt8(source(c, o, 0)), 0) },
  2: { rr: (c, o) => wide(c, o, (c.s16[o.b] << 16) >> 16, 0), rm: (c, o) => wide(c, o, c.dv.getInt16(source(c, o, 1), true), 0) },
  4: { rr: (c, o) => wide(c, o, c.s[o.b], 0), rm: (c, o) => wide(c, o, c.dv.getInt32(source(c, o, 3), true), 0) },
};

/** To 16 bits the low word of the extended value is what counts. `extend` of MOVZX8 and of MOVSX8; 16 to 16 is a plain move. */
export const MOVZX16: { readonly rr: Handler; readonly rm: Handler } = {
  rr: (c, o) => narrow16(c, o, c.s8[o.b]),
  rm: (c, o) => narrow16(c, o, c.dv.getUint8(source(c, o, 0))),
};
export const MOVSX16: { readonly rr: Handler; readonly rm: Handler } = {
  rr: (c, o) => narrow16(c, o, (c.s8[o.b] << 24) >> 24),
  rm: (c, o) => narrow16(c, o, c.dv.getInt8(source(c, o, 0))),
};

export const LEA: Readonly<Record<number, Handler>> = {
  2: (c, o) => narrow16(c, o, linear(c, o)),
  4: (c, o) => wide(c, o, linear(c, o), 0),
  8: (c, o) => {
    const lo = linear(c, o);
    return wide(c, o, lo, c.high);
  },
};

const swap32 = (v: number): number => (v << 24) | ((v & 0xff00) << 8) | ((v >>> 8) & 0xff00) | (v >>> 24);

/** Bytes of a value of `size` in reverse; `cpu.high` in and out. */
const reverse = (c: Cpu, size: number, lo: number): number => {
  if (size === 2) return ((lo & 0xff) << 8) | ((lo >>> 8) & 0xff);
  if (size === 4) return swap32(lo);
  const low = swap32(c.high);
  c.high = swap32(lo);
  return low;
};

export const movbeLoad: Handler = (c, o) => {
  const lo = reverse(c, o.size, peek(c, source(c, o, o.size - 1), o.size));
  setRegister(c, o.a, o.size, lo, c.high);
  return o.next;
};
export const movbeStore: Handler = (c, o) => {
  const p = target(c, o, o.size - 1);
  const lo = reverse(c, o.size, getRegister(c, o.b, o.size));
  poke(c, p, o.size, lo, c.high);
  return next(c, o);
};

/** A 16-bit BSWAP is undefined and clears the word (spec/isa/x86/undefined.ts). */
export const BSWAP: Readonly<Record<number, Handler>> = {
  2: (c, o) => narrow16(c, o, 0),
  4: (c, o) => wide(c, o, swap32(c.s[o.a]), 0),
  8: (c, o) => wide(c, o, swap32(c.s[o.a + 1]), swap32(c.s[o.a])),
};

/** CBW, CWDE, CDQE: RAX from its lower part, by operand size. */
export const CBW: Readonly<Record<number, Handler>> = {
  2: (c, o) => {
    c.s16[0] = (c.s8[0] << 24) >> 24;
    return o.next;
  },
  4: (c, o) => {
    c.s[0] = (c.s[0] << 16) >> 16;
    c.s[1] = 0;
    return o.next;
  },
  8: (c, o) => {
    c.s[1] = c.s[0] >> 31;
    return o.next;
  },
};

/** CWD, CDQ, CQO: RDX from the sign of RAX. RDX is at 4 (words: 8). */
export const CWD: Readonly<Record<number, Handler>> = {
  2: (c, o) => {
    c.s16[8] = c.s[0] << 16 < 0 ? 0xffff : 0;
    return o.next;
  },
  4: (c, o) => {
    c.s[4] = c.s[0] >> 31;
    c.s[5] = 0;
    return o.next;
  },
  8: (c, o) => {
    c.s[4] = c.s[1] >> 31;
    c.s[5] = c.s[4];
    return o.next;
  },
};
