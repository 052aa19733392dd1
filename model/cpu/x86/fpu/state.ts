/** What x87, MMX and SSE instructions work on. Immutable, as all of the processor's state. */
import { fromBigInt, toBigInt, type Word, ZERO } from '../../../word/word.ts';

/** An 80-bit register: sign and exponent in the low 16 bits of `top`, and the significand. MMX registers are significands. */
export type Extended = { readonly top: number; readonly significand: Word };

/** A 128-bit register. */
export type Xmm = { readonly hi: Word; readonly lo: Word };

export type Fpu = {
  /** Physical registers 0 to 7. */
  readonly registers: readonly Extended[];
  readonly control: number;
  /** Status word; TOP in bits 11 to 13. */
  readonly status: number;
  /** Bit n is set when physical register n is not empty. */
  readonly tag: number;
  readonly xmm: readonly Xmm[];
  readonly mxcsr: number;
};

const EMPTY: Extended = { top: 0, significand: ZERO };
export const ZERO_XMM: Xmm = { hi: ZERO, lo: ZERO };

/** As FNINIT and a load of MXCSR with 1f80 leave it: all exceptions masked. */
export const FRESH_FPU: Fpu = {
  registers: new Array<Extended>(8).fill(EMPTY),
  control: 0x37f,
  status: 0,
  tag: 0,
  xmm: new Array<Xmm>(16).fill(ZERO_XMM),
  mxcsr: 0x1f80,
};

/** The register as one integer of 80 bits, as model/fp takes it. */
export const extendedBits = ({ top, significand }: Extended): bigint => (BigInt(top) << 64n) | toBigInt(significand);
export const extendedOf = (bits: bigint): Extended => ({ top: Number(bits >> 64n) & 0xffff, significand: fromBigInt(bits) });

/** One XMM register replaced. */
export const withXmm = (fpu: Fpu, index: number, value: Xmm): Fpu => {
  const xmm = fpu.xmm.slice();
  xmm[index] = value;
  return { ...fpu, xmm };
};
