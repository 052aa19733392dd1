/** What x87 instructions read, and how they end. */
import type { ClauseId } from '#spec/clauses.ts';
import { unpackExtended } from '../../../../fp/extended.ts';
import { BINARY32, BINARY64, unpack } from '../../../../fp/format.ts';
import { fromInteger, type Value } from '../../../../fp/value.ts';
import type { Answer } from '../../../../fp/x87.ts';
import { signExtend } from '../../../../word/size.ts';
import { toBigInt } from '../../../../word/word.ts';
import { noted, overflowed, stBits, underflowed } from '../../fpu/stack.ts';
import type { Fpu } from '../../fpu/state.ts';
import type { Instruction } from '../../instruction.ts';
import { read } from '../../operand.ts';
import { citing, type Running, withFpu } from '../../running.ts';

/** ST(n) as a value. */
export const stValue = (fpu: Fpu, n: number): Value => unpackExtended(stBits(fpu, n));

/** A memory operand of 4 or 8 bytes as a floating-point number, exact. */
export const memoryFloat = (s: Running, i: Instruction): Value =>
  unpack(toBigInt(read(s, i, i.dst)), i.dst.bytes === 4 ? BINARY32 : BINARY64);

/** A memory operand of 2, 4 or 8 bytes as a signed integer. */
export const memoryInteger = (s: Running, i: Instruction): Value =>
  fromInteger(BigInt.asIntN(64, toBigInt(signExtend(read(s, i, i.dst), i.dst.size))));

/** The instruction is done; `clause` has decided something. */
export const done = (s: Running, i: Instruction, fpu: Fpu, clause: ClauseId | null = null): Running =>
  withFpu(clause === null ? s : citing(s, clause), i, fpu);

/** An operand is empty. `masked` makes the default answer, on a state that has the flags already. */
export const underflow = (s: Running, i: Instruction, masked: (fpu: Fpu) => Fpu): Running =>
  done(s, i, underflowed(s.fpu, masked), 'fp/x87-stack_underflow');

/** No register is empty for a push. */
export const overflow = (s: Running, i: Instruction, masked: (fpu: Fpu) => Fpu): Running =>
  done(s, i, overflowed(s.fpu, masked), 'fp/x87-stack_overflow');

/** The answer of an operation: its flags, and unless an unmasked exception stopped it, what `place` does with the result. */
export const answered = (
  s: Running,
  i: Instruction,
  { result, flags, up, clause }: Answer,
  place: (fpu: Fpu, bits: bigint) => Fpu,
): Running => {
  const fpu = noted(s.fpu, flags, up);
  return done(s, i, result === null ? fpu : place(fpu, result), clause);
};
