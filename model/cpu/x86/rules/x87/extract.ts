/** Parts of a number: FRNDINT and FXTRACT. */
import { DE, PE, ZE } from '../../../../fp/exception.ts';
import { encodeInfinity80, encodeNan80, encodeZero80 } from '../../../../fp/extended.ts';
import { toWhole } from '../../../../fp/integer.ts';
import { asNumeric, refusedByX87 } from '../../../../fp/nan.ts';
import { exactly } from '../../../../fp/result.ts';
import { extract } from '../../../../fp/scale.ts';
import { infinity, isDenormal } from '../../../../fp/value.ts';
import { type Answer, concluded, unary80 } from '../../../../fp/x87.ts';
import { INDEFINITE_80, isEmpty, pushed, withSt } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import { fullControlOf } from '../../fpu/words.ts';
import type { Rules, Semantics } from '../../running.ts';
import { answered, overflow, stValue, underflow } from './operand.ts';

const replaceTop = (fpu: Fpu, bits: bigint): Fpu => withSt(fpu, 0, bits);

/** FRNDINT. An infinity stays; C1 says whether the magnitude grew. */
const frndintRule: Semantics = (s, i) => {
  if (isEmpty(s.fpu, 0)) return underflow(s, i, (fpu) => replaceTop(fpu, INDEFINITE_80));
  const control = fullControlOf(s.fpu);
  let rounding = { inexact: false, up: false };
  const answer = unary80(
    (a) => {
      const { value, ...how } = toWhole(a, control.mode);
      rounding = how;
      return exactly(value);
    },
    stValue(s.fpu, 0),
    control,
  );
  const told: Answer = answer.result === null ? answer : { ...answer, flags: answer.flags | (rounding.inexact ? PE : 0), up: rounding.up };
  return answered(s, i, told, replaceTop);
};

/** FXTRACT: ST(0) ← exponent, push significand. Zero has the exponent −∞: a pole. */
const fxtractRule: Semantics = (s, i) => {
  const both = (fpu: Fpu, exponent: bigint, significand: bigint): Fpu => pushed(replaceTop(fpu, exponent), significand);
  if (isEmpty(s.fpu, 0)) return underflow(s, i, (fpu) => both(fpu, INDEFINITE_80, INDEFINITE_80));
  if (!isEmpty(s.fpu, 7)) return overflow(s, i, (fpu) => both(fpu, INDEFINITE_80, INDEFINITE_80));
  const value = stValue(s.fpu, 0);
  const control = fullControlOf(s.fpu);
  const refused = refusedByX87(value, value);
  if (refused) {
    const nan = encodeNan80(refused.value);
    return answered(s, i, concluded(refused.value, refused.flags, control, refused.clause), (fpu) => both(fpu, nan, nan));
  }
  const number = asNumeric(value);
  if (number.kind === 'zero')
    return answered(s, i, concluded(infinity(1), ZE, control), (fpu) => both(fpu, encodeInfinity80(1), encodeZero80(number.sign)));
  const { exponent, significand } = extract(number);
  const top = concluded(significand, isDenormal(value) ? DE : 0, control);
  return answered(s, i, top, (fpu, bits) => both(fpu, concluded(exponent, 0, control).result ?? 0n, bits));
};

export const EXTRACT_RULES: Rules = { frndint: frndintRule, fxtract: fxtractRule };
