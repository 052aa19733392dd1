import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBigInt } from '../../../word/word.ts';
import { ARITHMETIC, CF, OF, SF, ZF } from '../flags.ts';
import { sample, tryOne } from '../sample.ts';

const any64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.nat(63).map((n) => 1n << BigInt(n)),
  fc.constant(0n),
  fc.constant((1n << 64n) - 1n),
);
const BITS = fc.constantFrom(32, 64);
const low = (n: bigint, bits: number): bigint => BigInt.asUintN(bits, n);

/** VEX with register vvvv, operands of 32 or 64 bits, modrm c1: reg = eax, rm = ecx. */
const vex = (map: number, pp: number, opcode: number, vvvv: number, bits: number, modrm = 0xc1): number[] => [
  0xc4,
  0xe0 | map,
  (bits === 64 ? 0x80 : 0) | ((~vvvv & 15) << 3) | pp,
  opcode,
  modrm,
];
const run = (code: number[], regs: Record<number, bigint>, flags = 0) => {
  const { cpu } = tryOne(sample(code, { regs, flags }));
  return { regs: cpu.regs.map(toBigInt), flags: cpu.flags & ARITHMETIC };
};
const RBX = 3;
const sz = (r: bigint, bits: number): number => (r === 0n ? ZF : 0) | (r >> BigInt(bits - 1) ? SF : 0);

describe('BMI', () => {
  it('ANDN, BLSI, BLSR, BLSMSK', () => {
    fc.assert(
      fc.property(BITS, any64, any64, (bits, a, b) => {
        const [x, y] = [low(a, bits), low(b, bits)];
        const andn = low(~y & x, bits);
        expect(run(vex(2, 0, 0xf2, RBX, bits), { 1: a, 3: b })).toMatchObject({ flags: sz(andn, bits) });
        expect(run(vex(2, 0, 0xf2, RBX, bits), { 1: a, 3: b }).regs[0]).toBe(andn);
        const lowest = (ext: number) => run(vex(2, 0, 0xf3, RBX, bits, 0xc1 | (ext << 3)), { 1: a, 3: b });
        expect([lowest(3).regs[3], lowest(3).flags]).toEqual([low(-x & x, bits), sz(low(-x & x, bits), bits) | (x === 0n ? 0 : CF)]);
        const blsr = low((x - 1n) & x, bits);
        expect([lowest(1).regs[3], lowest(1).flags]).toEqual([blsr, sz(blsr, bits) | (x === 0n ? CF : 0)]);
        const blsmsk = low((x - 1n) ^ x, bits);
        expect([lowest(2).regs[3], lowest(2).flags]).toEqual([blsmsk, sz(blsmsk, bits) | (x === 0n ? CF : 0)]);
      }),
    );
  });

  it('BEXTR and BZHI', () => {
    fc.assert(
      fc.property(BITS, any64, fc.nat(0xffff), (bits, a, control) => {
        const x = low(a, bits);
        const bextr = low((x >> BigInt(control & 0xff)) & ((1n << BigInt(control >> 8)) - 1n), bits);
        expect(run(vex(2, 0, 0xf7, RBX, bits), { 1: a, 3: BigInt(control) })).toMatchObject({ flags: bextr === 0n ? ZF : 0 });
        expect(run(vex(2, 0, 0xf7, RBX, bits), { 1: a, 3: BigInt(control) }).regs[0]).toBe(bextr);
        const from = control & 0xff;
        const bzhi = from >= bits ? x : x & ((1n << BigInt(from)) - 1n);
        const done = run(vex(2, 0, 0xf5, RBX, bits), { 1: a, 3: BigInt(control) });
        expect([done.regs[0], done.flags]).toEqual([bzhi, sz(bzhi, bits) | (from >= bits ? CF : 0)]);
      }),
    );
  });

  it('PEXT undoes PDEP', () => {
    fc.assert(
      fc.property(any64, any64, (a, mask) => {
        const spread = run(vex(2, 3, 0xf5, RBX, 64), { 1: mask, 3: a }).regs[0];
        const back = run(vex(2, 2, 0xf5, RBX, 64), { 1: mask, 3: spread }).regs[0];
        const ones = mask.toString(2).replaceAll('0', '').length;
        expect(spread & ~mask).toBe(0n);
        expect(back).toBe(low(a, ones));
      }),
    );
  });

  it('MULX, shifts and RORX leave flags alone', () => {
    fc.assert(
      fc.property(BITS, any64, any64, fc.nat(255), (bits, a, b, n) => {
        const [x, y] = [low(a, bits), low(b, bits)];
        const mulx = run(vex(2, 3, 0xf6, RBX, bits), { 1: a, 2: b }, ARITHMETIC);
        expect([mulx.regs[0], mulx.regs[3], mulx.flags]).toEqual([(x * y) >> BigInt(bits), low(x * y, bits), ARITHMETIC]);
        const count = BigInt(n & (bits - 1));
        const shift = (pp: number) => run(vex(2, pp, 0xf7, RBX, bits), { 1: a, 3: BigInt(n) }).regs[0];
        expect([shift(1), shift(3), shift(2)]).toEqual([low(x << count, bits), x >> count, low(BigInt.asIntN(bits, x) >> count, bits)]);
        const rorx = run([...vex(3, 3, 0xf0, 0, bits), n], { 1: a }).regs[0];
        expect(rorx).toBe(low((x >> count) | (x << (BigInt(bits) - count)), bits));
      }),
    );
  });

  it('ADCX and ADOX carry in a flag of their own', () => {
    fc.assert(
      fc.property(BITS, any64, any64, fc.boolean(), (bits, a, b, carry) => {
        for (const [prefix, flag] of [
          [0x66, CF],
          [0xf3, OF],
        ] as const) {
          const code = [prefix, ...(bits === 64 ? [0x48] : []), 0x0f, 0x38, 0xf6, 0xc1];
          const done = run(code, { 0: a, 1: b }, (ARITHMETIC & ~flag) | (carry ? flag : 0));
          const sum = low(a, bits) + low(b, bits) + (carry ? 1n : 0n);
          expect([done.regs[0], done.flags]).toEqual([low(sum, bits), (ARITHMETIC & ~flag) | (sum >> BigInt(bits) ? flag : 0)]);
        }
      }),
    );
  });

  it('CRC32 of nine digits is the checksum that its authors give', () => {
    const digits = [...'123456789'].map((c) => BigInt(c.charCodeAt(0)));
    const sum = digits.reduce((now, digit) => run([0xf2, 0x0f, 0x38, 0xf0, 0xc1], { 0: now, 1: digit }).regs[0], 0xffffffffn);
    expect(sum ^ 0xffffffffn).toBe(0xe3069283n);
    const eight = run([0xf2, 0x48, 0x0f, 0x38, 0xf1, 0xc1], { 0: 0xffffffffn, 1: 0x3837363534333231n }).regs[0];
    expect(run([0xf2, 0x0f, 0x38, 0xf0, 0xc1], { 0: eight, 1: 0x39n }).regs[0] ^ 0xffffffffn).toBe(0xe3069283n);
  });
});
