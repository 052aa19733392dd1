/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM. Intel SDM volume 2, 4.1. */
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import type { Cpu } from '../cpu.ts';
import { setArithmeticFlags } from '../flags.ts';
import { RAX, RCX, RDX } from '../interface.ts';
import { XMM } from '../layout.ts';
import type { Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { placed } from './vector.ts';

/** Immediate bits 1:0: bytes or words, unsigned or signed. */
const count = (imm: number): number => ((imm & 1) === 0 ? 16 : 8);
const element = (c: Cpu, imm: number, at: number, n: number): number => {
  switch (imm & 3) {
    case 0:
      return c.s8[(at << 2) + n];
    case 1:
      return c.s16[(at << 1) + n];
    case 2:
      return c.i8[(at << 2) + n];
    default:
      return c.i16[(at << 1) + n];
  }
};

/** Elements before the first that is zero. */
const implicitLength = (c: Cpu, imm: number, at: number): number => {
  const most = count(imm);
  for (let n = 0; n < most; n++) if (element(c, imm, at, n) === 0) return n;
  return most;
};
/** Magnitude of a general register, at most as many as there are. `wide`: of all 64 bits. */
const explicitLength = (c: Cpu, imm: number, register: number, wide: boolean): number => {
  const value = wide ? BigInt.asIntN(64, c.gpr(register)) : BigInt(c.s[2 * register]);
  const size = value < 0n ? -value : value;
  const most = count(imm);
  return size < BigInt(most) ? Number(size) : most;
};

type Strings = { readonly a: number; readonly b: number; readonly lengthA: number; readonly lengthB: number };

/** Immediate bits 3:2: any of a set, ranges, equal each, equal in order. Bit n tells of element n of the second string. */
const equalAny = (c: Cpu, imm: number, { a, b, lengthA, lengthB }: Strings): number => {
  let found = 0;
  for (let n = 0; n < lengthB; n++) for (let k = 0; k < lengthA; k++) if (element(c, imm, a, k) === element(c, imm, b, n)) found |= 1 << n;
  return found;
};
const ranges = (c: Cpu, imm: number, { a, b, lengthA, lengthB }: Strings): number => {
  let found = 0;
  for (let n = 0; n < lengthB; n++) {
    const value = element(c, imm, b, n);
    for (let k = 0; k + 1 < lengthA; k += 2) if (element(c, imm, a, k) <= value && value <= element(c, imm, a, k + 1)) found |= 1 << n;
  }
  return found;
};
/** Where both strings have ended they are equal; where one has, they are not. */
const equalEach = (c: Cpu, imm: number, { a, b, lengthA, lengthB }: Strings): number => {
  let found = 0;
  for (let n = 0; n < count(imm); n++) {
    const inA = n < lengthA;
    const inB = n < lengthB;
    if (inA && inB ? element(c, imm, a, n) === element(c, imm, b, n) : inA === inB) found |= 1 << n;
  }
  return found;
};
/** The first string found in the second at element n, as far as the second reaches in the register. */
const equalOrdered = (c: Cpu, imm: number, { a, b, lengthA, lengthB }: Strings): number => {
  const most = count(imm);
  let found = 0;
  for (let n = 0; n < most; n++) {
    let same = true;
    for (let k = 0; k < lengthA && n + k < most; k++) same &&= n + k < lengthB && element(c, imm, a, k) === element(c, imm, b, n + k);
    if (same) found |= 1 << n;
  }
  return found;
};
const AGGREGATIONS = [equalAny, ranges, equalEach, equalOrdered] as const;

/** Immediate bits 5:4: the other way round, for all elements or for those of the second string. */
const polarity = (imm: number, found: number, lengthB: number): number => {
  const all = (1 << count(imm)) - 1;
  if ((imm & 0x10) === 0) return found;
  return found ^ ((imm & 0x20) === 0 ? all : (1 << lengthB) - 1);
};

const { CF, ZF, SF, OF } = RFLAGS;
const compareStrings = (c: Cpu, imm: number, strings: Strings): number => {
  const most = count(imm);
  const result = polarity(imm, AGGREGATIONS[(imm >> 2) & 3](c, imm, strings), strings.lengthB);
  setArithmeticFlags(
    c,
    (result !== 0 ? CF : 0) | (strings.lengthB < most ? ZF : 0) | (strings.lengthA < most ? SF : 0) | ((result & 1) !== 0 ? OF : 0),
  );
  return result;
};

/** Immediate bit 6: the last element found, not the first. None: their number. */
const intoIndex = (c: Cpu, imm: number, result: number): void => {
  const first = 31 - Math.clz32(result & -result);
  const last = 31 - Math.clz32(result);
  c.s[2 * RCX] = result === 0 ? count(imm) : (imm & 0x40) === 0 ? first : last;
  c.s[2 * RCX + 1] = 0;
};
/** Immediate bit 6: whole elements, not bits. */
const intoMask = (c: Cpu, imm: number, result: number): void => {
  if ((imm & 0x40) === 0) {
    c.s.fill(0, XMM, XMM + 4);
    c.s[XMM] = result;
    return;
  }
  for (let n = 0; n < count(imm); n++) {
    const value = ((result >> n) & 1) === 1 ? -1 : 0;
    if ((imm & 1) === 0) c.i8[(XMM << 2) + n] = value;
    else c.i16[(XMM << 1) + n] = value;
  }
};

type Lengths = (c: Cpu, o: Op, b: number) => Strings;
const implicit: Lengths = (c, o, b) => ({ a: o.a, b, lengthA: implicitLength(c, o.imm, o.a), lengthB: implicitLength(c, o.imm, b) });

const build = (lengths: Lengths, deliver: typeof intoIndex): Build =>
  placed((c, o, b) => {
    deliver(c, o.imm, compareStrings(c, o.imm, lengths(c, o, b)));
    return o.next;
  });
/** Lengths in rAX and rDX: of 64 bits with REX.W. */
const buildExplicit =
  (deliver: typeof intoIndex): Build =>
  (o, i, form) => {
    const wide = (i.rex & 8) !== 0;
    const lengths: Lengths = (c, each, b) => ({
      a: each.a,
      b,
      lengthA: explicitLength(c, each.imm, RAX, wide),
      lengthB: explicitLength(c, each.imm, RDX, wide),
    });
    return build(lengths, deliver)(o, i, form);
  };

export const STRINGS: BuildTable = {
  pcmpistri: build(implicit, intoIndex),
  pcmpistrm: build(implicit, intoMask),
  pcmpestri: buildExplicit(intoIndex),
  pcmpestrm: buildExplicit(intoMask),
};
