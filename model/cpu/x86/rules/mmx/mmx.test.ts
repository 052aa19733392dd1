import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt, toHex } from '../../../../word/word.ts';
import { extendedOf, FRESH_FPU } from '../../fpu/state.ts';
import { PLACE, sample, tryOne } from '../../sample.ts';

/** MM0 after one instruction `mm0, mm1`. */
const step = (code: readonly number[], first: bigint, second: bigint): string => {
  const { cpu, memory } = sample([...code]);
  const registers = [first, second].map((value) => ({ top: 0xffff, significand: fromBigInt(value) }));
  const fpu = { ...FRESH_FPU, tag: 0xff, registers: [...registers, ...FRESH_FPU.registers.slice(2)] };
  return toHex(tryOne({ cpu: { ...cpu, fpu }, memory }).cpu.fpu.registers[0].significand);
};
const mmx = (opcode: number) => (a: bigint, b: bigint) => step([0x0f, opcode, 0xc1], a, b);

const A = 0x8001_7fff_0102_ff80n;
const B = 0x0001_0001_fefd_8001n;

describe('elements', () => {
  it('do not carry into each other', () => expect(mmx(0xfd)(A, B)).toBe('0x80028000ffff7f81')); // paddw
  it('saturate', () => {
    expect(mmx(0xed)(A, B)).toBe('0x80027fffffff8000'); // paddsw
    expect(mmx(0xdd)(A, B)).toBe('0x80028000ffffffff'); // paddusw
  });
  it('are packed with saturation, the first operand below', () => expect(mmx(0x63)(A, B)).toBe('0x1018080807f7f80')); // packsswb
  it('interleave', () => {
    expect(mmx(0x60)(0x44332211n, 0x88776655n)).toBe('0x8844773366225511'); // punpcklbw
    expect(mmx(0x6a)(0x1n << 32n, 0x2n << 32n)).toBe('0x200000001'); // punpckhdq
  });
  it('multiply and add', () => {
    expect(mmx(0xf5)(0x8000_8000_0002_0003n, 0x8000_8000_0004_0005n)).toBe('0x8000000000000017'); // pmaddwd
    expect(step([0x0f, 0x38, 0x0b, 0xc1], 0x4000n, 0x4000n)).toBe('0x2000'); // pmulhrsw
    expect(mmx(0xf6)(0x00ffn, 0xff00n)).toBe('0x1fe'); // psadbw
  });
  it('shuffle', () => {
    expect(step([0x0f, 0x70, 0xc1, 0x1b], 0n, 0x4444_3333_2222_1111n)).toBe('0x1111222233334444'); // pshufw
    expect(step([0x0f, 0x38, 0x00, 0xc1], 0x8877_6655_4433_2211n, 0x80_00_07_01_02_03_04_05n)).toBe('0x11882233445566'); // pshufb
    expect(step([0x0f, 0x3a, 0x0f, 0xc1, 3], 0xaan, 0x8877_6655_4433_2211n)).toBe('0xaa8877665544'); // palignr
  });
});

describe('MMX and x87 share registers', () => {
  it('MM3 is the significand of physical register 3, wherever the top is', () => {
    const { cpu, memory } = sample([0x0f, 0x7f, 0x1b], { regs: { 3: BigInt(PLACE.data) } }); // movq [rbx],mm3
    const registers = FRESH_FPU.registers.with(3, extendedOf(0x3fff_8000_0000_0000_0001n));
    const outcome = tryOne({ cpu: { ...cpu, fpu: { ...FRESH_FPU, registers, status: 6 << 11, tag: 0x40 } }, memory });
    expect(outcome.cpu.fpu).toMatchObject({ status: 0, tag: 0xff });
    expect(toBigInt(outcome.cpu.fpu.registers[3].significand)).toBe(0x8000_0000_0000_0001n);
  });

  it('an x87 exception that waits comes before an MMX instruction', () => {
    const { cpu, memory } = sample([0x0f, 0x6f, 0xc1]);
    const fpu = { ...FRESH_FPU, control: 0x340, status: 0x8081 };
    expect(tryOne({ cpu: { ...cpu, fpu }, memory })).toMatchObject({ kind: 'fault', fault: { vector: 16 } });
  });
});
