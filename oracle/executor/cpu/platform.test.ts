/** What a processor asks of the platform around it: ports, random numbers, addresses outside RAM; and where a burst ends for it. */
import { expect, test } from 'vitest';
import { FRAME_BYTES, Memory } from '../memory.ts';
import { Cpu } from './cpu.ts';
import { GP } from './exit.ts';
import { RAX, RBX, RCX, RDX, RSI } from './interface.ts';
import { CPL, CR4 } from './layout.ts';
import { type Platform, PV } from './platform.ts';
import type { Translation } from './walk.ts';

/** Addresses are machine addresses; device memory begins here. */
const DEVICE = 0x10000;
const CODE = 0x1000;

const machine = (code: readonly number[], random: bigint | null = null) => {
  const told: unknown[] = [];
  const device = Uint8Array.from({ length: 64 }, (_, i) => i);
  const platform: Platform = {
    ...PV,
    bare: true,
    outside: {
      covers: (maddr) => maddr >= DEVICE,
      read: (maddr, bytes) => bytes.set(device.subarray(maddr - DEVICE, maddr - DEVICE + bytes.length)),
      write: (maddr, bytes) => {
        told.push(['write', maddr - DEVICE, [...bytes]]);
        device.set(bytes, maddr - DEVICE);
      },
    },
    walk: (_c, lo): Translation => ({ ok: true, maddr: lo, dirty: true }),
    space: () => 1,
    checkPort: (c, port) => {
      if (port === 0x99) c.fault(GP, 0);
    },
    readPort: (_c, port, size) => {
      told.push(['in', port, size]);
      return 0x12345678;
    },
    writePort: (_c, port, size, value) => told.push(['out', port, size, value]),
    random: () => random,
  };
  const memory = new Memory(16);
  const cpu = new Cpu(memory, [{ leaf: 1, subleaf: null, eax: 0, ebx: 0, ecx: 0, edx: 0 }], platform);
  memory.writeBytes(CODE, Uint8Array.from(code));
  cpu.s[CPL] = 0;
  cpu.rip = BigInt(CODE);
  cpu.rflags = 2n;
  cpu.refresh();
  return { cpu, memory, told };
};

test('IN and OUT: sizes, permission, and the burst that ends behind them', () => {
  const { cpu, told } = machine([0xe4, 0x60, 0x66, 0xef, 0xec, 0xec]);
  cpu.setGpr(RDX, 0x3f8n);
  expect(cpu.run(10)).toEqual({ kind: 'limit', retired: 1 });
  expect(cpu.gpr(RAX)).toBe(0x78n);
  expect(cpu.run(10)).toEqual({ kind: 'limit', retired: 1 });
  cpu.setGpr(RDX, 0x99n);
  expect(cpu.run(10)).toMatchObject({ kind: 'fault', vector: 13, error: 0 });
  expect(told).toEqual([
    ['in', 0x60, 1],
    ['out', 0x3f8, 2, 0x78],
  ]);
});

test('OUTS: an iteration at a time; the port is judged before the count', () => {
  const { cpu, memory, told } = machine([0xf3, 0x6e]);
  memory.writeBytes(0x2000, Uint8Array.of(1, 2));
  cpu.setGpr(RDX, 0xe9n);
  cpu.setGpr(RSI, 0x2000n);
  cpu.setGpr(RCX, 2n);
  expect([cpu.run(10).retired, cpu.rip]).toEqual([1, 0x1000n]);
  expect([cpu.run(10).retired, cpu.rip]).toEqual([1, 0x1002n]);
  expect(told).toEqual([
    ['out', 0xe9, 1, 1],
    ['out', 0xe9, 1, 2],
  ]);
  cpu.rip = 0x1000n;
  cpu.setGpr(RDX, 0x99n);
  expect(cpu.run(1)).toMatchObject({ kind: 'fault', vector: 13 });
});

test('memory of a device: read, written whole, and in a read-modify-write', () => {
  const { cpu, told } = machine([0x8b, 0x03, 0x89, 0x03, 0x80, 0x43, 0x08, 0x10, 0x90]);
  cpu.setGpr(RBX, BigInt(DEVICE + 4));
  expect(cpu.run(1).retired).toBe(1);
  expect(cpu.gpr(RAX)).toBe(0x07060504n);
  expect(cpu.run(10)).toEqual({ kind: 'limit', retired: 1 });
  expect(cpu.run(10)).toEqual({ kind: 'limit', retired: 1 });
  expect(told).toEqual([
    ['write', 4, [4, 5, 6, 7]],
    ['write', 12, [0x1c]],
  ]);
});

test('an access that begins in RAM and ends in a device', () => {
  const { cpu, memory } = machine([0x48, 0x8b, 0x03]);
  memory.writeBytes(DEVICE - 2, Uint8Array.of(0xaa, 0xbb));
  cpu.setGpr(RBX, BigInt(DEVICE - 2));
  cpu.run(1);
  expect(cpu.gpr(RAX)).toBe(0x050403020100bbaan);
  expect(DEVICE % FRAME_BYTES).toBe(0);
});

test('RDRAND tells by C whether there was a number', () => {
  const some = machine([0x48, 0x0f, 0xc7, 0xf0], 0x123456789abcdef0n).cpu;
  some.run(1);
  expect([some.gpr(RAX), some.rflags & 0x8d5n]).toEqual([0x123456789abcdef0n, 1n]);
  const none = machine([0x48, 0x0f, 0xc7, 0xf0]).cpu;
  none.setGpr(RAX, 5n);
  none.run(1);
  expect([none.gpr(RAX), none.rflags & 0x8d5n]).toEqual([0n, 0n]);
});

test('CPUID shows CR4.OSXSAVE', () => {
  const { cpu } = machine([0x0f, 0xa2, 0x0f, 0xa2]);
  cpu.s[CR4] &= ~(1 << 18);
  cpu.setGpr(RAX, 1n);
  cpu.run(1);
  expect(cpu.gpr(RCX)).toBe(0n);
  cpu.s[CR4] |= 1 << 18;
  cpu.setGpr(RAX, 1n);
  cpu.run(1);
  expect(cpu.gpr(RCX)).toBe(1n << 27n);
});
