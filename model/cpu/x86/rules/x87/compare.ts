/** Comparisons: FCOM and FUCOM with condition codes, FCOMI and FUCOMI with flags, FTST, FXAM. */
import type { Order } from '../../../../fp/compare.ts';
import type { Value } from '../../../../fp/value.ts';
import { compare80, ZERO_VALUE } from '../../../../fp/x87.ts';
import { AF, CF, OF, PF, SF as SIGN, ZF } from '../../flags.ts';
import { isEmpty, noted, poppedTimes, stRegister, unmasked } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import { C0, C1, C2, C3, CONDITION } from '../../fpu/words.ts';
import type { Instruction } from '../../instruction.ts';
import { changed, citing, completed, type Rules, type Running, type Semantics } from '../../running.ts';
import { done, memoryFloat, memoryInteger, stValue, underflow } from './operand.ts';

const CODES: Readonly<Record<Order, number>> = { less: C0, equal: C3, greater: 0, unordered: C0 | C2 | C3 };

const withCodes = (fpu: Fpu, codes: number): Fpu => ({ ...fpu, status: (fpu.status & ~(C0 | C2 | C3)) | codes });

/** fp/x87-compare_stopped: the codes tell the order even when an unmasked exception keeps the stack as it is. */
const compared = (s: Running, i: Instruction, a: Value, b: Value, ordered: boolean, pops: number): Running => {
  const { order, flags } = compare80(a, b, ordered);
  const fpu = withCodes(noted(s.fpu, flags, false), CODES[order]);
  return unmasked(s.fpu, flags) ? done(s, i, fpu, 'fp/x87-compare_stopped') : done(s, i, poppedTimes(fpu, pops));
};

const unordered = (s: Running, i: Instruction, pops: number): Running => {
  const told = changed(s, { fpu: withCodes(s.fpu, CODES.unordered) });
  return underflow(told, i, (fpu) => poppedTimes(fpu, pops));
};

/** With memory, with ST(i), or with ST(1) when nothing is named. */
const comRule =
  (ordered: boolean, pops: number, fromMemory = memoryFloat): Semantics =>
  (s, i) => {
    if (i.dst.kind === 'mem') {
      const other = fromMemory(s, i);
      return isEmpty(s.fpu, 0) ? unordered(s, i, pops) : compared(s, i, stValue(s.fpu, 0), other, ordered, pops);
    }
    const other = i.dst.kind === 'st' ? i.dst.index : 1;
    if (isEmpty(s.fpu, 0) || isEmpty(s.fpu, other)) return unordered(s, i, pops);
    return compared(s, i, stValue(s.fpu, 0), stValue(s.fpu, other), ordered, pops);
  };

const ftstRule: Semantics = (s, i) => (isEmpty(s.fpu, 0) ? unordered(s, i, 0) : compared(s, i, stValue(s.fpu, 0), ZERO_VALUE, true, 0));

const ORDER_FLAGS: Readonly<Record<Order, number>> = { less: CF, equal: ZF, greater: 0, unordered: ZF | PF | CF };

/** FCOMI, FUCOMI: ST(0) with ST(i); ZF PF CF by the order, OF SF AF cleared. C1 stays unless a register is empty. */
const comiRule =
  (ordered: boolean, pops: number): Semantics =>
  (s, i) => {
    const other = i.src.index;
    const empty = isEmpty(s.fpu, 0) || isEmpty(s.fpu, other);
    const answerFlags = (order: Order): number => (s.flags & ~(ZF | PF | CF | OF | SIGN | AF)) | ORDER_FLAGS[order];
    if (empty) {
      const told = changed(s, { flags: answerFlags('unordered') });
      return underflow(told, i, (fpu) => poppedTimes(fpu, pops));
    }
    const { order, flags } = compare80(stValue(s.fpu, 0), stValue(s.fpu, other), ordered);
    const fpu = noted(s.fpu, flags, (s.fpu.status & C1) !== 0);
    if (unmasked(s.fpu, flags)) return completed(citing(s, 'fp/x87-compare_stopped'), i, { fpu, flags: answerFlags(order) });
    return completed(s, i, { fpu: poppedTimes(fpu, pops), flags: answerFlags(order) });
  };

/** FXAM: C1 the sign, C3 C2 C0 the class of what ST(0) holds, empty or not. */
const fxamRule: Semantics = (s, i) => {
  const sign = stRegister(s.fpu, 0).top & 0x8000 ? C1 : 0;
  const status = (s.fpu.status & ~CONDITION) | sign | classCodes(s.fpu);
  return done(s, i, { ...s.fpu, status });
};

const classCodes = (fpu: Fpu): number => {
  if (isEmpty(fpu, 0)) return C3 | C0;
  const value = stValue(fpu, 0);
  switch (value.kind) {
    case 'unsupported':
      return 0;
    case 'nan':
      return C0;
    case 'infinity':
      return C2 | C0;
    case 'zero':
      return C3;
    default:
      return value.denormal ? C3 | C2 : C2;
  }
};

export const COMPARE_RULES: Rules = {
  fcom: comRule(true, 0),
  fcomp: comRule(true, 1),
  fcompp: comRule(true, 2),
  fucom: comRule(false, 0),
  fucomp: comRule(false, 1),
  fucompp: comRule(false, 2),
  ficom: comRule(true, 0, memoryInteger),
  ficomp: comRule(true, 1, memoryInteger),
  fcomi: comiRule(true, 0),
  fcomip: comiRule(true, 1),
  fucomi: comiRule(false, 0),
  fucomip: comiRule(false, 1),
  ftst: ftstRule,
  fxam: fxamRule,
};
