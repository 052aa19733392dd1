/** HADD, HSUB, ADDSUB and dot products. */
import { add, subtract } from '../../../../fp/add.ts';
import { BINARY32, BINARY64, type Format } from '../../../../fp/format.ts';
import { multiply } from '../../../../fp/multiply.ts';
import type { Binary } from '../../../../fp/result.ts';
import { binaryElement, type SseControl } from '../../../../fp/sse.ts';
import { finishXmm } from '../../fpu/simd.ts';
import { citing, type Rules, type Running, type Semantics } from '../../running.ts';
import { concluded, elementsOf, operandElements, xmmFrom } from './elements.ts';
import { controlOfMxcsr } from './mxcsr.ts';

/** Neighbours of the first operand, then those of the second; the even one is the first operand. */
const neighboursRule =
  (operation: Binary, format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const all = [...elementsOf(s.fpu.xmm[i.dst.index], format), ...operandElements(s, i, i.src, format)];
    return finishPairs(s, all, operation, format, control, (after, bits) => finishXmm(after, i, i.dst.index, xmmFrom(bits, format)));
  };

const finishPairs = (
  s: Running,
  all: readonly bigint[],
  operation: Binary,
  format: Format,
  control: SseControl,
  then: (s: Running, bits: readonly bigint[]) => Running,
): Running => {
  const pairs = all.flatMap((x, n) => (n & 1 ? [] : [binaryElement(operation, x, all[n + 1], format, control)]));
  const done = concluded(s, pairs, control);
  return then(done.s, done.bits);
};

/** Even elements subtracted, odd ones added. */
const addsubRule =
  (format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const b = operandElements(s, i, i.src, format);
    const elements = elementsOf(s.fpu.xmm[i.dst.index], format).map((x, n) =>
      binaryElement(n & 1 ? add : subtract, x, b[n], format, control),
    );
    const done = concluded(s, elements, control);
    return finishXmm(done.s, i, i.dst.index, xmmFrom(done.bits, format));
  };

/**
 * DPPS, DPPD: products of the elements that bits 7 to 4 of the immediate name (others are 0), added by pairs, then the sum in the
 * elements that bits 3 to 0 name. fp/sse-dot_product: each stage raises its exceptions before the next begins.
 */
const dotRule =
  (format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const immediate = i.third.value.lo;
    const a = elementsOf(s.fpu.xmm[i.dst.index], format);
    const b = operandElements(s, i, i.src, format);
    const named = a.flatMap((_, n) => (immediate & (0x10 << n) ? [n] : []));
    const products = concluded(
      citing(s, 'fp/sse-dot_product'),
      named.map((n) => binaryElement(multiply, a[n], b[n], format, control)),
      control,
    );
    const terms = a.map((_, n) => (named.includes(n) ? products.bits[named.indexOf(n)] : 0n));
    const spread = (after: Running, sum: bigint): Running =>
      finishXmm(
        after,
        i,
        i.dst.index,
        xmmFrom(
          a.map((_, n) => (immediate & (1 << n) ? sum : 0n)),
          format,
        ),
      );
    return finishPairs(products.s, terms, add, format, control, (after, sums) =>
      sums.length === 1 ? spread(after, sums[0]) : finishPairs(after, sums, add, format, control, (last, [sum]) => spread(last, sum)),
    );
  };

export const HORIZONTAL_RULES: Rules = {
  haddps: neighboursRule(add, BINARY32),
  haddpd: neighboursRule(add, BINARY64),
  hsubps: neighboursRule(subtract, BINARY32),
  hsubpd: neighboursRule(subtract, BINARY64),
  addsubps: addsubRule(BINARY32),
  addsubpd: addsubRule(BINARY64),
  dpps: dotRule(BINARY32),
  dppd: dotRule(BINARY64),
};
