/** How Xen reads the texts of its settings: truth values, thresholds, limits, named ways. */
import { HYPFS_LEVELS } from '#spec/abi/hypfs.ts';

/** What a setting becomes, and what the writer is told: 0 or the errno. `value` null: it stays. */
export type Understood = { readonly value: string | null; readonly errno: 'EINVAL' | 'ERANGE' | null };

const TRUE: ReadonlySet<string> = new Set(['1', 'on', 'yes', 'true', 'enable']);
const FALSE: ReadonlySet<string> = new Set(['0', 'no', 'off', 'false', 'disable']);
const TIMESTAMPS: ReadonlySet<string> = new Set(['none', 'date', 'datems', 'boot', 'raw']);
const MOST_LIMIT = 0x7fffffffn;

const taken = (value: string): Understood => ({ value, errno: null });
const bad: Understood = { value: null, errno: 'EINVAL' };

const truth = (text: string): boolean | null => (TRUE.has(text) ? true : FALSE.has(text) ? false : null);

export const understandTimestamps = (text: string): Understood => {
  const asked = truth(text);
  if (asked !== null) return taken(asked ? 'date' : 'none');
  if (text === '') return taken('date');
  return TIMESTAMPS.has(text) ? taken(text) : bad;
};

export const understandPcid = (text: string): Understood => {
  const asked = truth(text);
  if (asked !== null) return taken(asked ? 'on' : 'off');
  if (text === 'xpti') return taken('xpti');
  if (text === 'no-xpti') return taken('noxpti');
  const named = text.startsWith('xpti=') ? truth(text.slice(5)) : null;
  return named === null ? bad : taken(named ? 'xpti' : 'noxpti');
};

/** A number as C writes it: octal behind 0, hexadecimal behind 0x and a digit. It is taken modulo 2^64. */
export const understandLimit = (text: string): Understood => {
  const radix = /^0x[0-9a-f]/i.test(text) ? 16n : text.startsWith('0') ? 8n : 10n;
  const digits = (radix === 16n ? text.slice(2) : text).toLowerCase();
  let value = 0n;
  for (const digit of digits) {
    const weight = '0123456789abcdef'.indexOf(digit);
    if (weight < 0 || BigInt(weight) >= radix) return bad;
    value = BigInt.asUintN(64, value * radix + BigInt(weight));
  }
  return value > MOST_LIMIT ? { value: null, errno: 'ERANGE' } : taken(String(value));
};

const WORDS: readonly (readonly [word: string, level: number])[] = [
  ...HYPFS_LEVELS.map((word, level) => [word, level] as const),
  ['debug', 4],
];
/** What counts when the word is none. */
const FALLBACK = 2;

/** The level that the text begins with and what stands behind it; the text as it was where it begins with none. */
const level = (text: string): { readonly level: number; readonly rest: string | null } => {
  const found = WORDS.find(([word]) => text.startsWith(word));
  return found ? { level: found[1], rest: text.slice(found[0].length) } : { level: FALLBACK, rest: null };
};

/** The setting changes even when the text is refused for what stands behind the words. */
export const understandLevels = (text: string): Understood => {
  const lower = level(text);
  const behind = lower.rest ?? text;
  const upper = behind.startsWith('/') ? level(behind.slice(1)) : lower;
  // A second word that is none leaves its slash behind.
  const rest = upper.rest ?? behind;
  const value = `${HYPFS_LEVELS[lower.level]}/${HYPFS_LEVELS[Math.max(lower.level, upper.level)]}`;
  return { value, errno: rest === '' ? null : 'EINVAL' };
};
