import { expect, test } from 'vitest';
import { writeElf } from './elf.ts';

const image = {
  segments: [
    { address: 0x400000, bytes: Uint8Array.of(1, 2, 3), size: 0x1000 },
    { address: 0x401000, bytes: new Uint8Array(0), size: 0x2000 },
  ],
  entry: 0x400001,
  virtBase: 0x400000,
  hypercallPage: 0x402000,
};

test('header, program headers and contents stand where ELF wants them', () => {
  const file = writeElf(image);
  const view = new DataView(file.buffer);
  expect([...file.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  expect(view.getUint16(16, true)).toBe(2);
  expect(view.getUint16(18, true)).toBe(62);
  expect(view.getBigUint64(24, true)).toBe(0x400001n);
  expect(view.getUint16(56, true)).toBe(3);
  const second = 64 + 56;
  expect(view.getUint32(second, true)).toBe(1);
  const offset = Number(view.getBigUint64(second + 8, true));
  expect([...file.subarray(offset, offset + 3)]).toEqual([1, 2, 3]);
  expect(view.getBigUint64(second + 16, true)).toBe(0x400000n);
  expect(view.getBigUint64(second + 32, true)).toBe(3n);
  expect(view.getBigUint64(second + 40, true)).toBe(0x1000n);
});

test('the notes say what Xen asks for', () => {
  const file = writeElf(image);
  const view = new DataView(file.buffer);
  let at = Number(view.getBigUint64(64 + 8, true));
  const end = at + Number(view.getBigUint64(64 + 32, true));
  const notes = new Map<number, Uint8Array>();
  while (at < end) {
    const size = view.getUint32(at + 4, true);
    notes.set(view.getUint32(at + 8, true), file.subarray(at + 16, at + 16 + size));
    at += 16 + ((size + 3) & ~3);
  }
  const number = (type: number) => new DataView((notes.get(type) as Uint8Array).slice().buffer).getBigUint64(0, true);
  const text = (type: number) =>
    Buffer.from(notes.get(type) as Uint8Array)
      .toString()
      .replace(/\0$/, '');
  expect(number(1)).toBe(0x400001n);
  expect(number(2)).toBe(0x402000n);
  expect(number(3)).toBe(0x400000n);
  expect(text(5)).toBe('xen-3.0');
  expect(text(8)).toBe('generic');
  expect(text(9)).toBe('yes');
});
