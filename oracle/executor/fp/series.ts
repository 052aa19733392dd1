/**
 * Real numbers in fixed point: an integer counts units of 2^-`bits`. Each function is right to a few units; whoever asks takes more
 * bits until that no longer matters (settle.ts).
 */

/** Keeps the longest value that was asked for. */
const cached = (compute: (bits: number) => bigint): ((bits: number) => bigint) => {
  let known = 0n;
  let have = -1;
  return (bits) => {
    if (bits > have) {
      have = bits + 64;
      known = compute(have);
    }
    return known >> BigInt(have - bits);
  };
};

/** The sum over n of (+-1)^n / ((2n+1) * k^(2n+1)): arcus tangens of 1/k, or its hyperbolic sister. */
const inverse = (k: bigint, bits: number, alternate: boolean): bigint => {
  let power = (1n << BigInt(bits)) / k;
  let sum = power;
  for (let n = 3n, odd = true; power !== 0n; n += 2n, odd = !odd) {
    power /= k * k;
    sum += alternate && odd ? -(power / n) : power / n;
  }
  return sum;
};

export const pi: (bits: number) => bigint = cached((bits) => {
  const b = bits + 16;
  return (16n * inverse(5n, b, true) - 4n * inverse(239n, b, true)) >> 16n;
});

export const ln2: (bits: number) => bigint = cached((bits) => {
  const b = bits + 16;
  return (18n * inverse(26n, b, false) - 2n * inverse(4801n, b, false) + 8n * inverse(8749n, b, false)) >> 16n;
});

/** The sum of terms that begins with one; `next` makes a term from the one before and its number. */
const sumFromOne = (bits: number, next: (term: bigint, n: bigint) => bigint): bigint => {
  let term = 1n << BigInt(bits);
  let sum = term;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = next(term, n);
    sum += term;
  }
  return sum;
};

/** sin(r) / r and cos(r) for the square of r. */
export const sineRatio = (square: bigint, bits: number): bigint =>
  sumFromOne(bits, (term, n) => -((term * square) >> BigInt(bits)) / (2n * n * (2n * n + 1n)));
export const cosine = (square: bigint, bits: number): bigint =>
  sumFromOne(bits, (term, n) => -((term * square) >> BigInt(bits)) / (2n * n * (2n * n - 1n)));

/** (exp(t) - 1) / t. */
export const exponentialRatio = (t: bigint, bits: number): bigint => sumFromOne(bits, (term, n) => ((term * t) >> BigInt(bits)) / (n + 1n));

/** atanh(s) / s and atan(s) / s for the square of s, which is well below one. */
const powers = (square: bigint, bits: number, sign: bigint): bigint => {
  let power = 1n << BigInt(bits);
  let sum = power;
  for (let n = 3n; power !== 0n && power !== -1n; n += 2n) {
    power = (sign * power * square) >> BigInt(bits);
    sum += power / n;
  }
  return sum;
};
export const hyperbolicRatio = (square: bigint, bits: number): bigint => powers(square, bits, 1n);
export const tangentRatio = (square: bigint, bits: number): bigint => powers(square, bits, -1n);
