/** x87, MMX and SSE state as comparisons see it (spec/isa/x86/cpu_observation.ts). */
import type { FpuObservation } from '#spec/isa/x86/cpu_observation.ts';
import { MXCSR, X87, X87_CONTROL, X87_STATUS, X87_TAG, XMM } from './layout.ts';

const hex = (value: number, digits: number): string => (value >>> 0).toString(16).padStart(digits, '0');
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

const CONTROL_RESET = 0x37f;
const MXCSR_RESET = 0x1f80;
/** Whether no instruction has touched anything: most guests, most of the time. */
const isFresh = (s: Int32Array): boolean => {
  if (s[X87_CONTROL] !== CONTROL_RESET || s[X87_STATUS] !== 0 || s[X87_TAG] !== 0 || s[MXCSR] !== MXCSR_RESET) return false;
  for (let at = X87; at < X87_CONTROL; at++) if (s[at] !== 0) return false;
  return true;
};

let fresh: FpuObservation | null = null;

/** @param s the register file. */
export const observeFpu = (s: Int32Array): FpuObservation => {
  if (!isFresh(s)) return observed(s);
  fresh ??= observed(s);
  return fresh;
};

const observed = (s: Int32Array): FpuObservation => ({
  x87: {
    control: s[X87_CONTROL],
    status: s[X87_STATUS],
    tag: s[X87_TAG],
    registers: numbers(8).map((n) => {
      const at = X87 + 4 * n;
      return hex(s[at + 2] & 0xffff, 4) + hex(s[at + 1], 8) + hex(s[at], 8);
    }),
  },
  xmm: numbers(16).map((n) => {
    const at = XMM + 4 * n;
    return [3, 2, 1, 0].map((quarter) => hex(s[at + quarter], 8)).join('');
  }),
  mxcsr: s[MXCSR],
});
