/** Floating-point elements: between the register file and software, and how an instruction that may raise #XM ends. */
import { CR4 as CR4_BITS } from '#spec/isa/x86/control_registers.ts';
import type { Binary } from '../../fp/arithmetic.ts';
import { BINARY32, BINARY64, fromBits32, fromBits64, toBits32, toBits64 } from '../../fp/format.ts';
import { type Fp, zero } from '../../fp/number.ts';
import type { Cpu } from '../cpu.ts';
import { UD, XM } from '../exit.ts';
import { CR4, MXCSR } from '../layout.ts';

/** Rounding to nearest with PE masked: the fast functions know what the result is, and that nothing but PE can happen. */
export const NEAREST_QUIET = 0x7000;
export const QUIET = 0x1000;
/** PE of MXCSR. */
export const PE = 0x20;

/** Begin an instruction in software. */
export const begin = (c: Cpu): void => c.fp.useMxcsr(c.s[MXCSR]);

/** Note what was raised; #XM (or, when the kernel does not know it, #UD) when something of it is not masked. */
export const conclude = (c: Cpu): void => {
  const { fp } = c;
  fp.prevented();
  c.s[MXCSR] |= fp.flags;
  if (fp.unmasked) c.fault((c.s[CR4] & CR4_BITS.OSXMMEXCPT) !== 0 ? XM : UD, null);
};

const daz = (c: Cpu, x: Fp): Fp => (x.denormal && c.fp.denormalsAreZero ? zero(x.sign) : x);

/** The number at an int32 place. */
export const read32 = (c: Cpu, at: number): Fp => daz(c, fromBits32(c.s[at]));
export const read64 = (c: Cpu, at: number): Fp => daz(c, fromBits64(c.s[at], c.s[at + 1]));

/** Results wait here until the instruction is known to have them all. */
export const LANES = new Int32Array(4);
const LANES64 = new BigUint64Array(LANES.buffer);

/** An operation on the element at place `a` and the one at `b`, its result into lane `n`. */
export type Element = { readonly dwords: 1 | 2; readonly compute: (c: Cpu, a: number, b: number, n: number) => void };

export const element32 = (operation: Binary): Element => ({
  dwords: 1,
  compute: (c, a, b, n) => {
    LANES[n] = toBits32(operation(c.fp, BINARY32, read32(c, a), read32(c, b)));
  },
});
export const element64 = (operation: Binary): Element => ({
  dwords: 2,
  compute: (c, a, b, n) => {
    LANES64[n] = toBits64(operation(c.fp, BINARY64, read64(c, a), read64(c, b)));
  },
});

/** Put a result of another kind into lane `n`. */
export const setLane64 = (n: number, bits: bigint): void => {
  LANES64[n] = bits;
};

/** The first `dwords` dwords of the lanes into a register. */
export const deliver = (c: Cpu, a: number, dwords: number): void => {
  for (let n = 0; n < dwords; n++) c.s[a + n] = LANES[n];
};
