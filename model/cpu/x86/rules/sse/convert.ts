/** Conversions between formats, and between numbers and integers. */
import { TRUNCATE } from '../../../../fp/exception.ts';
import { BINARY32, BINARY64, type Format } from '../../../../fp/format.ts';
import { exactly } from '../../../../fp/result.ts';
import { type Element, exactElement, integerElement, type SseControl, unaryElement } from '../../../../fp/sse.ts';
import { fromInteger } from '../../../../fp/value.ts';
import { signExtend } from '../../../../word/size.ts';
import { fromBigInt, toBigInt, ZERO } from '../../../../word/word.ts';
import { enteringMmx } from '../../fpu/entered.ts';
import { finishMmx, finishXmm, inMmx, readLow, readXmm } from '../../fpu/simd.ts';
import { withXmm } from '../../fpu/state.ts';
import { read, writeRegister } from '../../operand.ts';
import { changed, completed, type Rules, type Running, type Semantics } from '../../running.ts';
import { concluded, elementsOf, elementsOfWord, operandElements, withLowest, wordFrom, xmmFrom } from './elements.ts';
import { controlOfMxcsr } from './mxcsr.ts';

type Conversion = (bits: bigint, control: SseControl) => Element;

const toFormat =
  (from: Format, to: Format): Conversion =>
  (bits, control) =>
    unaryElement(exactly, bits, from, control, to);

const toDword =
  (from: Format, truncate: boolean): Conversion =>
  (bits, control) =>
    integerElement(bits, 32, truncate ? TRUNCATE : control.mode, from, control);

const fromDword =
  (to: Format): Conversion =>
  (bits, control) =>
    exactElement(fromInteger(BigInt.asIntN(32, bits)), to, control);

/** Four elements to four of the same width. */
const fourToFour =
  (convert: Conversion): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const done = concluded(
      s,
      operandElements(s, i, i.src, BINARY32).map((x) => convert(x, control)),
      control,
    );
    return finishXmm(done.s, i, i.dst.index, xmmFrom(done.bits, BINARY32));
  };

/** Two elements of 64 bits to two of 32; the upper half becomes zero. */
const twoToHalf =
  (convert: Conversion): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const done = concluded(
      s,
      operandElements(s, i, i.src, BINARY64).map((x) => convert(x, control)),
      control,
    );
    return finishXmm(done.s, i, i.dst.index, { lo: wordFrom(done.bits, BINARY32), hi: ZERO });
  };

/** Two elements of 32 bits, in a register's lower half, an MMX register or memory, to two of 64. */
const halfToTwo =
  (convert: Conversion): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const done = concluded(
      entered(s, i.src.kind),
      elementsOfWord(readLow(s, i, i.src), BINARY32).map((x) => convert(x, control)),
      control,
    );
    return finishXmm(done.s, i, i.dst.index, xmmFrom(done.bits, BINARY64));
  };

/** An MMX register was read: the x87 registers are MMX registers from here on. */
const entered = (s: Running, kind: string): Running => (kind === 'mmx' ? changed(s, { fpu: inMmx(s.fpu) }) : s);

/** CVTPI2PS: two dwords to the lower two elements; the upper two stay. */
const cvtpi2psRule: Semantics = (s, i) => {
  const control = controlOfMxcsr(s.fpu);
  const done = concluded(
    entered(s, i.src.kind),
    elementsOfWord(readLow(s, i, i.src), BINARY32).map((x) => fromDword(BINARY32)(x, control)),
    control,
  );
  return finishXmm(done.s, i, i.dst.index, { lo: wordFrom(done.bits, BINARY32), hi: s.fpu.xmm[i.dst.index].hi });
};

/** CVTPS2PI, CVTPD2PI: two elements to two dwords of an MMX register. */
const toMmxRule = (from: Format, convert: Conversion): Semantics =>
  enteringMmx((s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const source = from === BINARY32 ? elementsOfWord(readLow(s, i, i.src), BINARY32) : elementsOf(readXmm(s, i, i.src), BINARY64);
    const done = concluded(
      s,
      source.map((x) => convert(x, control)),
      control,
    );
    return finishMmx(done.s, i, i.dst.index, wordFrom(done.bits, BINARY32));
  }, false);

/** CVTSS2SD, CVTSD2SS: the lowest element in the other format; the rest of the register stays. */
const scalarToFormat =
  (from: Format, to: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const [x] = operandElements(s, i, i.src, from);
    const done = concluded(s, [toFormat(from, to)(x, control)], control);
    return completed(done.s, i, { fpu: withXmm(done.s.fpu, i.dst.index, withLowest(s.fpu.xmm[i.dst.index], done.bits[0], to)) });
  };

/** CVTSI2SS, CVTSI2SD: a general register or memory of 32 or 64 bits. */
const fromRegister =
  (to: Format): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const integer = BigInt.asIntN(64, toBigInt(signExtend(read(s, i, i.src), i.src.size)));
    const done = concluded(s, [exactElement(fromInteger(integer), to, control)], control);
    return finishXmm(done.s, i, i.dst.index, withLowest(s.fpu.xmm[i.dst.index], done.bits[0], to));
  };

/** CVTSS2SI, CVTSD2SI and their truncating forms: to a general register of 32 or 64 bits. */
const toRegister =
  (from: Format, truncate: boolean): Semantics =>
  (s, i) => {
    const control = controlOfMxcsr(s.fpu);
    const [x] = operandElements(s, i, i.src, from);
    const width = 8 * i.dst.size;
    const done = concluded(s, [integerElement(x, width, truncate ? TRUNCATE : control.mode, from, control)], control);
    return completed(done.s, i, { regs: writeRegister(s.regs, i.dst, fromBigInt(done.bits[0])) });
  };

export const CONVERT_RULES: Rules = {
  cvtps2dq: fourToFour(toDword(BINARY32, false)),
  cvttps2dq: fourToFour(toDword(BINARY32, true)),
  cvtdq2ps: fourToFour(fromDword(BINARY32)),
  cvtpd2dq: twoToHalf(toDword(BINARY64, false)),
  cvttpd2dq: twoToHalf(toDword(BINARY64, true)),
  cvtpd2ps: twoToHalf(toFormat(BINARY64, BINARY32)),
  cvtdq2pd: halfToTwo(fromDword(BINARY64)),
  cvtpi2pd: halfToTwo(fromDword(BINARY64)),
  cvtps2pd: halfToTwo(toFormat(BINARY32, BINARY64)),
  cvtpi2ps: cvtpi2psRule,
  cvtps2pi: toMmxRule(BINARY32, toDword(BINARY32, false)),
  cvttps2pi: toMmxRule(BINARY32, toDword(BINARY32, true)),
  cvtpd2pi: toMmxRule(BINARY64, toDword(BINARY64, false)),
  cvttpd2pi: toMmxRule(BINARY64, toDword(BINARY64, true)),
  cvtss2sd: scalarToFormat(BINARY32, BINARY64),
  cvtsd2ss: scalarToFormat(BINARY64, BINARY32),
  cvtsi2ss: fromRegister(BINARY32),
  cvtsi2sd: fromRegister(BINARY64),
  cvtss2si: toRegister(BINARY32, false),
  cvttss2si: toRegister(BINARY32, true),
  cvtsd2si: toRegister(BINARY64, false),
  cvttsd2si: toRegister(BINARY64, true),
};
