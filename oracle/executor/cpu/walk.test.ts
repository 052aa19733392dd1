/** The page walk: error codes, accessed and dirty bits, large pages, reserved bits, Xen's own ranges. */
import { describe, expect, test } from 'vitest';
import { DATA, fixture, NX, P, RW, US } from './fixture.ts';
import { FETCH, READ, WRITE, XEN_WRITE } from './walk.ts';

const ACCESSED = 0x20n;
const DIRTY = 0x40n;
const LARGE = 0x80n;

/** A fixture whose page at DATA has these entry bits. */
const page = (flags: bigint) => {
  const f = fixture();
  const mfn = f.frame();
  f.map(DATA, mfn, flags);
  return { ...f, mfn, leaf: f.entry(DATA) };
};

describe('error codes', () => {
  const error = (flags: bigint, access = READ) => {
    const { cpu } = page(flags);
    const found = cpu.translate(cpu.root, DATA, access);
    return found.ok ? null : found.error;
  };
  test('not present', () => {
    expect([error(0n), error(0n, WRITE), error(0n, FETCH), error(0n, XEN_WRITE)]).toEqual([4, 6, 0x14, 2]);
  });
  test('protection', () => {
    expect(error(P | US, WRITE)).toBe(7);
    expect(error(P | US, XEN_WRITE)).toBe(3);
    expect(error(P | RW, READ)).toBe(5);
    expect(error(P | RW, XEN_WRITE)).toBe(null);
    expect(error(P | RW | US | NX, FETCH)).toBe(0x15);
    expect(error(P | RW | US | NX, READ)).toBe(null);
  });
  test('a reserved bit beyond the width of physical addresses', () => {
    expect([error(P | RW | US | (1n << 40n)), error(P | RW | US | (1n << 51n), WRITE)]).toEqual([0xd, 0xf]);
    expect(error(P | RW | US | (1n << 52n))).toBe(null);
  });
  test('a large page in the top level, and address bits below the size of a large page', () => {
    const f = fixture();
    const [root, l2] = [f.cpu.root * 4096, (f.entry(DATA) >> 12) * 4096];
    const entryOfTop = f.memory.read64(root);
    f.memory.write64(root, entryOfTop | LARGE);
    expect(f.cpu.translate(f.cpu.root, DATA, READ)).toEqual({ ok: false, error: 0xd });
    f.memory.write64(root, entryOfTop);
    expect(f.cpu.translate(f.cpu.root, DATA, READ).ok).toBe(true);
    expect(l2).toBeGreaterThan(0);
  });
});

test('accessed bits come at every level, dirty at the leaf by a write only', () => {
  const { cpu, memory, leaf, mfn } = page(P | RW | US);
  expect(cpu.translate(cpu.root, DATA + 5n, READ)).toEqual({ ok: true, maddr: mfn * 4096 + 5, dirty: false });
  expect(memory.read64(leaf) & (ACCESSED | DIRTY)).toBe(ACCESSED);
  expect(memory.read64(cpu.root * 4096) & (ACCESSED | DIRTY)).toBe(ACCESSED);
  cpu.translate(cpu.root, DATA, WRITE);
  expect(memory.read64(leaf) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
  expect(memory.read64(cpu.root * 4096) & DIRTY).toBe(0n);
});

test('a failing walk sets nothing', () => {
  const { cpu, memory, leaf } = page(P | US);
  cpu.translate(cpu.root, DATA, WRITE);
  expect(memory.read64(leaf)).toBe(memory.read64(leaf) & ~(ACCESSED | DIRTY));
});

test('a 2 MiB page', () => {
  const f = fixture();
  const base = 0x40000000n;
  const l3 = Number(f.memory.read64(f.cpu.root * 4096) >> 12n);
  const l2 = f.frame();
  f.memory.write64(l3 * 4096 + 8, (BigInt(l2) << 12n) | P | RW | US);
  f.memory.write64(l2 * 4096, 0x200000n | P | RW | US | LARGE);
  expect(f.cpu.translate(f.cpu.root, base + 0x12345n, WRITE)).toEqual({ ok: true, maddr: 0x212345, dirty: false });
  expect(f.memory.read64(l2 * 4096) & DIRTY).toBe(DIRTY);
  f.memory.write64(l2 * 4096, 0x202000n | P | RW | US | LARGE);
  expect(f.cpu.translate(f.cpu.root, base, READ)).toEqual({ ok: false, error: 0xd });
});

test("what is mapped for Xen alone faults as a protection violation; Xen's other addresses as not present", () => {
  const { cpu } = fixture();
  const error = (address: bigint) => cpu.translate(cpu.root, address, READ);
  expect(error(0xffff830000000000n)).toEqual({ ok: false, error: 5 });
  expect(error(0xffff82d040200000n)).toEqual({ ok: false, error: 5 });
  expect(error(0xffff83f000000000n)).toEqual({ ok: false, error: 4 });
  expect(error(0x0000800000000000n)).toEqual({ ok: false, error: 0 });
});
