import { expect, it } from 'vitest';
import { stBits } from '../../fpu/stack.ts';
import { extendedOf } from '../../fpu/state.ts';
import { sample, tryOne } from '../../sample.ts';
import { X87_VECTORS } from './silicon_vectors.ts';

/** Second bytes of instructions on ST(0) and ST(1). */
const CODE: Readonly<Record<string, readonly number[]>> = {
  fadd: [0xd8, 0xc1],
  fsub: [0xd8, 0xe1],
  fmul: [0xd8, 0xc9],
  fdiv: [0xd8, 0xf1],
  fsqrt: [0xd9, 0xfa],
  fscale: [0xd9, 0xfd],
  fprem: [0xd9, 0xf8],
  fprem1: [0xd9, 0xf5],
  frndint: [0xd9, 0xfc],
  fxtract: [0xd9, 0xf4],
  fyl2x: [0xd9, 0xf1],
  f2xm1: [0xd9, 0xf0],
  fpatan: [0xd9, 0xf3],
  fsin: [0xd9, 0xfe],
};
const TRANSCENDENTAL = ['fyl2x', 'f2xm1', 'fpatan', 'fsin'];
const C1 = 0x200;

for (const line of X87_VECTORS) {
  it(line, () => {
    const [mnemonic, control, st0, st1, status, top, next] = line.split(' ');
    const { cpu, memory } = sample(CODE[mnemonic]);
    const [a, b] = [st0, st1].map((digits) => extendedOf(BigInt(`0x${digits}`)));
    const fpu = { ...cpu.fpu, control: Number.parseInt(control, 16), tag: 3, registers: [a, b, ...cpu.fpu.registers.slice(2)] };
    const after = tryOne({ cpu: { ...cpu, fpu }, memory }).cpu.fpu;
    const free = TRANSCENDENTAL.includes(mnemonic) ? C1 : 0;
    expect((after.status & ~free).toString(16)).toBe((Number.parseInt(status, 16) & ~free).toString(16));
    expect(stBits(after, 0).toString(16).padStart(20, '0')).toBe(top);
    expect(stBits(after, 1).toString(16).padStart(20, '0')).toBe(next);
  });
}
