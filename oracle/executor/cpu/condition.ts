/** The sixteen conditions of Jcc, SETcc and CMOVcc. */
import type { Cpu } from './cpu.ts';
import { carry, overflow, parity, SUB, sign, zero } from './flags.ts';
import { FIRST, KIND, RESULT } from './layout.ts';

/** SF ≠ OF: after a comparison, signed less. */
export const less = (c: Cpu): boolean => {
  const s = c.s;
  if ((s[KIND] & 7) !== SUB) return sign(c) !== overflow(c);
  const ah = s[FIRST + 1];
  const rh = s[RESULT + 1];
  const bh = (ah - rh - (s[FIRST] >>> 0 < s[RESULT] >>> 0 ? 1 : 0)) | 0;
  return (rh ^ ((ah ^ bh) & (ah ^ rh))) < 0;
};

export const belowOrEqual = (c: Cpu): boolean => carry(c) || zero(c);
export const lessOrEqual = (c: Cpu): boolean => zero(c) || less(c);

/** Condition by number; odd numbers are the negations. For the colder users: each call tests the number. */
export const condition = (c: Cpu, number: number): boolean => {
  const wanted = (number & 1) === 0;
  switch (number >> 1) {
    case 0:
      return overflow(c) === wanted;
    case 1:
      return carry(c) === wanted;
    case 2:
      return zero(c) === wanted;
    case 3:
      return belowOrEqual(c) === wanted;
    case 4:
      return sign(c) === wanted;
    case 5:
      return parity(c) === wanted;
    case 6:
      return less(c) === wanted;
    default:
      return lessOrEqual(c) === wanted;
  }
};
