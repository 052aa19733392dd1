/** The control, status and tag words of the x87, bit by bit. */
import { IE } from '../../../fp/exception.ts';
import type { Control } from '../../../fp/x87.ts';
import type { Extended, Fpu } from './state.ts';

/** Stack fault: set together with IE when the register stack, not arithmetic, is to blame. */
export const SF = 0x40;
/** An exception waits that is not masked; B shows the same. */
export const SUMMARY = 0x80;
export const BUSY = 0x8000;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
export const CONDITION = C0 | C1 | C2 | C3;
const TOP_SHIFT = 11;
const TOP = 7 << TOP_SHIFT;
const EXCEPTIONS = 0x3f;
export const STACK_FAULT = IE | SF;

/** Number of the physical register that is the top of the stack. */
export const topOf = ({ status }: Fpu): number => (status >> TOP_SHIFT) & 7;
export const withTop = (status: number, top: number): number => (status & ~TOP) | ((top & 7) << TOP_SHIFT);

/** fp/x87-summary: ES and B always say whether an exception is set that the control word does not mask. */
export const summarized = (fpu: Fpu): Fpu => {
  const status = fpu.status & ~(SUMMARY | BUSY);
  return { ...fpu, status: (status & ~fpu.control & EXCEPTIONS) === 0 ? status : status | SUMMARY | BUSY };
};

/** fp/x87-control_reserved: bits 15 to 13 and 7 of the control word read as 0, bit 6 as 1. */
export const withControl = (fpu: Fpu, control: number): Fpu => summarized({ ...fpu, control: (control & 0x1f7f) | 0x40 });

/** Digits by precision control; the reserved value counts as 64. */
const DIGITS = [24, 64, 53, 64] as const;

/** How the control word wants results. */
export const controlOf = ({ control }: Fpu): Control => ({
  precision: DIGITS[(control >> 8) & 3],
  mode: ((control >> 10) & 3) as Control['mode'],
  masks: control & EXCEPTIONS,
});

/** The same for what precision control does not apply to. */
export const fullControlOf = (fpu: Fpu): Control => ({ ...controlOf(fpu), precision: 64 });

const [VALID, NOUGHT, SPECIAL, FREE] = [0, 1, 2, 3];

const tagOf = ({ top, significand: { hi, lo } }: Extended): number => {
  const exponent = top & 0x7fff;
  if (exponent === 0 && (hi | lo) === 0) return NOUGHT;
  return exponent === 0 || exponent === 0x7fff || hi >= 0 ? SPECIAL : VALID;
};

/** The full tag word, two bits for each physical register, made up from what the registers hold. */
export const tagWord = ({ registers, tag }: Fpu): number =>
  registers.reduce((word, register, n) => word | ((tag & (1 << n) ? tagOf(register) : FREE) << (2 * n)), 0);

/** What FLDENV and FRSTOR keep of a tag word: which registers are empty. */
export const abridged = (word: number): number => {
  let tag = 0;
  for (let n = 0; n < 8; n++) if (((word >> (2 * n)) & 3) !== FREE) tag |= 1 << n;
  return tag;
};
