/** What x87, MMX and SSE instructions work on. Immutable, as all of the processor's state. */
import { type Word, ZERO } from '../../../word/word.ts';

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
const NOUGHT: Xmm = { hi: ZERO, lo: ZERO };

/** As FNINIT and a load of MXCSR with 1f80 leave it: all exceptions masked. */
export const FRESH_FPU: Fpu = {
  registers: new Array<Extended>(8).fill(EMPTY),
  control: 0x37f,
  status: 0,
  tag: 0,
  xmm: new Array<Xmm>(16).fill(NOUGHT),
  mxcsr: 0x1f80,
};
