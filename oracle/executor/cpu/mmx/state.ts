/** MMX registers are the significands of the x87's. */
import type { Cpu } from '../cpu.ts';
import { X87_STATUS, X87_TAG } from '../layout.ts';

const TOP = 0x3800;

/** Every MMX instruction but EMMS: all registers are valid, and TOP is 0. */
export const enter = ({ s }: Cpu): void => {
  s[X87_STATUS] &= ~TOP;
  s[X87_TAG] = 0xff;
};

/** A write sets sign and exponent of the x87 register to ones. */
export const written = ({ s }: Cpu, at: number): void => {
  s[at + 2] = 0xffff;
};
