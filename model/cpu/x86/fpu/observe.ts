/** x87, MMX and SSE state as comparisons see it (spec/isa/x86/cpu_observation.ts). */
import type { FpuObservation } from '#spec/isa/x86/cpu_observation.ts';
import type { Word } from '../../../word/word.ts';
import { type Extended, type Fpu, FRESH_FPU, type Xmm } from './state.ts';

const digits = ({ hi, lo }: Word): string => (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');
const extendedText = ({ top, significand }: Extended): string => top.toString(16).padStart(4, '0') + digits(significand);
const xmmText = ({ hi, lo }: Xmm): string => digits(hi) + digits(lo);

const observed = ({ registers, control, status, tag, xmm, mxcsr }: Fpu): FpuObservation => ({
  x87: { control, status, tag, registers: registers.map(extendedText) },
  xmm: xmm.map(xmmText),
  mxcsr,
});

const FRESH = observed(FRESH_FPU);

export const observeFpu = (fpu: Fpu): FpuObservation => (fpu === FRESH_FPU ? FRESH : observed(fpu));
