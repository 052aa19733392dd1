/** What an operation says before anything is rounded: a value, and the exceptions that its operands alone raise. */
import { IE, ZE } from './exception.ts';
import { INDEFINITE, infinity, type Nan, type Numeric, type Sign } from './value.ts';

export type Computed = {
  readonly value: Numeric | Nan;
  /** IE or ZE, or 0. */
  readonly flags: number;
};

export const exactly = (value: Numeric): Computed => ({ value, flags: 0 });
/** There is no such number: 0/0, ∞ − ∞, the root of −1. */
export const INVALID: Computed = { value: INDEFINITE, flags: IE };
/** An exact infinity from finite operands. */
export const poleOf = (sign: Sign): Computed => ({ value: infinity(sign), flags: ZE });

/** An operation on two numbers; what NaNs do to it is decided before. `mode` matters for the sign of an exact zero. */
export type Binary = (a: Numeric, b: Numeric, mode: 0 | 1 | 2 | 3) => Computed;
export type Unary = (a: Numeric) => Computed;
