/** FSIN, FCOS, FSINCOS, FPTAN, and the remainders: what tells in C2 that it is not done. */
import type { Environment } from '../../fp/environment.ts';
import { DENORMAL } from '../../fp/exception.ts';
import { invalid, special1 } from '../../fp/nan.ts';
import { type Fp, finite, INDEFINITE, INFINITE, NAN } from '../../fp/number.ts';
import { remainder } from '../../fp/remainder.ts';
import { cosineOf, inRange, sine, tangent } from '../../fp/trigonometric.ts';
import type { Cpu } from '../cpu.ts';
import { X87_STATUS } from '../layout.ts';
import type { Handler, Op } from '../op.ts';
import type { Build, BuildTable } from '../table.ts';
import { overflowTwo } from './arithmetic.ts';
import { begin, C0, C1, C2, C3, conclude, isEmpty, push, read, underflow, write } from './unit.ts';

type Function1 = (env: Environment, x: Fp) => Fp;

/** What comes before the function: a NaN or infinity has its answer; null: there is a value to compute. */
const before = (env: Environment, x: Fp): Fp | null => {
  const special = special1(env, x);
  if (special !== null) return special;
  if (x.kind === INFINITE) return invalid(env);
  if (x.denormal) env.flags |= DENORMAL;
  return null;
};

const outOfRange = (c: Cpu, o: Op): Op => {
  c.s[X87_STATUS] |= C2;
  return o.next;
};

const onTop = (f: Function1): Build => {
  const handler: Handler = (c, o) => {
    begin(c);
    c.s[X87_STATUS] &= ~C2;
    if (isEmpty(c, 0)) {
      if (underflow(c)) write(c, 0, INDEFINITE);
      return o.next;
    }
    const x = read(c, 0);
    if (!inRange(x)) return outOfRange(c, o);
    const result = before(c.fp, x) ?? f(c.fp, x);
    const prevented = c.fp.prevented();
    conclude(c);
    if (!prevented) write(c, 0, result);
    return o.next;
  };
  return () => handler;
};

/** Two results: `first` replaces the top, `second` is pushed. C1 tells of the first's rounding. */
const pushing = (first: Function1, second: Function1): Build => {
  const handler: Handler = (c, o) => {
    begin(c);
    c.s[X87_STATUS] &= ~C2;
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
    const x = read(c, 0);
    if (!inRange(x)) return outOfRange(c, o);
    const { fp } = c;
    const special = before(fp, x);
    const below = special ?? first(fp, x);
    const { up } = fp;
    const above = special ?? second(fp, x);
    fp.up = up;
    const prevented = fp.prevented();
    conclude(c);
    if (prevented) return o.next;
    write(c, 0, below);
    push(c, above);
    return o.next;
  };
  return () => handler;
};

const ONE = finite(0, 1n, 0);

/** Quotient bits: C0 is the third, C3 the second, C1 the first. */
const quotientBits = (quotient: number): number =>
  ((quotient & 4) !== 0 ? C0 : 0) | ((quotient & 2) !== 0 ? C3 : 0) | ((quotient & 1) !== 0 ? C1 : 0);

const partialRemainder = (nearest: boolean): Build => {
  const handler: Handler = (c, o) => {
    begin(c);
    c.s[X87_STATUS] &= ~C2;
    if (isEmpty(c, 0) || isEmpty(c, 1)) {
      if (underflow(c)) write(c, 0, INDEFINITE);
      return o.next;
    }
    const { value, quotient, partial } = remainder(c.fp, read(c, 0), read(c, 1), nearest);
    c.fp.up = false;
    const prevented = c.fp.prevented();
    conclude(c);
    if (prevented) return o.next;
    if (value.kind !== NAN) c.s[X87_STATUS] = (c.s[X87_STATUS] & ~(C0 | C3)) | quotientBits(quotient) | (partial ? C2 : 0);
    write(c, 0, value);
    return o.next;
  };
  return () => handler;
};

export const X87_TRIGONOMETRIC: BuildTable = {
  fsin: onTop(sine),
  fcos: onTop(cosineOf),
  fsincos: pushing(sine, cosineOf),
  fptan: pushing(tangent, () => ONE),
  fprem: partialRemainder(false),
  fprem1: partialRemainder(true),
};
