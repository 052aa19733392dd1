/**
 * The common case by JavaScript's own numbers: round to nearest, normal operands, normal result. A function answers NaN when the case is
 * another one, which software (arithmetic.ts) then takes. Whether rounding lost anything is told by error-free transformations: Dekker,
 * "A floating-point technique for extending the available precision", 1971; Knuth, volume 2, 4.2.2.
 */

const LEAST64 = 2 ** -1022;
const MOST64 = Number.MAX_VALUE;
const LEAST32 = 2 ** -126;
const MOST32 = (2 - 2 ** -23) * 2 ** 127;

/** Normal, or zero. */
export const plain64 = (x: number): boolean => {
  const size = Math.abs(x);
  return size >= LEAST64 ? size <= MOST64 : x === 0;
};
export const plain32 = (x: number): boolean => {
  const size = Math.abs(x);
  return size >= LEAST32 ? size <= MOST32 : x === 0;
};

/** The same of a result: the least normal number may have been tiny before it was rounded. */
export const sound64 = (x: number): boolean => {
  const size = Math.abs(x);
  return size > LEAST64 ? size <= MOST64 : x === 0;
};
export const sound32 = (x: number): boolean => {
  const size = Math.abs(x);
  return size > LEAST32 ? size <= MOST32 : x === 0;
};

/** Inside these bounds products can be split without overflow, and their errors are numbers. */
export const splittable = (x: number): boolean => Math.abs(x) < 2 ** 990;
export const roomy = (x: number): boolean => Math.abs(x) > 2 ** -960 || x === 0;

/** Whether `sum` is x + y exactly. */
export const exactSum = (x: number, y: number, sum: number): boolean => {
  const rest = sum - x;
  return x - (sum - rest) + (y - rest) === 0;
};

const SPLITTER = 134217729;
/** Whether `product` is x * y exactly. */
export const exactProduct = (x: number, y: number, product: number): boolean => {
  const sx = SPLITTER * x;
  const sy = SPLITTER * y;
  const xHigh = sx - (sx - x);
  const yHigh = sy - (sy - y);
  const xLow = x - xHigh;
  const yLow = y - yHigh;
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow) === 0;
};

/** An operation: its result or NaN, and whether a result is exact. */
export type Fast = {
  readonly compute: (x: number, y: number) => number;
  readonly exact: (x: number, y: number, result: number) => boolean;
};

const if64 = (x: number, y: number, result: number): number => (plain64(x) && plain64(y) && sound64(result) ? result : Number.NaN);
const ifSplit = (x: number, y: number, z: number, result: number): number =>
  splittable(x) && splittable(y) && roomy(z) && kept(x, y, result) ? if64(x, y, result) : Number.NaN;
const if32 = (x: number, y: number, result: number): number => (plain32(x) && plain32(y) && sound32(result) ? result : Number.NaN);

/** Of products and quotients: zero comes from zero, or is something too small. */
export const kept = (x: number, y: number, result: number): boolean => result !== 0 || x === 0 || y === 0;

export const ADD64: Fast = { compute: (x, y) => if64(x, y, x + y), exact: exactSum };
export const SUB64: Fast = { compute: (x, y) => if64(x, y, x - y), exact: (x, y, r) => exactSum(x, -y, r) };
export const MUL64: Fast = { compute: (x, y) => ifSplit(x, y, x * y, x * y), exact: exactProduct };
export const DIV64: Fast = {
  compute: (x, y) => (y === 0 || !splittable(x / y) ? Number.NaN : ifSplit(x, y, x, x / y)),
  exact: (x, y, r) => r * y === x && exactProduct(r, y, x),
};
export const SQRT64: Fast = {
  compute: (_, y) => (y > 0 ? ifSplit(y, y, y, Math.sqrt(y)) : Number.NaN),
  exact: (_, y, r) => r * r === y && exactProduct(r, r, y),
};

const ifKept32 = (x: number, y: number, result: number): number => (kept(x, y, result) ? if32(x, y, result) : Number.NaN);

export const ADD32: Fast = {
  compute: (x, y) => if32(x, y, Math.fround(x + y)),
  exact: (x, y, r) => x + y === r && exactSum(x, y, r),
};
export const SUB32: Fast = {
  compute: (x, y) => if32(x, y, Math.fround(x - y)),
  exact: (x, y, r) => x - y === r && exactSum(x, -y, r),
};
export const MUL32: Fast = { compute: (x, y) => ifKept32(x, y, Math.fround(x * y)), exact: (x, y, r) => x * y === r };
export const DIV32: Fast = {
  compute: (x, y) => (y === 0 ? Number.NaN : ifKept32(x, y, Math.fround(x / y))),
  exact: (x, y, r) => r * y === x,
};
export const SQRT32: Fast = {
  compute: (_, y) => (y > 0 ? if32(y, y, Math.fround(Math.sqrt(y))) : Number.NaN),
  exact: (_, y, r) => r * r === y,
};

/** 64 bits to 32. */
export const NARROW: Fast = {
  compute: (_, y) => (plain64(y) && sound32(Math.fround(y)) && (y === 0 || Math.fround(y) !== 0) ? Math.fround(y) : Number.NaN),
  exact: (_, y, r) => r === y,
};
