/** Numbers of scripts: hexadecimal text, left out where 0. */
import { REGISTER_NAMES } from '#traces/conformance_x86.ts';

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
/** Nothing for 0. */
export const hexOr = (value: bigint | number | undefined): string | undefined =>
  value === undefined || BigInt(value) === 0n ? undefined : hex(value);
export const wide = (text: string | undefined): bigint => BigInt(text ?? '0x0');
export const small = (text: string | undefined): number => Number(text ?? '0x0');

export const hexOf = (bytes: ArrayLike<number>): string => Buffer.from(Array.from(bytes)).toString('hex');
export const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

/** Only what is there, and nothing at all when nothing is. */
export const without = <T extends object>(record: T): T | undefined => {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T);
};

/** Registers by name, those that are not 0. */
export const registersText = (values: ArrayLike<bigint>): Record<string, string> | undefined =>
  without(Object.fromEntries(Array.from(values, (value, n) => [REGISTER_NAMES[n]!, hexOr(value)])) as Record<string, string>);
export const registerValues = (texts: Readonly<Record<string, string | undefined>> = {}): readonly bigint[] =>
  REGISTER_NAMES.map((name) => wide(texts[name]));
