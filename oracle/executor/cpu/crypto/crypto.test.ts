/** Whole ciphers and digests from the instructions, against Node's. */
import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODE, fixture } from '../fixture.ts';
import { XMM } from '../layout.ts';

const f = fixture();
const { cpu } = f;
const run = (...bytes: number[]): void => {
  f.poke(CODE, [...bytes, 0x90]);
  cpu.rip = CODE;
  cpu.run(1);
};
const put = (register: number, bytes: Uint8Array): void => cpu.s8.set(bytes, 4 * (XMM + 4 * register));
const get = (register: number): Uint8Array => cpu.s8.slice(4 * (XMM + 4 * register), 4 * (XMM + 4 * register) + 16);
const words = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const asWords = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer);

const ROUND_CONSTANTS = [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36];

/** The eleven round keys of AES-128. */
const schedule = (key: Uint8Array): Uint8Array[] => {
  const keys = [key];
  for (const constant of ROUND_CONSTANTS) {
    const last = keys[keys.length - 1];
    put(1, last);
    run(0x66, 0x0f, 0x3a, 0xdf, 0xd1, constant);
    const rotated = asWords(get(2))[3];
    const next = asWords(last);
    next[0] ^= rotated;
    for (let n = 1; n < 4; n++) next[n] ^= next[n - 1];
    keys.push(new Uint8Array(next.buffer));
  }
  return keys;
};
const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, n) => byte ^ b[n]);

const block = fc.uint8Array({ minLength: 16, maxLength: 16 });

test('AES-128 there and back', () => {
  fc.assert(
    fc.property(block, block, (key, plain) => {
      const keys = schedule(key);
      put(0, xor(plain, keys[0]));
      for (let n = 1; n <= 10; n++) {
        put(1, keys[n]);
        run(0x66, 0x0f, 0x38, n < 10 ? 0xdc : 0xdd, 0xc1);
      }
      const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
      expect(get(0)).toEqual(new Uint8Array(cipher.update(plain)));
      put(0, xor(get(0), keys[10]));
      for (let n = 9; n >= 0; n--) {
        put(1, keys[n]);
        if (n > 0) run(0x66, 0x0f, 0x38, 0xdb, 0xc9);
        run(0x66, 0x0f, 0x38, n > 0 ? 0xde : 0xdf, 0xc1);
      }
      expect(get(0)).toEqual(plain);
    }),
    { numRuns: 20 },
  );
});

/** First 32 bits of the fractional part of the n-th prime's root, as FIPS 180-4 makes its constants. */
const PRIMES = Array.from({ length: 320 }, (_, n) => n).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, k) => k).some((k) => k > 1 && n % k === 0),
);
const fraction = (x: number): number => Math.floor((x % 1) * 2 ** 32) | 0;

test('SHA-256 of one block', () => {
  const message = new TextEncoder().encode('abc');
  const padded = new Uint8Array(64);
  padded.set(message);
  padded[message.length] = 0x80;
  padded[63] = 8 * message.length;
  const view = new DataView(padded.buffer);
  const w = Array.from({ length: 16 }, (_, n) => view.getInt32(4 * n));
  for (let n = 16; n < 64; n += 4) {
    put(0, words(...w.slice(n - 16, n - 12)));
    put(1, words(...w.slice(n - 12, n - 8)));
    run(0x0f, 0x38, 0xcc, 0xc1);
    const sum = asWords(get(0)).map((word, k) => word + w[n - 7 + k]);
    put(0, new Uint8Array(sum.buffer));
    put(1, words(...w.slice(n - 4, n)));
    run(0x0f, 0x38, 0xcd, 0xc1);
    w.push(...asWords(get(0)));
  }
  const [a, b, c, d, e, g, h, i] = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
  let [abef, cdgh] = [words(g, e, b, a), words(i, h, d, c)];
  for (let n = 0; n < 64; n += 2) {
    put(0, words(w[n] + fraction(Math.cbrt(PRIMES[n])), w[n + 1] + fraction(Math.cbrt(PRIMES[n + 1])), 0, 0));
    put(1, cdgh);
    put(2, abef);
    run(0x0f, 0x38, 0xcb, 0xca);
    [abef, cdgh] = [get(1), abef];
  }
  const [x, y] = [asWords(abef), asWords(cdgh)];
  const digest = [a + x[3], b + x[2], c + y[3], d + y[2], e + x[1], g + x[0], h + y[1], i + y[0]];
  const hex = digest.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  expect(hex).toBe(createHash('sha256').update(message).digest('hex'));
});

test('a carry-less product has no carries', () => {
  const factor = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  fc.assert(
    fc.property(factor, factor, factor, (a, b, c) => {
      const product = (x: bigint, y: bigint): bigint => {
        cpu.u64[XMM >> 1] = x;
        cpu.u64[(XMM + 4) >> 1] = y;
        run(0x66, 0x0f, 0x3a, 0x44, 0xc1, 0);
        return (cpu.u64[(XMM >> 1) + 1] << 64n) | cpu.u64[XMM >> 1];
      };
      expect(product(a, b ^ c)).toBe(product(a, b) ^ product(a, c));
      expect(product(a, b)).toBe(product(b, a));
      expect(product(a, 2n)).toBe(a << 1n);
    }),
    { numRuns: 50 },
  );
});

test('GFNI: a product in the field, and the map that takes nothing but the sign bit', () => {
  put(1, new Uint8Array(16).fill(0x57));
  put(2, new Uint8Array(16).fill(0x83));
  run(0x66, 0x0f, 0x38, 0xcf, 0xca);
  expect(get(1)).toEqual(new Uint8Array(16).fill(0xc1));
  // All rows look at bit 7: the byte becomes 0 or ff, and the immediate turns bit 0.
  put(
    1,
    Uint8Array.from({ length: 16 }, (_, n) => n * 17),
  );
  put(2, new Uint8Array(16).fill(0x80));
  run(0x66, 0x0f, 0x3a, 0xce, 0xca, 1);
  expect(get(1)).toEqual(Uint8Array.from({ length: 16 }, (_, n) => (n < 8 ? 0x01 : 0xfe)));
});

test('GFNI: a byte times its inverse is one', () => {
  fc.assert(
    fc.property(block, (bytes) => {
      put(1, bytes);
      put(2, new Uint8Array(new BigUint64Array([0x0102040810204080n, 0x0102040810204080n]).buffer));
      run(0x66, 0x0f, 0x3a, 0xcf, 0xca, 0);
      put(2, bytes);
      run(0x66, 0x0f, 0x38, 0xcf, 0xca);
      expect(get(1)).toEqual(bytes.map((byte) => (byte === 0 ? 0 : 1)));
    }),
  );
});
