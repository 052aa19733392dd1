/** MXCSR: what it says about results, and how an instruction ends that may have raised something. */
import type { Rounding } from '../../../../fp/exception.ts';
import type { SseControl } from '../../../../fp/sse.ts';
import { Exit, generalProtection, simdError, undefinedOpcode } from '../../fault.ts';
import type { Fpu } from '../../fpu/state.ts';
import { changed, type Running } from '../../running.ts';
import { CR4 } from '../../system/state.ts';

const DAZ = 0x40;
const FTZ = 0x8000;
/** Bits that exist; bit 17 allows misaligned operands. */
export const MXCSR_MASK = 0x2ffff;

export const controlOfMxcsr = ({ mxcsr }: Fpu): SseControl => ({
  mode: ((mxcsr >> 13) & 3) as Rounding,
  masks: (mxcsr >> 7) & 0x3f,
  flushToZero: (mxcsr & FTZ) !== 0,
  denormalsAreZero: (mxcsr & DAZ) !== 0,
});

export const requireMxcsr = (mxcsr: number): void => {
  if ((mxcsr & ~MXCSR_MASK) !== 0) throw generalProtection(0, 'fp/mxcsr-reserved');
};

/**
 * Go on with the flags noted. When one of them is unmasked the instruction has done nothing else: fp/sse-unmasked, or #UD when the
 * system does not take SIMD exceptions.
 */
export const withRaised = (s: Running, flags: number, raised: boolean): Running => {
  const noted = flags === 0 ? s : changed(s, { fpu: { ...s.fpu, mxcsr: s.fpu.mxcsr | flags } });
  if (!raised) return noted;
  const { kind, fault, clause } =
    (s.system.cr4 & CR4.OSXMMEXCPT) === 0 ? undefinedOpcode('fp/sse-unmasked_undefined') : simdError('fp/sse-unmasked');
  throw new Exit(kind, noted, fault, clause);
};
