import { expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../../word/word.ts';
import type { Xmm } from '../../fpu/state.ts';
import { sample, tryOne } from '../../sample.ts';
import { SSE_VECTORS } from './silicon_vectors.ts';

const xmm = (digits: string): Xmm => ({
  hi: fromBigInt(BigInt(`0x${digits.slice(0, 16)}`)),
  lo: fromBigInt(BigInt(`0x${digits.slice(16)}`)),
});
const digits = ({ hi, lo }: Xmm): string => ((toBigInt(hi) << 64n) | toBigInt(lo)).toString(16).padStart(32, '0');

for (const line of SSE_VECTORS) {
  it(line, () => {
    const [, code, mxcsr, first, second, flagged, result] = line.split(' ');
    const { cpu, memory } = sample([...Buffer.from(code, 'hex')]);
    const fpu = { ...cpu.fpu, mxcsr: Number.parseInt(mxcsr, 16), xmm: [xmm(first), xmm(second), ...cpu.fpu.xmm.slice(2)] };
    const after = tryOne({ cpu: { ...cpu, fpu }, memory }).cpu.fpu;
    expect(after.mxcsr.toString(16)).toBe(flagged);
    expect(digits(after.xmm[0])).toBe(result);
  });
}
