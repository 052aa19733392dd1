/** Moves inside the register file: FXCH, FCMOVcc, FABS, FCHS, and what only turns the stack. */
import { HOLDS } from '../../condition.ts';
import { freed, INDEFINITE_80, isEmpty, noted, popped, stRegister, turned, withRegister, withSt } from '../../fpu/stack.ts';
import type { Extended, Fpu } from '../../fpu/state.ts';
import type { Rules, Semantics } from '../../running.ts';
import { done, underflow } from './operand.ts';

const exchanged = (fpu: Fpu, n: number): Fpu => withRegister(withRegister(fpu, 0, stRegister(fpu, n)), n, stRegister(fpu, 0));

/** FXCH: ST(0) ↔ ST(i). An empty one counts as indefinite once that is masked. */
const fxchRule: Semantics = (s, i) => {
  const n = i.dst.index;
  if (!isEmpty(s.fpu, 0) && !isEmpty(s.fpu, n)) return done(s, i, exchanged(noted(s.fpu, 0, false), n));
  const filled = (fpu: Fpu, at: number): Fpu => (isEmpty(fpu, at) ? withSt(fpu, at, INDEFINITE_80) : fpu);
  return underflow(s, i, (fpu) => exchanged(filled(filled(fpu, 0), n), n));
};

/** FCMOVcc: ST(0) ← ST(i) when the condition holds. Both must be there either way. */
const fcmovRule =
  (holds: (flags: number) => boolean): Semantics =>
  (s, i) => {
    const n = i.src.index;
    if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, n)) return underflow(s, i, (fpu) => withSt(fpu, 0, INDEFINITE_80));
    return done(s, i, holds(s.flags) ? withRegister(s.fpu, 0, stRegister(s.fpu, n)) : s.fpu);
  };

/** FABS, FCHS: the sign bit alone, whatever the other bits are. */
const signRule =
  (change: (top: number) => number): Semantics =>
  (s, i) => {
    if (isEmpty(s.fpu, 0)) return underflow(s, i, (fpu) => withSt(fpu, 0, INDEFINITE_80));
    const register: Extended = stRegister(s.fpu, 0);
    return done(s, i, withRegister(noted(s.fpu, 0, false), 0, { ...register, top: change(register.top) }));
  };

/** No operand is looked at and nothing can be wrong. */
const plainRule =
  (change: (fpu: Fpu, n: number) => Fpu): Semantics =>
  (s, i) =>
    done(s, i, change(s.fpu, i.dst.index));

export const MOVE_RULES: Rules = {
  fxch: fxchRule,
  fcmovb: fcmovRule(HOLDS.b),
  fcmove: fcmovRule(HOLDS.e),
  fcmovbe: fcmovRule(HOLDS.be),
  fcmovu: fcmovRule(HOLDS.p),
  fcmovnb: fcmovRule(HOLDS.ae),
  fcmovne: fcmovRule(HOLDS.ne),
  fcmovnbe: fcmovRule(HOLDS.a),
  fcmovnu: fcmovRule(HOLDS.np),
  fabs: signRule((top) => top & 0x7fff),
  fchs: signRule((top) => top ^ 0x8000),
  ffree: plainRule((fpu, n) => noted(freed(fpu, n), 0, false)),
  ffreep: plainRule((fpu, n) => popped(noted(freed(fpu, n), 0, false))),
  fincstp: plainRule((fpu) => turned(noted(fpu, 0, false), 1)),
  fdecstp: plainRule((fpu) => turned(noted(fpu, 0, false), -1)),
  fnop: plainRule((fpu) => fpu),
};
