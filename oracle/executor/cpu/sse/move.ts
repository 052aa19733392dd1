/** Moves between XMM registers, memory and general registers. */
import { next, source, target } from '../address.ts';
import { OPERAND } from '../layout.ts';
import type { Handler } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { load4, load8, store4, store8, store16 } from './vector.ts';

const copy16: Handler = (c, o) => {
  const { s } = c;
  const { a, b } = o;
  s[a] = s[b];
  s[a + 1] = s[b + 1];
  s[a + 2] = s[b + 2];
  s[a + 3] = s[b + 3];
  return o.next;
};
const fetch16: Handler = (c, o) => {
  const p = source(c, o, 15);
  const { s, dv } = c;
  const a = o.a;
  s[a] = dv.getInt32(p, true);
  s[a + 1] = dv.getInt32(p + 4, true);
  s[a + 2] = dv.getInt32(p + 8, true);
  s[a + 3] = dv.getInt32(p + 12, true);
  return o.next;
};
const whole: Build = (_, __, form) => (form === 'mx' ? store16 : form === 'xm' ? fetch16 : copy16);

const take = (load: typeof load8): Handler => {
  return (c, o) => {
    load(c, o);
    c.s.copyWithin(o.a, OPERAND, OPERAND + 4);
    return o.next;
  };
};
const fetch4 = take(load4);
const fetch8 = take(load8);
const merge4: Handler = (c, o) => {
  c.s[o.a] = c.s[o.b];
  return o.next;
};
const merge8: Handler = (c, o) => {
  c.s[o.a] = c.s[o.b];
  c.s[o.a + 1] = c.s[o.b + 1];
  return o.next;
};
/** MOVSS and MOVSD: from memory zeros come above, between registers the rest stays. */
const movss: Build = (_, __, form) => (form === 'mx' ? store4 : form === 'xm' ? fetch4 : merge4);
const movsd: Build = (_, __, form) => (form === 'mx' ? store8 : form === 'xm' ? fetch8 : merge8);

/** 64 bits from memory to one half of a register. */
const half =
  (upper: 0 | 2): Handler =>
  (c, o) => {
    const p = source(c, o, 7);
    c.s[o.a + upper] = c.dv.getInt32(p, true);
    c.s[o.a + upper + 1] = c.dv.getInt32(p + 4, true);
    return o.next;
  };
const loadLow = half(0);
const loadHigh = half(2);
const storeHigh: Handler = (c, o) => {
  const p = target(c, o, 7);
  c.dv.setInt32(p, c.s[o.b + 2], true);
  c.dv.setInt32(p + 4, c.s[o.b + 3], true);
  return next(c, o);
};
const low: Build = (_, __, form) => (form === 'mx' ? store8 : loadLow);
const high: Build = (_, __, form) => (form === 'mx' ? storeHigh : loadHigh);

const movhlps: Handler = ({ s }, o) => {
  s[o.a] = s[o.b + 2];
  s[o.a + 1] = s[o.b + 3];
  return o.next;
};
const movlhps: Handler = ({ s }, o) => {
  s[o.a + 2] = s[o.b];
  s[o.a + 3] = s[o.b + 1];
  return o.next;
};

/** MOVQ between registers clears the upper half. */
const quad: Handler = ({ s }, o) => {
  s[o.a] = s[o.b];
  s[o.a + 1] = s[o.b + 1];
  s[o.a + 2] = 0;
  s[o.a + 3] = 0;
  return o.next;
};
const movq: Build = (_, __, form) => (form === 'mx' ? store8 : form === 'xm' ? fetch8 : quad);

const fromGeneral: Handler = ({ s }, o) => {
  s[o.a] = s[o.b];
  s[o.a + 1] = o.size === 8 ? s[o.b + 1] : 0;
  s[o.a + 2] = 0;
  s[o.a + 3] = 0;
  return o.next;
};
const toGeneral: Handler = ({ s }, o) => {
  s[o.a] = s[o.b];
  s[o.a + 1] = o.size === 8 ? s[o.b + 1] : 0;
  return o.next;
};
const movd: Build = (o, _, form) => {
  if (form === 'xr') return fromGeneral;
  if (form === 'rx') return toGeneral;
  if (form === 'xm') return o.size === 8 ? fetch8 : fetch4;
  return o.size === 8 ? store8 : store4;
};

/** The sign bits of the elements into a general register. */
const signs =
  (collect: (s: Int32Array, b: number) => number): Handler =>
  ({ s }, o) => {
    s[o.a] = collect(s, o.b);
    s[o.a + 1] = 0;
    return o.next;
  };
const movmskps = signs((s, b) => (s[b] >>> 31) | ((s[b + 1] >>> 31) << 1) | ((s[b + 2] >>> 31) << 2) | ((s[b + 3] >>> 31) << 3));
const movmskpd = signs((s, b) => (s[b + 1] >>> 31) | ((s[b + 3] >>> 31) << 1));

/** The sign bits of `count` bytes from the int32 place `at`. */
export const byteSigns = (s: Int32Array, at: number, count: number): number => {
  let mask = 0;
  for (let n = 0; n < count >> 2; n++) {
    const four = s[at + n] & 0x80808080;
    mask |= (((four >>> 7) | (four >>> 14) | (four >>> 21) | (four >>> 28)) & 15) << (4 * n);
  }
  return mask;
};

const names = (build: Build, ...mnemonics: string[]): BuildTable => Object.fromEntries(mnemonics.map((name) => [name, build]));
const just =
  (handler: Handler): Build =>
  () =>
    handler;

export const MOVES: BuildTable = {
  ...names(whole, 'movups', 'movupd', 'movaps', 'movapd', 'movdqa', 'movdqu', 'lddqu', 'movntdqa', 'movntps', 'movntpd', 'movntdq'),
  movss,
  movsd,
  movntss: just(store4),
  movntsd: just(store8),
  movlps: low,
  movlpd: low,
  movhps: high,
  movhpd: high,
  movhlps: just(movhlps),
  movlhps: just(movlhps),
  movq,
  movd,
  movmskps: just(movmskps),
  movmskpd: just(movmskpd),
  pmovmskb: just(signs((s, b) => byteSigns(s, b, 16))),
};
