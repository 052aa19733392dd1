/** Single elements in and out, blends, and elements made wider. */
import { next, source, target } from '../address.ts';
import type { Cpu } from '../cpu.ts';
import { XMM } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { type Lanes, packed, spare } from './vector.ts';

/** The element in a general register, zero-extended. */
const extracted = (c: Cpu, o: Op, lo: number, hi: number): Op => {
  c.s[o.a] = lo;
  c.s[o.a + 1] = hi;
  return o.next;
};

export const pextrw: Build = (_, __, form) =>
  form[0] === 'm'
    ? (c, o) => {
        c.dv.setUint16(target(c, o, 1), c.s16[(o.b << 1) + (o.imm & 7)], true);
        return next(c, o);
      }
    : (c, o) => extracted(c, o, c.s16[(o.b << 1) + (o.imm & 7)], 0);
const pextrb: Build = (_, __, form) =>
  form[0] === 'm'
    ? (c, o) => {
        c.dv.setUint8(target(c, o, 0), c.s8[(o.b << 2) + (o.imm & 15)]);
        return next(c, o);
      }
    : (c, o) => extracted(c, o, c.s8[(o.b << 2) + (o.imm & 15)], 0);
const pextrd: Build = (o, _, form) => {
  const wide = o.size === 8;
  const at = (each: Op): number => each.b + (wide ? 2 * (each.imm & 1) : each.imm & 3);
  if (form[0] !== 'm') return (c, each) => extracted(c, each, c.s[at(each)], wide ? c.s[at(each) + 1] : 0);
  return (c, each) => {
    const p = target(c, each, wide ? 7 : 3);
    c.dv.setInt32(p, c.s[at(each)], true);
    if (wide) c.dv.setInt32(p + 4, c.s[at(each) + 1], true);
    return next(c, each);
  };
};

/** Words are counted in words where a 16-bit register stands. */
const pinsrw: Build = (_, __, form) =>
  form[1] === 'm'
    ? (c, o) => {
        c.s16[(o.a << 1) + (o.imm & 7)] = c.dv.getUint16(source(c, o, 1), true);
        return o.next;
      }
    : (c, o) => {
        c.s16[(o.a << 1) + (o.imm & 7)] = c.s16[o.b];
        return o.next;
      };
const pinsrb: Build = (_, __, form) =>
  form[1] === 'm'
    ? (c, o) => {
        c.s8[(o.a << 2) + (o.imm & 15)] = c.dv.getUint8(source(c, o, 0));
        return o.next;
      }
    : (c, o) => {
        c.s8[(o.a << 2) + (o.imm & 15)] = c.s[o.b];
        return o.next;
      };
const pinsrd: Build = (o, _, form) => {
  const wide = o.size === 8;
  const at = (each: Op): number => each.a + (wide ? 2 * (each.imm & 1) : each.imm & 3);
  if (form[1] !== 'm')
    return (c, each) => {
      c.s[at(each)] = c.s[each.b];
      if (wide) c.s[at(each) + 1] = c.s[each.b + 1];
      return each.next;
    };
  return (c, each) => {
    const p = source(c, each, wide ? 7 : 3);
    c.s[at(each)] = c.dv.getInt32(p, true);
    if (wide) c.s[at(each) + 1] = c.dv.getInt32(p + 4, true);
    return each.next;
  };
};

/** Bits 7:6 choose the source's dword (of memory there is one), 5:4 where it goes, 3:0 what becomes zero. */
const insertps: Build = (_, __, form) => {
  const put = (c: Cpu, o: Op, value: number): Op => {
    c.s[o.a + ((o.imm >> 4) & 3)] = value;
    for (let n = 0; n < 4; n++) if (((o.imm >> n) & 1) === 1) c.s[o.a + n] = 0;
    return o.next;
  };
  return form[1] === 'm' ? (c, o) => put(c, o, c.dv.getInt32(source(c, o, 3), true)) : (c, o) => put(c, o, c.s[o.b + ((o.imm >> 6) & 3)]);
};

/** Elements of `dwords` dwords from the source where the chosen bit is set. */
const blendBits =
  (dwords: 1 | 2): Lanes =>
  ({ s }, a, b, _, o) => {
    for (let n = 0; n < 4; n++) if (((o.imm >> (dwords === 1 ? n : n >> 1)) & 1) === 1) s[a + n] = s[b + n];
  };
const blendWords: Lanes = ({ s16 }, a, b, _, o) => {
  for (let n = 0; n < 8; n++) if (((o.imm >> n) & 1) === 1) s16[(a << 1) + n] = s16[(b << 1) + n];
};
/** By the signs of XMM0's elements, which may be the destination. */
const blendSigns =
  (bytes: 1 | 4 | 8): Lanes =>
  (c, a, b) => {
    const { s8 } = c;
    const mask = spare(c, XMM) << 2;
    for (let n = 0; n < 16; n++) {
      const top = n - (n % bytes) + bytes - 1;
      if (s8[mask + top] > 127) s8[(a << 2) + n] = s8[(b << 2) + n];
    }
  };

/** Elements of `from` bytes to elements of `to`. The highest go first: source and destination may be one. */
const extend =
  (from: 1 | 2 | 4, to: 2 | 4 | 8, signed: boolean): Lanes =>
  (c, a, b) => {
    const { s8 } = c;
    const at = spare(c, b) << 2;
    for (let n = 16 / to - 1; n >= 0; n--) {
      const fill = signed && s8[at + n * from + from - 1] > 127 ? 255 : 0;
      for (let k = 0; k < to; k++) s8[(a << 2) + n * to + k] = k < from ? s8[at + n * from + k] : fill;
    }
  };
const extensions = (prefix: string, signed: boolean): BuildTable => ({
  [`${prefix}bw`]: packed(extend(1, 2, signed)),
  [`${prefix}bd`]: packed(extend(1, 4, signed)),
  [`${prefix}bq`]: packed(extend(1, 8, signed)),
  [`${prefix}wd`]: packed(extend(2, 4, signed)),
  [`${prefix}wq`]: packed(extend(2, 8, signed)),
  [`${prefix}dq`]: packed(extend(4, 8, signed)),
});

const extractDword: Handler = (c, o) => extracted(c, o, c.s[o.b + (o.imm & 3)], 0);

export const INSERTS: BuildTable = {
  pextrb,
  pextrw,
  pextrd,
  extractps: (_, __, form) =>
    form[0] === 'm'
      ? (c, o) => {
          c.dv.setInt32(target(c, o, 3), c.s[o.b + (o.imm & 3)], true);
          return next(c, o);
        }
      : extractDword,
  pinsrb,
  pinsrw,
  pinsrd,
  insertps,
  blendps: packed(blendBits(1)),
  blendpd: packed(blendBits(2)),
  pblendw: packed(blendWords),
  pblendvb: packed(blendSigns(1)),
  blendvps: packed(blendSigns(4)),
  blendvpd: packed(blendSigns(8)),
  ...extensions('pmovsx', true),
  ...extensions('pmovzx', false),
};
