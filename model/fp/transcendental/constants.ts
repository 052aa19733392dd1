/** π and ln 2 to any number of binary digits, as integers: the constant times 2^digits, cut off. */

/** Digits that are computed beyond those asked for. */
const GUARD = 32;

/** Σ ±1/((2i+1) n^(2i+1)) times 2^digits: atan(1/n) with alternating signs, atanh(1/n) without. */
const inverseSeries = (n: bigint, digits: number, alternating: boolean): bigint => {
  let power = (1n << BigInt(digits)) / n;
  let sum = power;
  for (let i = 3n; power !== 0n; i += 2n) {
    power /= n * n;
    sum += alternating && (i & 2n) !== 0n ? -(power / i) : power / i;
  }
  return sum;
};

/** Remembers what was computed: the answers are constants. */
const remembered = (compute: (digits: number) => bigint): ((digits: number) => bigint) => {
  const known = new Map<number, bigint>();
  return (digits) => {
    const found = known.get(digits);
    if (found !== undefined) return found;
    const computed = compute(digits + GUARD) >> BigInt(GUARD);
    known.set(digits, computed);
    return computed;
  };
};

/** π = 16 atan(1/5) − 4 atan(1/239). */
export const pi = remembered((digits) => 16n * inverseSeries(5n, digits, true) - 4n * inverseSeries(239n, digits, true));

/** ln 2 = 18 atanh(1/26) − 2 atanh(1/4801) + 8 atanh(1/8749). */
export const ln2 = remembered(
  (digits) => 18n * inverseSeries(26n, digits, false) - 2n * inverseSeries(4801n, digits, false) + 8n * inverseSeries(8749n, digits, false),
);
