/** The transcendental instructions. */
import { DE, PE } from '../../../../fp/exception.ts';
import { ONE_80 } from '../../../../fp/extended.ts';
import { type Binary, exactly, INVALID, type Unary } from '../../../../fp/result.ts';
import { arctangent } from '../../../../fp/transcendental/arctangent.ts';
import { exponentialMinus1 } from '../../../../fp/transcendental/exponential.ts';
import { isBelowDomain, yLog2x, yLog2xPlus1 } from '../../../../fp/transcendental/logarithm.ts';
import { cosine, isRefusedAngle, sine, tangent } from '../../../../fp/transcendental/trigonometry.ts';
import { finite, infinity, isDenormal, type Numeric, topExponent, type Value } from '../../../../fp/value.ts';
import { type Answer, binary80, unary80 } from '../../../../fp/x87.ts';
import { INDEFINITE_80, isEmpty, noted, popped, pushed, stBits, withSt } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import { C2, fullControlOf } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { changed, citing, type Rules, type Running, type Semantics } from '../../running.ts';
import { answered, done, overflow, stValue, underflow } from './operand.ts';

const replaceTop = (fpu: Fpu, bits: bigint): Fpu => withSt(fpu, 0, bits);
const indefiniteTop = (s: Running, i: Instruction): Running => underflow(s, i, (fpu) => replaceTop(fpu, INDEFINITE_80));

/** F2XM1: ST(0) ← 2^ST(0) − 1. Beyond ±1 the operand stays (fp/x87-f2xm1_domain). */
const f2xm1: Unary = (a) => {
  if (a.kind === 'zero') return exactly(a);
  if (a.kind === 'infinity') return exactly(a.sign === 1 ? finite(1, 1n, 0) : infinity(0));
  return exactly(exponentialMinus1(a));
};

const beyondOne = (value: Value): boolean =>
  value.kind === 'finite' && topExponent(value) >= 0 && value.significand !== 1n << BigInt(-value.exponent);

const f2xm1Rule: Semantics = (s, i) => {
  if (isEmpty(s.fpu, 0)) return indefiniteTop(s, i);
  const value = stValue(s.fpu, 0);
  if (beyondOne(value)) return done(s, i, noted(s.fpu, PE, false), 'fp/x87-f2xm1_domain');
  return answered(s, i, unary80(f2xm1, value, fullControlOf(s.fpu)), replaceTop);
};

/** FPATAN, FYL2X, FYL2XP1: ST(1) ← function of ST(1) and ST(0), then pop. */
const twoOperandRule =
  (operation: Binary): Semantics =>
  (s, i) => {
    const place = (fpu: Fpu, bits: bigint): Fpu => popped(withSt(fpu, 1, bits));
    if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, 1)) return underflow(s, i, (fpu) => place(fpu, INDEFINITE_80));
    return answered(s, i, binary80(operation, stValue(s.fpu, 1), stValue(s.fpu, 0), fullControlOf(s.fpu)), place);
  };

const twoOperand = twoOperandRule(yLog2xPlus1);

/** FYL2XP1 of −1 or less gives ST(0) itself. */
const fyl2xp1Rule: Semantics = (s, i) => {
  if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, 1)) return twoOperand(s, i);
  const [x, y] = [stValue(s.fpu, 0), stValue(s.fpu, 1)];
  if (y.kind !== 'finite' || x.kind !== 'finite' || !isBelowDomain(x)) return twoOperand(s, i);
  const flags = PE | (isDenormal(y) ? DE : 0);
  const told: Answer =
    (flags & DE & ~s.fpu.control) !== 0
      ? { result: null, flags: DE, up: false, clause: null }
      : { result: stBits(s.fpu, 0), flags, up: false, clause: 'fp/x87-fyl2xp1_domain' };
  return answered(s, i, told, (fpu, bits) => popped(withSt(fpu, 1, bits)));
};

type Angle = Exclude<Numeric, { readonly kind: 'infinity' }>;

/** Angles: infinities have no function values, those from 2^63 on are refused (C2). */
const angleRule =
  (rule: (s: Running, i: Instruction, value: Value) => Running, pushes: boolean): Semantics =>
  (s, i) => {
    const clear: Fpu = { ...s.fpu, status: s.fpu.status & ~C2 };
    const ready = changed(s, { fpu: clear });
    if (isEmpty(clear, 0))
      return underflow(ready, i, (fpu) =>
        pushes ? pushed(replaceTop(fpu, INDEFINITE_80), INDEFINITE_80) : replaceTop(fpu, INDEFINITE_80),
      );
    if (pushes && !isEmpty(clear, 7)) return overflow(ready, i, (fpu) => pushed(replaceTop(fpu, INDEFINITE_80), INDEFINITE_80));
    const value = stValue(clear, 0);
    if (value.kind === 'finite' && isRefusedAngle(value)) {
      const refused = noted(s.fpu, 0, false);
      return done(s, i, { ...refused, status: refused.status | C2 }, 'fp/trigonometric-refused');
    }
    return rule(citing(ready, 'fp/trigonometric-pi_66'), i, value);
  };

const ofAngle =
  (f: (x: Angle) => Numeric): Unary =>
  (a) =>
    a.kind === 'infinity' ? INVALID : exactly(f(a));

const sineOrCosine = (f: Unary) => angleRule((s, i, value) => answered(s, i, unary80(f, value, fullControlOf(s.fpu)), replaceTop), false);

/** FPTAN, FSINCOS: ST(0) ← `below`, then push `above`; a NaN goes to both places. */
const twoResults = (below: Unary, above: (value: Value, fpu: Fpu) => Answer) =>
  angleRule((s, i, value) => {
    const first = unary80(below, value, fullControlOf(s.fpu));
    const second = isNumber(value) ? above(value, s.fpu) : first;
    return answered(s, i, { ...first, flags: first.flags | second.flags }, (fpu, bits) =>
      second.result === null ? fpu : pushed(replaceTop(fpu, bits), second.result),
    );
  }, true);

const isNumber = (value: Value): boolean => value.kind === 'finite' || value.kind === 'zero';

export const TRANSCENDENTAL_RULES: Rules = {
  f2xm1: f2xm1Rule,
  fpatan: twoOperandRule((y, x) => exactly(arctangent(y, x))),
  fyl2x: twoOperandRule(yLog2x),
  fyl2xp1: fyl2xp1Rule,
  fsin: sineOrCosine(ofAngle(sine)),
  fcos: sineOrCosine(ofAngle(cosine)),
  fsincos: twoResults(ofAngle(sine), (value, fpu) => unary80(ofAngle(cosine), value, fullControlOf(fpu))),
  fptan: twoResults(ofAngle(tangent), () => ({ result: ONE_80, flags: 0, up: false, clause: null })),
};
