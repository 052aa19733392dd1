/** The basic operations: with a register, with memory, with an integer from memory; popping or not. */
import { add, subtract } from '../../../../fp/add.ts';
import { divide, multiply, squareRoot } from '../../../../fp/multiply.ts';
import { remainder } from '../../../../fp/remainder.ts';
import type { Binary } from '../../../../fp/result.ts';
import { scale } from '../../../../fp/scale.ts';
import type { Value } from '../../../../fp/value.ts';
import { binary80, unary80 } from '../../../../fp/x87.ts';
import { INDEFINITE_80, isEmpty, popped, withSt } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import { C0, C1, C2, C3, controlOf, fullControlOf } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { changed, type Rules, type Running, type Semantics } from '../../running.ts';
import { answered, memoryFloat, memoryInteger, stValue, underflow } from './operand.ts';

type Source = (s: Running, i: Instruction) => Value;

/** ST(0) or ST(i) ← DEST operation SRC; SRC is memory or the other register. */
const arithmeticRule =
  (operation: Binary, fromMemory: Source, then: (fpu: Fpu) => Fpu): Semantics =>
  (s, i) => {
    const inMemory = i.dst.kind === 'mem';
    const to = inMemory ? 0 : i.dst.index;
    const other = inMemory ? fromMemory(s, i) : stValue(s.fpu, i.src.index);
    const place = (fpu: Fpu, bits: bigint): Fpu => then(withSt(fpu, to, bits));
    if (isEmpty(s.fpu, to) || (!inMemory && isEmpty(s.fpu, i.src.index))) return underflow(s, i, (fpu) => place(fpu, INDEFINITE_80));
    return answered(s, i, binary80(operation, stValue(s.fpu, to), other, controlOf(s.fpu)), place);
  };

const stay = (fpu: Fpu): Fpu => fpu;
const swapped =
  (operation: Binary): Binary =>
  (a, b, mode) =>
    operation(b, a, mode);

/** F, FI and FP forms of one operation: `fadd`, `fiadd`, `faddp`. */
const forms = (name: string, operation: Binary): Rules => ({
  [`f${name}`]: arithmeticRule(operation, memoryFloat, stay),
  [`fi${name}`]: arithmeticRule(operation, memoryInteger, stay),
  [`f${name}p`]: arithmeticRule(operation, memoryFloat, popped),
});

/** FSQRT: ST(0) ← √ST(0). */
const fsqrtRule: Semantics = (s, i) => {
  if (isEmpty(s.fpu, 0)) return underflow(s, i, (fpu) => withSt(fpu, 0, INDEFINITE_80));
  return answered(s, i, unary80(squareRoot, stValue(s.fpu, 0), controlOf(s.fpu)), (fpu, bits) => withSt(fpu, 0, bits));
};

/** FSCALE: ST(0) ← ST(0) · 2^⌊ST(1)⌋. */
const fscaleRule: Semantics = (s, i) => {
  const place = (fpu: Fpu, bits: bigint): Fpu => withSt(fpu, 0, bits);
  if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, 1)) return underflow(s, i, (fpu) => place(fpu, INDEFINITE_80));
  return answered(s, i, binary80(scale, stValue(s.fpu, 0), stValue(s.fpu, 1), fullControlOf(s.fpu)), place);
};

/** FPREM, FPREM1: ST(0) ← remainder of ST(0) / ST(1). C2 while partial, else C0 C3 C1 are bits 2 1 0 of the quotient. */
const remainderRule =
  (nearest: boolean): Semantics =>
  (s, i) => {
    const complete = changed(s, { fpu: { ...s.fpu, status: s.fpu.status & ~C2 } });
    if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, 1)) return underflow(complete, i, (fpu) => withSt(fpu, 0, INDEFINITE_80));
    let codes: number | null = null;
    const operation: Binary = (a, b) => {
      const { partial, quotient, ...computed } = remainder(a, b, nearest);
      if (computed.flags === 0) codes = partial ? C2 : quotientCodes(quotient);
      return computed;
    };
    const answer = binary80(operation, stValue(s.fpu, 0), stValue(s.fpu, 1), fullControlOf(s.fpu));
    return answered(complete, i, answer, (fpu, bits) => withSt(codes === null ? fpu : withQuotient(fpu, codes), 0, bits));
  };

/** C0 and C3 stay as they were when there is no quotient. */
const withQuotient = (fpu: Fpu, codes: number): Fpu => ({ ...fpu, status: (fpu.status & ~(C0 | C1 | C2 | C3)) | codes });
const quotientCodes = (quotient: number): number => (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0);

export const ARITHMETIC_RULES: Rules = {
  ...forms('add', add),
  ...forms('sub', subtract),
  ...forms('subr', swapped(subtract)),
  ...forms('mul', multiply),
  ...forms('div', divide),
  ...forms('divr', swapped(divide)),
  fsqrt: fsqrtRule,
  fscale: fscaleRule,
  fprem: remainderRule(false),
  fprem1: remainderRule(true),
};
