/** Option values, checked. Every refusal is one line that names the option and what it takes. */
import { InvalidArgumentError } from 'commander';

/** A whole number from `least` to `most`. */
export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed.`);
    return value;
  };

/** The same, also as 5e6 or 1.5e5. */
export const largeNumber = (text: string): number =>
  wholeNumber(1)(/^\d{1,3}(\.\d{1,3})?e\d{1,2}$/.test(text) ? String(Number(text)) : text);

/** `A..B`, both included, or one number. */
export const seedRange = (text: string): { readonly first: number; readonly last: number } => {
  const match = /^(\d{1,10})(?:\.\.(\d{1,10}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (!match || first > 0x7fffffff || last > 0x7fffffff || last < first)
    throw new InvalidArgumentError('seeds are A..B with 0 ≤ A ≤ B < 2147483648.');
  return { first, last };
};

/** Collects a repeated option. */
export const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Bytes of a kernel command line: printable ASCII, short enough for start_info. */
export const commandLine = (text: string): string => {
  if (!/^[\x20-\x7e]*$/.test(text) || text.length > 1023)
    throw new InvalidArgumentError('a command line has at most 1023 printable ASCII characters.');
  return text;
};
