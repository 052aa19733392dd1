import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBigInt, toBigInt } from '../../../../word/word.ts';
import { FRESH_FPU, type Xmm } from '../../fpu/state.ts';
import { sample, tryOne } from '../../sample.ts';
import { xmmBytes, xmmDwords, xmmFromDwords, xmmOf } from '../mmx/bytes.ts';
import { carrylessProduct, INVERSE_S_BOX, S_BOX } from './galois.ts';

const ZERO = xmmOf(new Array<number>(16).fill(0));
/** XMM1 after one instruction `xmm1, xmm2`, XMM0 being the implied third operand. */
const step = (code: readonly number[], first: Xmm, second: Xmm, implied: Xmm = ZERO): Xmm => {
  const { cpu, memory } = sample([...code]);
  const fpu = { ...FRESH_FPU, xmm: [implied, first, second, ...FRESH_FPU.xmm.slice(3)] };
  return tryOne({ cpu: { ...cpu, fpu }, memory }).cpu.fpu.xmm[1];
};
const XMM1_XMM2 = 0xca;
const aes = (opcode: number) => (a: Xmm, b: Xmm) => step([0x66, 0x0f, 0x38, opcode, XMM1_XMM2], a, b);
const [imc, enc, encLast, dec, decLast] = [0xdb, 0xdc, 0xdd, 0xde, 0xdf].map(aes);
const keyAssist = (key: Xmm, round: number) => step([0x66, 0x0f, 0x3a, 0xdf, XMM1_XMM2, round], ZERO, key);

const bytes = (text: string): Xmm => xmmOf([...Buffer.from(text, 'hex')]);
const text = (value: Xmm): string => Buffer.from(xmmBytes(value)).toString('hex');
const xor = (a: Xmm, b: Xmm): Xmm => xmmFromDwords(xmmDwords(a).map((n, k) => n ^ xmmDwords(b)[k]));

describe('AES', () => {
  /** The key schedule of AES-128 as programs write it. */
  const schedule = (key: Xmm): Xmm[] => {
    const keys = [key];
    for (const constant of [1, 2, 4, 8, 16, 32, 64, 128, 27, 54]) {
      const [a, b, c, d] = xmmDwords(keys[keys.length - 1]);
      const t = xmmDwords(keyAssist(keys[keys.length - 1], constant))[3];
      keys.push(xmmFromDwords([a ^ t, a ^ b ^ t, a ^ b ^ c ^ t, a ^ b ^ c ^ d ^ t]));
    }
    return keys;
  };
  const keys = schedule(bytes('000102030405060708090a0b0c0d0e0f'));
  const plain = '00112233445566778899aabbccddeeff';
  const secret = '69c4e0d86a7b0430d8cdb78070b4c55a';

  it('encrypts the example of FIPS 197', () => {
    const middle = keys.slice(1, 10).reduce((state, key) => enc(state, key), xor(bytes(plain), keys[0]));
    expect(text(encLast(middle, keys[10]))).toBe(secret);
  });

  it('decrypts it', () => {
    const middle = keys
      .slice(1, 10)
      .reverse()
      .reduce((state, key) => dec(state, imc(ZERO, key)), xor(bytes(secret), keys[10]));
    expect(text(decLast(middle, keys[0]))).toBe(plain);
  });

  it('substitutes by tables that undo each other', () => {
    expect([0, 1, 0x53].map((n) => S_BOX[n])).toEqual([0x63, 0x7c, 0xed]);
    expect(S_BOX.every((byte, n) => INVERSE_S_BOX[byte] === n)).toBe(true);
  });
});

describe('SHA-256', () => {
  const CONSTANTS_OF_FIRST_ROUNDS = [0x428a2f98, 0x71374491];
  const START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

  it('does the first two rounds of "abc"', () => {
    const [a, b, c, d, e, f, g, h] = START;
    const messages = [0x61626380, 0].map((w, n) => w + CONSTANTS_OF_FIRST_ROUNDS[n]);
    const rounds = step(
      [0x0f, 0x38, 0xcb, XMM1_XMM2],
      xmmFromDwords([h, g, d, c]),
      xmmFromDwords([f, e, b, a]),
      xmmFromDwords([...messages, 0, 0]),
    );
    // FIPS 180-4's example: A and B, E and F behind round 1.
    expect(xmmDwords(rounds).map((n) => (n >>> 0).toString(16))).toEqual(['fa2a4622', '78ce7989', '5d6aebcd', '5a6ad9ad']);
  });
});

describe('PCLMULQDQ', () => {
  const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const product = (a: bigint, b: bigint): bigint => {
    const { hi, lo } = carrylessProduct(fromBigInt(a), fromBigInt(b));
    return (toBigInt(hi) << 64n) | toBigInt(lo);
  };
  it('is a product: commutative, distributive over ⊕, with 1 and x as they should be', () =>
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(product(a, b)).toBe(product(b, a));
        expect(product(a, b ^ c)).toBe(product(a, b) ^ product(a, c));
        expect(product(a, 1n)).toBe(a);
        expect(product(a, 2n)).toBe(a << 1n);
      }),
    ));
  it('takes the halves that the immediate names', () => {
    const pick = (how: number) => step([0x66, 0x0f, 0x3a, 0x44, XMM1_XMM2, how], xmmFromDwords([2, 0, 4, 0]), xmmFromDwords([8, 0, 16, 0]));
    expect([0x00, 0x01, 0x10, 0x11].map((how) => xmmDwords(pick(how))[0])).toEqual([16, 32, 32, 64]);
  });
});

describe('GFNI', () => {
  const multiply = (a: Xmm, b: Xmm) => step([0x66, 0x0f, 0x38, 0xcf, XMM1_XMM2], a, b);
  const affine = (opcode: number) => (a: Xmm, matrix: Xmm, added: number) => step([0x66, 0x0f, 0x3a, opcode, XMM1_XMM2, added], a, matrix);
  const [plain, inverse] = [0xce, 0xcf].map(affine);
  const every = (byte: string): Xmm => bytes(byte.repeat(16));
  /** The identity: the first row, which makes bit 0, is the last byte. */
  const IDENTITY = bytes('8040201008040201'.repeat(2));
  /** AES's affine map. */
  const AES_MAP = bytes('f87c3e1f8fc7e3f1'.repeat(2));

  it('multiplies as the example of FIPS 197 does', () => expect(text(multiply(every('57'), every('83')))).toBe('c1'.repeat(16)));

  it('leaves bytes to the identity and adds the immediate', () => {
    const value = bytes('000102030405060708090a0b0c0d0e0f');
    expect(text(plain(value, IDENTITY, 0))).toBe(text(value));
    expect(text(plain(value, IDENTITY, 0xff))).toBe(text(xor(value, every('ff'))));
  });

  it('makes the S-box of inverses and one map', () => {
    const value = bytes('00011053aaff7f80cafe0123456789bc');
    expect(xmmBytes(inverse(value, AES_MAP, 0x63))).toEqual(xmmBytes(value).map((byte) => S_BOX[byte]));
  });
});
