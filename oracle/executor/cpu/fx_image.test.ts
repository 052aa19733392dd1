import { expect, test } from 'vitest';
import { fixture } from './fixture.ts';
import { MXCSR, X87, X87_CONTROL, X87_STATUS, X87_TAG, XMM } from './layout.ts';

const image = (mxcsr: number): Uint8Array => {
  const bytes = Uint8Array.from({ length: 512 }, (_, i) => i & 255);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x27f, true);
  view.setUint16(2, 0x3801, true);
  view.setUint8(4, 0x81);
  view.setUint32(24, mxcsr, true);
  return bytes;
};

test('an image gives all state; ST(0) is the register at TOP', () => {
  const { cpu } = fixture();
  cpu.loadFpu(image(0x1fa0));
  expect([X87_CONTROL, X87_STATUS, X87_TAG, MXCSR].map((at) => cpu.s[at])).toEqual([0x27f, 0x3801, 0x81, 0x1fa0]);
  expect([0, 1, 2].map((n) => cpu.s[X87 + 4 * 7 + n])).toEqual([0x23222120, 0x27262524, 0x2928]);
  expect(cpu.s[X87]).toBe(0x33323130);
  expect(cpu.s[XMM + 4]).toBe(0xb3b2b1b0 | 0);
});

test('reserved bits of MXCSR spoil the rest; no image is the initial state', () => {
  const { cpu } = fixture();
  cpu.loadFpu(image(0xffff1fa0 | 0));
  expect([X87_CONTROL, X87_STATUS, X87_TAG, MXCSR, XMM].map((at) => cpu.s[at])).toEqual([0x37f, 0, 0, 0x31fa0 & 0x2ffff, 0]);
  cpu.loadFpu(image(0x1f80));
  cpu.loadFpu(null);
  expect([X87_CONTROL, X87_STATUS, X87_TAG, MXCSR, XMM, X87].map((at) => cpu.s[at])).toEqual([0x37f, 0, 0, 0x1f80, 0, 0]);
});
