/** What an operation is carried out under, and what it raised. One object serves a whole CPU, so operations allocate none. */
import { DENORMAL, DIVIDE, INVALID, NEAREST } from './exception.ts';

export class Environment {
  /** NEAREST, DOWN, UP or TO_ZERO. */
  rounding = NEAREST;
  /** Exceptions that are masked. */
  masks = 0x3f;
  /** Exceptions raised since the start of the instruction. */
  flags = 0;
  /** The last rounding made the magnitude larger: C1 of the x87. */
  up = false;
  /** NaNs and unmasked underflow as the x87 has them rather than SSE. */
  x87 = false;
  /** MXCSR.DAZ and MXCSR.FTZ. */
  denormalsAreZero = false;
  flushToZero = false;
  /** Significant bits of x87 results: precision control. */
  precision = 64;

  /** Whether an exception was raised that is not masked. */
  get unmasked(): boolean {
    return (this.flags & ~this.masks) !== 0;
  }

  /**
   * Whether an unmasked exception came before the computation: there is no result then, nor anything that only a result could raise.
   */
  prevented(): boolean {
    if ((this.flags & ~this.masks & (INVALID | DENORMAL | DIVIDE)) === 0) return false;
    this.flags &= INVALID | DENORMAL | DIVIDE;
    this.up = false;
    return true;
  }

  /** As the SSE instructions see MXCSR. */
  useMxcsr(mxcsr: number): void {
    this.rounding = (mxcsr >> 13) & 3;
    this.masks = (mxcsr >> 7) & 0x3f;
    this.flags = 0;
    this.x87 = false;
    this.denormalsAreZero = (mxcsr & 0x40) !== 0;
    this.flushToZero = (mxcsr & 0x8000) !== 0;
  }

  /** As the x87 sees its control word. Precision control 1 is reserved and means 64 bits, as on silicon. */
  useControl(control: number): void {
    this.rounding = (control >> 10) & 3;
    this.masks = control & 0x3f;
    this.flags = 0;
    this.up = false;
    this.x87 = true;
    this.denormalsAreZero = false;
    this.flushToZero = false;
    const field = (control >> 8) & 3;
    this.precision = field === 0 ? 24 : field === 2 ? 53 : 64;
  }

  /** Raise an invalid operation. */
  invalid(): void {
    this.flags |= INVALID;
  }
}
