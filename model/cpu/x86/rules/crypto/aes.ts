/** AES-NI and PCLMULQDQ. The state is sixteen bytes, column after column. */
import { xor } from '../../../../word/word.ts';
import type { Xmm } from '../../fpu/state.ts';
import type { Rules } from '../../running.ts';
import { xmmBytes, xmmDwords, xmmFromDwords, xmmOf } from '../mmx/bytes.ts';
import { xmmImmediateRule, xmmRule } from '../mmx/lanes.ts';
import { carrylessProduct, INVERSE_S_BOX, multiplyInField, S_BOX } from './galois.ts';

type State = readonly number[];

/** Row r of the state moves by r columns. */
const shiftRows = (state: State): number[] => state.map((_, n) => state[(n + 4 * (n & 3)) & 15]);
const inverseShiftRows = (state: State): number[] => state.map((_, n) => state[(n - 4 * (n & 3)) & 15]);

/** Each column times the matrix whose first row is `row` and whose others are that row turned. */
const mixWith =
  (row: readonly number[]) =>
  (state: State): number[] =>
    state.map((_, n) => {
      const column = n & ~3;
      return row.reduce((sum, factor, k) => sum ^ multiplyInField(state[column + ((n + k) & 3)], factor), 0);
    });
const mixColumns = mixWith([2, 3, 1, 1]);
const inverseMixColumns = mixWith([14, 11, 13, 9]);

const substitute = (state: State): number[] => state.map((byte) => S_BOX[byte]);
const inverseSubstitute = (state: State): number[] => state.map((byte) => INVERSE_S_BOX[byte]);

/** One round: the state is changed, the round key added. */
const roundRule = (change: (state: State) => State) =>
  xmmRule((state, key): Xmm => {
    const { lo, hi } = xmmOf(change(xmmBytes(state)));
    return { lo: xor(lo, key.lo), hi: xor(hi, key.hi) };
  });

const substitutedWord = (n: number): number =>
  S_BOX[n & 0xff] | (S_BOX[(n >>> 8) & 0xff] << 8) | (S_BOX[(n >>> 16) & 0xff] << 16) | (S_BOX[n >>> 24] << 24);
const turnedRight = (n: number): number => (n >>> 8) | (n << 24);

/** AESKEYGENASSIST: elements 1 and 3 substituted, and the same turned by a byte with the round constant added. */
const keyAssist = (_: Xmm, value: Xmm, constant: number): Xmm => {
  const [, second, , fourth] = xmmDwords(value).map(substitutedWord);
  return xmmFromDwords([second, turnedRight(second) ^ constant, fourth, turnedRight(fourth) ^ constant]);
};

export const AES_RULES: Rules = {
  aesenc: roundRule((state) => mixColumns(substitute(shiftRows(state)))),
  aesenclast: roundRule((state) => substitute(shiftRows(state))),
  aesdec: roundRule((state) => inverseMixColumns(inverseSubstitute(inverseShiftRows(state)))),
  aesdeclast: roundRule((state) => inverseSubstitute(inverseShiftRows(state))),
  aesimc: xmmRule((_, value) => xmmOf(inverseMixColumns(xmmBytes(value)))),
  aeskeygenassist: xmmImmediateRule(keyAssist),
  pclmulqdq: xmmImmediateRule((a, b, halves) => carrylessProduct(halves & 1 ? a.hi : a.lo, halves & 0x10 ? b.hi : b.lo)),
};
