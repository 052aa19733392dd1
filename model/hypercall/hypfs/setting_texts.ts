/** Settings that are told as texts: what a text makes of them. */
import { HYPFS_LEVELS, type HypfsSetting } from '#spec/abi/hypfs.ts';
import type { ClauseId } from '#spec/clauses.ts';

/** `told`: what the setting says from then on; absent = as before. */
export type Understood = { readonly clause: ClauseId; readonly error: 'EINVAL' | 'ERANGE' | null; readonly told?: string };

/** hypfs/words */
const YES = ['1', 'on', 'yes', 'true', 'enable'];
const NO = ['0', 'no', 'off', 'false', 'disable'];
const truthOf = (word: string): boolean | null => (YES.includes(word) ? true : NO.includes(word) ? false : null);

const WARNING = HYPFS_LEVELS.indexOf('warning');
const ALL = HYPFS_LEVELS.indexOf('all');
const NAMES: readonly (readonly [string, number])[] = [...HYPFS_LEVELS.map((name, i) => [name, i] as const), ['debug', ALL]];
const levelAt = (text: string): { readonly level: number; readonly rest: string } => {
  const named = NAMES.find(([name]) => text.startsWith(name));
  return named ? { level: named[1], rest: text.slice(named[0].length) } : { level: WARNING, rest: text };
};

const levels = (text: string): Understood => {
  const lower = levelAt(text);
  const upper = lower.rest.startsWith('/') ? levelAt(lower.rest.slice(1)) : lower;
  const told = `${HYPFS_LEVELS[lower.level]}/${HYPFS_LEVELS[Math.max(lower.level, upper.level)]}`;
  return { clause: 'hypfs/write-levels', error: upper.rest === '' ? null : 'EINVAL', told };
};

const STAMPS = ['none', 'date', 'datems', 'boot', 'raw'];
const timestamps = (text: string): Understood => {
  const clause = 'hypfs/write-timestamps';
  const truth = text === '' ? true : truthOf(text);
  if (truth !== null) return { clause: 'hypfs/words', error: null, told: truth ? 'date' : 'none' };
  return STAMPS.includes(text) ? { clause, error: null, told: text } : { clause, error: 'EINVAL' };
};

const XPTI = /^(no-)?xpti(?:=(.*))?$/s;
const pcid = (text: string): Understood => {
  const clause = 'hypfs/write-pcid';
  const truth = truthOf(text);
  if (truth !== null) return { clause: 'hypfs/words', error: null, told: truth ? 'on' : 'off' };
  const [whole, no, word] = XPTI.exec(text) ?? [];
  const xpti = whole === undefined || (no && word !== undefined) ? null : word === undefined ? !no : truthOf(word);
  return xpti === null ? { clause, error: 'EINVAL' } : { clause, error: null, told: xpti ? 'xpti' : 'noxpti' };
};

const MOST = 0x7fffffffn;
/** Digits of their base that a number begins with, and what stands behind. */
const numberAt = (text: string): { readonly value: bigint; readonly rest: string } => {
  const hex = /^0[xX]([0-9a-fA-F]+)(.*)$/s.exec(text);
  if (hex) return { value: BigInt(`0x${hex[1]}`), rest: hex[2] };
  const [, digits, rest] = (text.startsWith('0') ? /^([0-7]*)(.*)$/s : /^([0-9]*)(.*)$/s).exec(text) ?? ['', '', text];
  const octal = text.startsWith('0') && digits.length > 1;
  return { value: digits === '' ? 0n : BigInt(octal ? `0o${digits}` : digits), rest };
};

const limit = (text: string): Understood => {
  const clause = 'hypfs/write-limit';
  const { value, rest } = numberAt(text);
  if (rest !== '') return { clause, error: 'EINVAL' };
  const kept = BigInt.asUintN(64, value);
  return kept > MOST ? { clause, error: 'ERANGE' } : { clause, error: null, told: `${kept}` };
};

const ept = (): Understood => ({ clause: 'hypfs/write-ept', error: null });

export const TEXTS: Readonly<Record<Exclude<HypfsSetting, 'bytes' | 'truth'>, (text: string) => Understood>> = {
  levels,
  timestamps,
  pcid,
  limit,
  ept,
};
