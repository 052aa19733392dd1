/** Elements of SSE operands as bits, and instructions that work on all of them or on the lowest. */
import { BINARY32, BINARY64, type Format } from '../../../../fp/format.ts';
import { conclude, type Element, type Elements, type SseControl } from '../../../../fp/sse.ts';
import { fromBigInt, toBigInt, Word } from '../../../../word/word.ts';
import { finishXmm, readXmm } from '../../fpu/simd.ts';
import type { Xmm } from '../../fpu/state.ts';
import type { Instruction, Operand } from '../../instruction.ts';
import { citing, type Running, type Semantics } from '../../running.ts';
import { controlOfMxcsr, withRaised } from './mxcsr.ts';

/** The elements of a word or of a register, lowest first. */
export const elementsOfWord = ({ lo, hi }: Word, format: Format): bigint[] =>
  format === BINARY32 ? [BigInt(lo >>> 0), BigInt(hi >>> 0)] : [toBigInt(new Word(hi, lo))];
export const elementsOf = ({ lo, hi }: Xmm, format: Format): bigint[] => [...elementsOfWord(lo, format), ...elementsOfWord(hi, format)];

export const wordFrom = (bits: readonly bigint[], format: Format): Word =>
  fromBigInt(format === BINARY32 ? bits[0] | (bits[1] << 32n) : bits[0]);
/** A register from two or four elements. */
export const xmmFrom = (bits: readonly bigint[], format: Format): Xmm => {
  const half = bits.length / 2;
  return { lo: wordFrom(bits.slice(0, half), format), hi: wordFrom(bits.slice(half), format) };
};

export const lowest = (value: Xmm, format: Format): bigint => elementsOf(value, format)[0];
/** A register whose lowest element is replaced. */
export const withLowest = ({ lo, hi }: Xmm, bits: bigint, format: Format): Xmm => ({
  lo: format === BINARY32 ? new Word(lo.hi, fromBigInt(bits).lo) : fromBigInt(bits),
  hi,
});

/** Operand `o` as elements, however many bytes it has. */
export const operandElements = (s: Running, i: Instruction, o: Operand, format: Format): bigint[] => elementsOf(readXmm(s, i, o), format);

/** Flags noted, and the result made unless that is impossible. */
export const concluded = (
  s: Running,
  elements: readonly Element[],
  control: SseControl,
): { readonly s: Running; readonly bits: Elements['bits'] } => {
  const { bits, flags, raised } = conclude(elements, control);
  const clause = elements.find((element) => element.clause !== undefined)?.clause;
  return { s: withRaised(clause === undefined ? s : citing(s, clause), flags, raised), bits };
};

/** How an element of the result comes from those of both operands. */
export type OnElements = (a: bigint, b: bigint, format: Format, control: SseControl, s: Instruction) => Element;

/** DEST ← operation on all elements. */
export const packedRule =
  (operation: OnElements, format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const a = elementsOf(s.fpu.xmm[i.dst.index], format);
    const b = operandElements(s, i, i.src, format);
    const done = concluded(
      s,
      a.map((x, n) => operation(x, b[n], format, control, i)),
      control,
    );
    return finishXmm(done.s, i, i.dst.index, xmmFrom(done.bits, format));
  };

/** DEST's lowest element ← operation on the lowest elements; the others stay. */
export const scalarRule =
  (operation: OnElements, format: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const old = s.fpu.xmm[i.dst.index];
    const [b] = operandElements(s, i, i.src, format);
    const done = concluded(s, [operation(lowest(old, format), b, format, control, i)], control);
    return finishXmm(done.s, i, i.dst.index, withLowest(old, done.bits[0], format));
  };

/** The four forms of an operation by the suffixes of their names. */
export const fourForms = (name: string, operation: OnElements): Readonly<Record<string, Semantics>> => ({
  [`${name}ps`]: packedRule(operation, BINARY32),
  [`${name}pd`]: packedRule(operation, BINARY64),
  [`${name}ss`]: scalarRule(operation, BINARY32),
  [`${name}sd`]: scalarRule(operation, BINARY64),
});
