/** Addition, subtraction and their kin. */

import { zeroExtend } from '../../../word/size.ts';
import { add, not, ONE, sub, ZERO } from '../../../word/word.ts';
import { addFlags, CF, setFlags, subFlags } from '../flags.ts';
import { finish, read, readToWrite } from '../operand.ts';
import { type Rules, type Semantics, withFlags } from '../running.ts';

/** ADD: DEST ← DEST + SRC. OF SF ZF AF PF CF by the result. */
const addRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const sum = zeroExtend(add(a, b), size);
  return finish(s, i, i.dst, sum, addFlags(s.flags, a, b, sum, size));
};

/** ADC: DEST ← DEST + SRC + CF. */
const adcRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const sum = zeroExtend(add(a, b, s.flags & CF), size);
  return finish(s, i, i.dst, sum, addFlags(s.flags, a, b, sum, size));
};

/** SUB: DEST ← DEST − SRC. */
const subRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const difference = zeroExtend(sub(a, b), size);
  return finish(s, i, i.dst, difference, subFlags(s.flags, a, b, difference, size));
};

/** SBB: DEST ← DEST − SRC − CF. */
const sbbRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const b = read(s, i, i.src);
  const difference = zeroExtend(sub(a, b, s.flags & CF), size);
  return finish(s, i, i.dst, difference, subFlags(s.flags, a, b, difference, size));
};

/** CMP: the flags of DEST − SRC. */
const cmpRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = read(s, i, i.dst);
  const b = read(s, i, i.src);
  return withFlags(s, i, subFlags(s.flags, a, b, zeroExtend(sub(a, b), size), size));
};

/** INC: DEST ← DEST + 1. CF keeps its value. */
const incRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const sum = zeroExtend(add(a, ONE), size);
  return finish(s, i, i.dst, sum, setFlags(addFlags(s.flags, a, ONE, sum, size), CF, s.flags & CF));
};

/** DEC: DEST ← DEST − 1. CF keeps its value. */
const decRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const difference = zeroExtend(sub(a, ONE), size);
  return finish(s, i, i.dst, difference, setFlags(subFlags(s.flags, a, ONE, difference, size), CF, s.flags & CF));
};

/** NEG: DEST ← 0 − DEST; CF tells whether it was not zero. */
const negRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const a = readToWrite(s, i, i.dst);
  const difference = zeroExtend(sub(ZERO, a), size);
  return finish(s, i, i.dst, difference, subFlags(s.flags, ZERO, a, difference, size));
};

/** NOT: DEST ← ones' complement. No flags. */
const notRule: Semantics = (s, i) => finish(s, i, i.dst, zeroExtend(not(readToWrite(s, i, i.dst)), i.dst.size));

export const ARITHMETIC_RULES: Rules = {
  add: addRule,
  adc: adcRule,
  sbb: sbbRule,
  sub: subRule,
  cmp: cmpRule,
  inc: incRule,
  dec: decRule,
  neg: negRule,
  not: notRule,
};
