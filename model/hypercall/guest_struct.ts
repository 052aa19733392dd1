/** Structures in guest memory as records of unsigned numbers, by the layouts of spec/abi. */
import type { Field, Layout } from '#spec/abi/layout.ts';
import { fromBigInt, fromNumber } from '../word/word.ts';

/** The structure's fields as unsigned numbers; 64-bit ones are exact below 2⁵³. */
export type Fields<L extends Layout> = { readonly [K in keyof L['fields']]: number };

/** Read a field from the structure's bytes. */
export const fieldOf = (bytes: Uint8Array, { at, size }: Field): number => {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
};

export const fieldsOf = <L extends Layout>(bytes: Uint8Array, { fields }: L): Fields<L> => {
  const values: Record<string, number> = {};
  for (const name in fields) values[name] = fieldOf(bytes, fields[name]);
  return values as Fields<L>;
};

/** The structure's bytes with some fields replaced. Negative values are written in two's complement. */
export const withFields = <L extends Layout>(bytes: Uint8Array, { fields }: L, values: Partial<Fields<L>>): Uint8Array => {
  const after = bytes.slice();
  for (const name in values) {
    const { at, size } = fields[name];
    let rest: number = values[name] ?? 0;
    for (let i = 0; i < size; i++) {
      after[at + i] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }
  return after;
};

/** A number as little-endian bytes, 8 at most; negative values are written in two's complement. */
export const bytesOfNumber = (value: number | bigint, size: number): Uint8Array => {
  const { hi, lo } = typeof value === 'bigint' ? fromBigInt(value) : fromNumber(value);
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i < 4 ? lo : hi) >>> ((i & 3) * 8);
  return bytes;
};
