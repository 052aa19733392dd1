/** SSE instructions on a whole processor: lanes by properties, exceptions by examples. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CODE, DATA, type Fixture, fixture } from '../fixture.ts';
import { CR4, MXCSR, XMM } from '../layout.ts';

const f: Fixture = fixture();
const { cpu } = f;

/** Run one instruction on xmm0 and xmm1. */
const run = (...bytes: number[]) => {
  f.poke(CODE, [...bytes, 0x90]);
  cpu.rip = CODE;
  return cpu.run(1);
};
const put = (register: number, words: readonly number[]): void => {
  for (let n = 0; n < 4; n++) cpu.s[XMM + 4 * register + n] = words[n];
};
const get = (register: number): number[] => [...cpu.s.subarray(XMM + 4 * register, XMM + 4 * register + 4)];
const vector = fc.array(fc.oneof(fc.integer(), fc.constantFrom(0, -1, 0x7fff8000, 0x80007fff, 0x01ff00fe)), { minLength: 4, maxLength: 4 });

const bytesOf = (words: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(words).buffer);
const wordsOf = (bytes: ArrayLike<number>): number[] => [...new Int32Array(Uint8Array.from(bytes).buffer)];

test('bytes: sums wrap or saturate, comparisons fill, shuffles pick', () => {
  fc.assert(
    fc.property(vector, vector, (x, y) => {
      const [a, b] = [bytesOf(x), bytesOf(y)];
      const each = (g: (p: number, q: number) => number): number[] => wordsOf(Array.from(a, (p, n) => g(p, b[n])));
      const after = (opcode: number): number[] => {
        put(0, x);
        put(1, y);
        run(0x66, 0x0f, opcode, 0xc1);
        return get(0);
      };
      expect(after(0xfc)).toEqual(each((p, q) => (p + q) & 255));
      expect(after(0xdc)).toEqual(each((p, q) => Math.min(p + q, 255)));
      expect(after(0xd8)).toEqual(each((p, q) => Math.max(p - q, 0)));
      expect(after(0x74)).toEqual(each((p, q) => (p === q ? 255 : 0)));
      put(0, x);
      put(1, y);
      run(0x66, 0x0f, 0x38, 0x00, 0xc1);
      expect(get(0)).toEqual(wordsOf(Array.from(b, (q) => (q > 127 ? 0 : a[q & 15]))));
    }),
  );
});

test('a memory operand gives what a register gives; a misaligned one is #GP(0)', () => {
  fc.assert(
    fc.property(vector, vector, fc.constantFrom(0xfe, 0xd4, 0x60, 0x6b, 0xf5, 0xf6, 0xef), (x, y, opcode) => {
      put(0, x);
      put(1, y);
      run(0x66, 0x0f, opcode, 0xc1);
      const inRegister = get(0);
      f.poke(DATA, bytesOf(y));
      cpu.setGpr(3, DATA);
      put(0, x);
      run(0x66, 0x0f, opcode, 0x03);
      expect(get(0)).toEqual(inRegister);
    }),
  );
  cpu.setGpr(3, DATA + 8n);
  expect(run(0x66, 0x0f, 0xfe, 0x03)).toMatchObject({ kind: 'fault', vector: 13, error: 0 });
  cpu.s[MXCSR] |= 1 << 17;
  expect(run(0x66, 0x0f, 0xfe, 0x03).kind).toBe('limit');
  cpu.s[MXCSR] = 0x1f80;
});

const doubles = (low: number, high: number): number[] => [...new Int32Array(Float64Array.of(low, high).buffer)];

test('the fast path and software agree on packed doubles', () => {
  const number = fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: -9, max: 9 }));
  fc.assert(
    fc.property(number, number, number, number, fc.constantFrom(0x58, 0x59, 0x5c, 0x5e, 0x5d, 0x5f, 0x51), (a, b, c, d, opcode) => {
      const under = (mxcsr: number): unknown => {
        put(0, doubles(a, b));
        put(1, doubles(c, d));
        cpu.s[MXCSR] = mxcsr;
        run(0x66, 0x0f, opcode, 0xc1);
        return [get(0), cpu.s[MXCSR] & 0x3f];
      };
      // FTZ changes nothing for the fast path, and PM clear forbids it.
      const [fast, flags] = under(0x1f80) as [number[], number];
      cpu.s[CR4] |= 1 << 10;
      const [slow, slowFlags] = under(0x0f80) as [number[], number];
      expect(slowFlags).toBe(flags);
      if ((flags & 0x20) === 0) expect(slow).toEqual(fast);
      else expect(slow).toEqual(doubles(a, b));
    }),
  );
});

test('an unmasked exception is #XM and writes nothing; without OSXMMEXCPT #UD', () => {
  put(0, doubles(1, 1));
  put(1, doubles(0, 3));
  cpu.s[MXCSR] = 0x1f80 & ~0x200;
  expect(run(0x66, 0x0f, 0x5e, 0xc1)).toMatchObject({ kind: 'fault', vector: 19 });
  expect(get(0)).toEqual(doubles(1, 1));
  // The division by three would have been inexact, but was never done.
  expect(cpu.s[MXCSR] & 0x3f).toBe(4);
  cpu.s[CR4] &= ~(1 << 10);
  expect(run(0x66, 0x0f, 0x5e, 0xc1)).toMatchObject({ kind: 'fault', vector: 6 });
  cpu.s[CR4] |= 1 << 10;
  cpu.s[MXCSR] = 0x1f80;
});

test('string comparisons: where a word begins in a text', () => {
  const text = (characters: string): number[] => wordsOf(Array.from({ length: 16 }, (_, n) => characters.charCodeAt(n) || 0));
  put(0, text('lo'));
  put(1, text('hello world'));
  run(0x66, 0x0f, 0x3a, 0x63, 0xc1, 0x0c);
  expect(cpu.gpr(1)).toBe(3n);
  put(0, text('az'));
  run(0x66, 0x0f, 0x3a, 0x62, 0xc1, 0x04);
  expect(cpu.s[XMM]).toBe(0b11111011111);
});

test('reserved bits of MXCSR are #GP(0)', () => {
  cpu.setGpr(3, DATA);
  f.poke(DATA, [0x80, 0x1f, 4, 0]);
  expect(run(0x0f, 0xae, 0x13)).toMatchObject({ kind: 'fault', vector: 13 });
  f.poke(DATA, [0x80, 0x1f, 2, 0]);
  expect(run(0x0f, 0xae, 0x13).kind).toBe('limit');
  cpu.s[MXCSR] = 0x1f80;
});
