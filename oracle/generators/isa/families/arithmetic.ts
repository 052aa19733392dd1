/** Division, multiplication by parts, exchanges that compare, shifts, bit strings, table look-ups. */
import type { Draft } from '../draft.ts';
import { memoryWidth } from '../operands.ts';
import { anyPlace } from '../places.ts';
import { bytesOf, operandValue } from '../values.ts';
import { type Family, RAX, RBX, RCX, RDX } from './family.ts';

/** Dividends whose quotient fits, mostly: an upper half that is a sign or small. */
const dividend = (d: Draft): void => {
  const { s } = d;
  const bytes = d.row.operands[0] === 'Eb' ? 1 : d.size;
  if (s.one(3)) return;
  const low = operandValue(s, bytes);
  const high = s.pick([0n, 0n, s.one(2) ? (1n << BigInt(8 * bytes)) - 1n : 1n, operandValue(s, bytes) >> BigInt(s.below(8 * bytes))]);
  if (bytes === 1) {
    d.setLow(RAX, 2, low | (high << 8n));
    return;
  }
  d.setLow(RAX, bytes, low);
  d.setLow(RDX, bytes, high);
};

/** Counts around zero, one, the operand's size and the mask. */
const count = (d: Draft): void => {
  d.setLow(RCX, 1, BigInt(anyCount(d)));
};

const anyCount = ({ s }: Draft): number =>
  s.pick([0, 1, 2, 7, 8, 9, 15, 16, 17, 18, 24, 25, 31, 32, 33, 34, 63, 64, 65, 128, 255, s.below(256)]);

const countImmediate = (d: Draft): void => {
  if (d.row.operands.includes('Ib')) d.immediate.push(anyCount(d));
};

const shift: Family = { before: count, immediates: countImmediate };

/** The accumulator equals the operand half of the time. */
const compareExchange = (d: Draft, address: bigint, bytes: number): void => {
  const value = operandValue(d.s, bytes);
  d.pokeNumber(address, value, bytes);
  if (d.s.one(2)) d.setLow(RAX, bytes, value);
};

const compareExchangePair = (d: Draft, address: bigint, bytes: number): void => {
  const value = operandValue(d.s, bytes === 16 ? 16 : 8);
  d.pokeNumber(address, value, bytes);
  if (d.s.one(2)) return;
  const half = BigInt(4 * bytes);
  d.setLow(RAX, bytes / 2, value & ((1n << half) - 1n));
  d.setLow(RDX, bytes / 2, value >> half);
};

/** A bit number in the register; the operand then lies that far from its address. */
const bitString = (d: Draft): bigint => {
  const { s, size } = d;
  if (d.row.operands[1] !== 'Gv') return 0n;
  const offset = BigInt(s.one(3) ? s.int(-40000, 40000) : s.int(-200, 200));
  const wanted = s.one(8) ? BigInt.asIntN(8 * size, operandValue(s, 8)) : BigInt.asIntN(8 * size, offset);
  d.setLow(d.reg, size, wanted);
  return -((wanted >> BigInt(3 + Math.log2(size))) * BigInt(size));
};

/** BOUND: an index, and bounds around it mostly. */
const bounded = (d: Draft): void => d.setLow(d.reg, d.size, BigInt(d.s.int(-3, 12)));
const bounds = (d: Draft, address: bigint): void => {
  const { s, size } = d;
  const limit = (low: number): bigint => (s.one(6) ? operandValue(s, size) : BigInt(low + s.int(-2, 2)));
  d.pokeNumber(address, BigInt.asUintN(8 * size, limit(-2)), size);
  d.pokeNumber(address + BigInt(size), BigInt.asUintN(8 * size, limit(10)), size);
};

/** XLAT reads at RBX + AL. */
const table = (d: Draft): void => {
  const { s } = d;
  const place = anyPlace(s, 1, d.mode === '64');
  d.forms.push(place.form);
  if (place.form === 'code') d.way = 'step';
  d.point(RBX, BigInt.asUintN(64, place.address - (d.regs[RAX] & 0xffn)));
};

/** Absolute addresses stand where immediates do. */
const absolute = (d: Draft): void => {
  const width = memoryWidth(d);
  const place = anyPlace(d.s, width, d.mode === '64');
  d.forms.push(place.form);
  if (place.form === 'code') d.way = 'step';
  d.immediate.push(...bytesOf(d.offsetOf(d.dataSegment(), place.address), d.addressBytes));
};

export const ARITHMETIC_FAMILY: Readonly<Record<string, Family>> = {
  div: { before: dividend },
  idiv: { before: dividend },
  ...Object.fromEntries(['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar', 'shld', 'shrd'].map((name) => [name, shift])),
  bound: { before: bounded, operand: bounds },
  cmpxchg: { operand: compareExchange },
  cmpxchg8b: { operand: compareExchangePair },
  ...Object.fromEntries(['bt', 'bts', 'btr', 'btc'].map((name) => [name, { target: bitString }])),
  xlat: { before: table },
};

/** MOV with an absolute address. */
export const ABSOLUTE_FAMILY: Family = { immediates: absolute };
