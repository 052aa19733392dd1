/** Arithmetic of the x87: on two registers, or the top and memory; on the top alone; on the two topmost. */
import { add, type Binary, divide, multiply, squareRoot, subtract } from '../../fp/arithmetic.ts';
import { DENORMAL } from '../../fp/exception.ts';
import { roundToInteger } from '../../fp/integer.ts';
import { exponentialLessOne, logarithm, logarithmOfOneMore } from '../../fp/logarithm.ts';
import { special1 } from '../../fp/nan.ts';
import { type Fp, INDEFINITE } from '../../fp/number.ts';
import { controlled } from '../../fp/round.ts';
import { extract, scale } from '../../fp/scale.ts';
import { arcTangent } from '../../fp/trigonometric.ts';
import type { Cpu } from '../cpu.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { integerFrom, realFrom } from './memory.ts';
import { begin, conclude, hasRoom, isEmpty, pop, push, read, underflow, write } from './unit.ts';

const reversed =
  (operation: Binary): Binary =>
  (env, format, a, b) =>
    operation(env, format, b, a);

const OPERATIONS: Readonly<Record<string, Binary>> = {
  add,
  mul: multiply,
  sub: subtract,
  subr: reversed(subtract),
  div: divide,
  divr: reversed(divide),
};

/** ST(to) becomes the operation of it and `b`. Returns whether a pop may follow. */
const combine = (c: Cpu, operation: Binary, to: number, b: Fp): boolean => {
  const { fp } = c;
  const result = operation(fp, controlled(fp), read(c, to), b);
  const prevented = fp.prevented();
  conclude(c);
  if (!prevented) write(c, to, result);
  return !prevented;
};

/** An empty operand: the indefinite takes the result's place. */
const missing = (c: Cpu, to: number): boolean => {
  if (!underflow(c)) return false;
  write(c, to, INDEFINITE);
  return true;
};

const onRegisters =
  (operation: Binary, pops: boolean): Handler =>
  (c, o) => {
    begin(c);
    const done = isEmpty(c, o.a) || isEmpty(c, o.b) ? missing(c, o.a) : combine(c, operation, o.a, read(c, o.b));
    if (pops && done) pop(c);
    return o.next;
  };

const onMemory =
  (operation: Binary, operand: (c: Cpu, o: Op) => Fp): Handler =>
  (c, o) => {
    const b = operand(c, o);
    begin(c);
    if (isEmpty(c, 0)) missing(c, 0);
    else combine(c, operation, 0, b);
    return o.next;
  };

const arithmetic = (name: string, operation: Binary): BuildTable => ({
  [`f${name}`]: (_, __, form) => (form === 'm' ? onMemory(operation, realFrom) : onRegisters(operation, false)),
  [`f${name}p`]: () => onRegisters(operation, true),
  [`fi${name}`]: () => onMemory(operation, integerFrom),
});

/** An operation on the top alone. */
export const onTop = (operation: (c: Cpu, x: Fp) => Fp): Build => {
  const handler: Handler = (c, o) => {
    begin(c);
    if (isEmpty(c, 0)) {
      missing(c, 0);
      return o.next;
    }
    const result = operation(c, read(c, 0));
    const prevented = c.fp.prevented();
    conclude(c);
    if (!prevented) write(c, 0, result);
    return o.next;
  };
  return () => handler;
};

/** An operation on the two topmost: the result replaces ST(1), and is the top after a pop; or it replaces the top. */
export const onTwo = (operation: (c: Cpu, top: Fp, below: Fp) => Fp, pops: boolean): Build => {
  const to = pops ? 1 : 0;
  const handler: Handler = (c, o) => {
    begin(c);
    if (isEmpty(c, 0) || isEmpty(c, 1)) {
      if (missing(c, to) && pops) pop(c);
      return o.next;
    }
    const result = operation(c, read(c, 0), read(c, 1));
    const prevented = c.fp.prevented();
    conclude(c);
    if (prevented) return o.next;
    write(c, to, result);
    if (pops) pop(c);
    return o.next;
  };
  return () => handler;
};

const fxtract: Handler = (c, o) => {
  begin(c);
  if (isEmpty(c, 0)) {
    if (underflow(c)) {
      write(c, 0, INDEFINITE);
      push(c, INDEFINITE);
    }
    return o.next;
  }
  if (!isEmpty(c, 7)) {
    overflowTwo(c);
    return o.next;
  }
  const { exponent, significand } = extract(c.fp, read(c, 0));
  const prevented = c.fp.prevented();
  conclude(c);
  if (prevented) return o.next;
  write(c, 0, exponent);
  push(c, significand);
  return o.next;
};

/** No room for the second result: both become indefinite. */
export const overflowTwo = (c: Cpu): void => {
  if (!hasRoom(c) && (c.fp.masks & 1) !== 0) write(c, 1, INDEFINITE);
};

const roundedInteger = ({ fp }: Cpu, x: Fp): Fp => {
  const special = special1(fp, x);
  if (special !== null) return special;
  if (x.denormal) fp.flags |= DENORMAL;
  return roundToInteger(fp, x, fp.rounding);
};

export const X87_ARITHMETIC: BuildTable = {
  ...Object.assign({}, ...Object.entries(OPERATIONS).map(([name, operation]) => arithmetic(name, operation))),
  fsqrt: onTop(({ fp }, x) => squareRoot(fp, controlled(fp), x)),
  frndint: onTop(roundedInteger),
  f2xm1: onTop(({ fp }, x) => exponentialLessOne(fp, x)),
  fscale: onTwo(({ fp }, x, by) => scale(fp, x, by), false),
  fyl2x: onTwo(({ fp }, x, y) => logarithm(fp, x, y), true),
  fyl2xp1: onTwo(({ fp }, x, y) => logarithmOfOneMore(fp, x, y), true),
  fpatan: onTwo(({ fp }, x, y) => arcTangent(fp, y, x), true),
  fxtract: () => fxtract,
};
