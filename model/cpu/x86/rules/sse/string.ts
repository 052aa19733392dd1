/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: comparisons of strings of up to sixteen bytes. */
import { toSigned, Word, ZERO } from '../../../../word/word.ts';
import { AF, CF, OF, PF, SF, ZF } from '../../flags.ts';
import { readXmm } from '../../fpu/simd.ts';
import { withXmm, type Xmm } from '../../fpu/state.ts';
import type { Instruction } from '../../instruction.ts';
import { completed, type Rules, type Running, type Semantics, setReg } from '../../running.ts';
import { RAX, RCX, RDX } from '../../state.ts';
import { xmmBytes, xmmElements, xmmOf } from '../mmx/bytes.ts';

/** A string: elements, of which the first `length` count. */
type Text = { readonly elements: readonly number[]; readonly length: number };

/** The immediate's bits 1 and 0: words rather than bytes, signed or not. */
const elementsOf = (value: Xmm, format: number): number[] => {
  const list = format & 1 ? xmmElements(value) : xmmBytes(value);
  const bits = format & 1 ? 16 : 24;
  return format & 2 ? list.map((n) => (n << bits) >> bits) : list;
};

/** Explicit lengths are magnitudes, at most as many as there are elements. */
const explicitLength = (s: Running, i: Instruction, register: number, most: number): number => {
  const value = s.regs[register];
  const signed = i.size === 8 ? toSigned(value) : value.lo;
  return Math.min(most, Math.abs(signed));
};

/** Implicit ones end before the first zero. */
const implicitLength = (elements: readonly number[]): number => {
  const end = elements.indexOf(0);
  return end < 0 ? elements.length : end;
};

/** Bit j: what the aggregation says of element j of the second string. */
type Aggregation = (a: Text, b: Text, j: number) => boolean;

const equalAny: Aggregation = (a, b, j) => j < b.length && a.elements.slice(0, a.length).includes(b.elements[j]);

const ranges: Aggregation = (a, b, j) => {
  if (j >= b.length) return false;
  const element = b.elements[j];
  for (let n = 0; n + 1 < a.length; n += 2) if (a.elements[n] <= element && element <= a.elements[n + 1]) return true;
  return false;
};

const equalEach: Aggregation = (a, b, j) => {
  if (j >= a.length || j >= b.length) return j >= a.length && j >= b.length;
  return a.elements[j] === b.elements[j];
};

const equalOrdered: Aggregation = (a, b, j) => {
  for (let n = 0; n < a.length && j + n < b.elements.length; n++)
    if (j + n >= b.length || a.elements[n] !== b.elements[j + n]) return false;
  return true;
};

const AGGREGATIONS = [equalAny, ranges, equalEach, equalOrdered] as const;

/** The bits after polarity: 1 flips all, 3 those of the second string's elements. */
const matches = (a: Text, b: Text, immediate: number): boolean[] => {
  const aggregation = AGGREGATIONS[(immediate >> 2) & 3];
  const polarity = (immediate >> 4) & 3;
  return b.elements.map((_, j) => aggregation(a, b, j) !== (polarity === 1 || (polarity === 3 && j < b.length)));
};

/** CF some match, ZF and SF a string that ends within the register, OF the first bit. */
const flagsOf = (s: Running, bits: readonly boolean[], a: Text, b: Text): number =>
  (s.flags & ~(CF | ZF | SF | OF | AF | PF)) |
  (bits.includes(true) ? CF : 0) |
  (b.length < bits.length ? ZF : 0) |
  (a.length < bits.length ? SF : 0) |
  (bits[0] ? OF : 0);

/** The place of the first match, or with bit 6 of the last; without any the number of elements. */
const indexOf = (bits: readonly boolean[], last: boolean): number => {
  const at = last ? bits.lastIndexOf(true) : bits.indexOf(true);
  return at < 0 ? bits.length : at;
};

/** The matches as bits, or with bit 6 as whole elements. */
const maskOf = (bits: readonly boolean[], whole: boolean): Xmm => {
  if (!whole)
    return {
      lo: new Word(
        0,
        bits.reduce((mask, bit, n) => mask | (bit ? 1 << n : 0), 0),
      ),
      hi: ZERO,
    };
  return xmmOf(bits.flatMap((bit) => new Array<number>(16 / bits.length).fill(bit ? 0xff : 0)));
};

const stringRule =
  (explicit: boolean, gives: 'index' | 'mask'): Semantics =>
  (s, i) => {
    const immediate = i.third.value.lo & 0xff;
    const [first, second] = [s.fpu.xmm[i.dst.index], readXmm(s, i, i.src)].map((value) => elementsOf(value, immediate & 3));
    const text = (elements: readonly number[], register: number): Text => ({
      elements,
      length: explicit ? explicitLength(s, i, register, elements.length) : implicitLength(elements),
    });
    const [a, b] = [text(first, RAX), text(second, RDX)];
    const bits = matches(a, b, immediate);
    const flags = flagsOf(s, bits, a, b);
    const special = (immediate & 0x40) !== 0;
    if (gives === 'mask') return completed(s, i, { flags, fpu: withXmm(s.fpu, 0, maskOf(bits, special)) });
    return completed(s, i, { flags, regs: setReg(s.regs, RCX, new Word(0, indexOf(bits, special))) });
  };

export const STRING_RULES: Rules = {
  pcmpestri: stringRule(true, 'index'),
  pcmpestrm: stringRule(true, 'mask'),
  pcmpistri: stringRule(false, 'index'),
  pcmpistrm: stringRule(false, 'mask'),
};
