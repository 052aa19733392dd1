/** x87, MMX and SSE state on silicon and on an engine: the first difference that the manuals do not allow. */
import { OPCODES } from '#spec/isa/x86/opcodes.ts';
import { INEXACT_RESULTS, type InexactResult } from '#spec/isa/x86/undefined.ts';
import type { InstructionCase } from '../../image/instruction/case.ts';
import type { FxState } from '../../image/instruction/fx_state.ts';

const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, '0');

/** C1, PE and (of a tiny result that is inexact) UE of the status word. */
const ROUNDING_BITS = 0x230;

/** 80-bit numbers of one sign in ascending order; null for what is no number. */
const ordinal = (bits: bigint): bigint | null => {
  const exponent = (bits >> 64n) & 0x7fffn;
  const significand = bits & 0xffffffffffffffffn;
  if (exponent === 0x7fffn) return null;
  return exponent === 0n ? significand : (exponent << 63n) + (significand & 0x7fffffffffffffffn);
};

const withinOneUnit = (seen: bigint, told: bigint): boolean => {
  const [a, b] = [ordinal(seen), ordinal(told)];
  if (a === null || b === null || seen >> 79n !== told >> 79n) return false;
  const distance = a - b;
  return distance >= -1n && distance <= 1n;
};

const buffer = new DataView(new ArrayBuffer(4));
const singleOf = (bits: bigint): number => {
  buffer.setUint32(0, Number(bits & 0xffffffffn));
  return buffer.getFloat32(0);
};

const SMALLEST_NORMAL = 2 ** -126;

/** Element by element. */
const withinRelative = (seen: bigint, told: bigint, most: number): boolean =>
  [0n, 32n, 64n, 96n].every((shift) => {
    const [a, b] = [singleOf(seen >> shift), singleOf(told >> shift)];
    if (((seen ^ told) >> shift) % 0x100000000n === 0n || Math.abs(a - b) <= most * Math.abs(b)) return true;
    return a === 0 && Math.sign(1 / a) === Math.sign(b) && Math.abs(b) <= SMALLEST_NORMAL * (1 + most);
  });

const toleranceOf = (mnemonic: string): InexactResult['tolerance'] | undefined =>
  INEXACT_RESULTS.find(({ mnemonics }) => mnemonics.includes(mnemonic))?.tolerance;

/** Null when they agree, else what differs. */
export const fxDifference = (c: InstructionCase, seen: FxState, told: FxState): string | null => {
  const tolerance = toleranceOf(OPCODES[c.row].mnemonic);
  const differ = (what: string, digits: number, a: bigint | number, b: bigint | number): string =>
    `${what} silicon ${hex(a, digits)}, engine ${hex(b, digits)}`;
  for (let n = 0; n < 16; n++) {
    const [a, b] = [seen.xmm[n], told.xmm[n]];
    if (a === b || (tolerance?.kind === 'relative' && withinRelative(a, b, tolerance.most))) continue;
    return differ(`xmm${n}`, 32, a, b);
  }
  if (seen.mxcsr !== told.mxcsr) return differ('mxcsr', 4, seen.mxcsr, told.mxcsr);
  if (seen.control !== told.control) return differ('fcw', 4, seen.control, told.control);
  const compared = tolerance?.kind === 'one unit' ? ~ROUNDING_BITS : -1;
  if (((seen.status ^ told.status) & compared) !== 0) return differ('fsw', 4, seen.status, told.status);
  if (seen.tag !== told.tag) return differ('tags', 2, seen.tag, told.tag);
  for (let n = 0; n < 8; n++) {
    const [a, b] = [seen.registers[n], told.registers[n]];
    if (a === b || (tolerance?.kind === 'one unit' && withinOneUnit(a, b))) continue;
    return differ(`x87 register ${n}`, 20, a, b);
  }
  return null;
};
