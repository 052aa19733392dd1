/** The register stack of the x87. Functions from state to state; the stack faults of an instruction are decided before it acts. */
import { encodeNan80 } from '../../../fp/extended.ts';
import { INDEFINITE } from '../../../fp/value.ts';
import { type Extended, extendedBits, extendedOf, type Fpu } from './state.ts';
import { C1, STACK_FAULT, summarized, topOf, withTop } from './words.ts';

/** What a masked invalid operation gives. */
export const INDEFINITE_80 = encodeNan80(INDEFINITE);

/** Physical register of ST(n). */
const physical = (fpu: Fpu, n: number): number => (topOf(fpu) + n) & 7;

export const isEmpty = (fpu: Fpu, n: number): boolean => (fpu.tag & (1 << physical(fpu, n))) === 0;

/** ST(n) as bits, whether it is empty or not. */
export const stBits = (fpu: Fpu, n: number): bigint => extendedBits(fpu.registers[physical(fpu, n)]);
export const stRegister = (fpu: Fpu, n: number): Extended => fpu.registers[physical(fpu, n)];

/** ST(n) filled. */
export const withRegister = (fpu: Fpu, n: number, register: Extended): Fpu => {
  const at = physical(fpu, n);
  const registers = fpu.registers.slice();
  registers[at] = register;
  return { ...fpu, registers, tag: fpu.tag | (1 << at) };
};
export const withSt = (fpu: Fpu, n: number, bits: bigint): Fpu => withRegister(fpu, n, extendedOf(bits));

export const freed = (fpu: Fpu, n: number): Fpu => ({ ...fpu, tag: fpu.tag & ~(1 << physical(fpu, n)) });

/** TOP moved by `by`, tags as they are. */
export const turned = (fpu: Fpu, by: number): Fpu => ({ ...fpu, status: withTop(fpu.status, topOf(fpu) + by) });
export const popped = (fpu: Fpu): Fpu => turned(freed(fpu, 0), 1);
export const poppedTimes = (fpu: Fpu, times: number): Fpu => (times === 0 ? fpu : poppedTimes(popped(fpu), times - 1));
export const pushed = (fpu: Fpu, bits: bigint): Fpu => withSt(turned(fpu, -1), 0, bits);

/** Exceptions noted, C1 as given. */
export const noted = (fpu: Fpu, flags: number, up: boolean): Fpu => {
  const status = (fpu.status & ~C1) | flags | (up ? C1 : 0);
  return flags === 0 ? { ...fpu, status } : summarized({ ...fpu, status });
};

/** Whether one of these exceptions is not masked. */
export const unmasked = ({ control }: Fpu, flags: number): boolean => (flags & ~control & 0x3f) !== 0;

/** fp/x87-stack_underflow: an operand is empty. `masked` is what then takes its place. */
export const underflowed = (fpu: Fpu, masked: (fpu: Fpu) => Fpu): Fpu => stackFault(fpu, false, masked);

/** fp/x87-stack_overflow: there is no empty register to push into. */
export const overflowed = (fpu: Fpu, masked: (fpu: Fpu) => Fpu): Fpu => stackFault(fpu, true, masked);

const stackFault = (fpu: Fpu, overflow: boolean, masked: (fpu: Fpu) => Fpu): Fpu => {
  const faulted = noted(fpu, STACK_FAULT, overflow);
  return unmasked(fpu, STACK_FAULT) ? faulted : masked(faulted);
};
