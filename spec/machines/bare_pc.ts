/**
 * The default bare machine: what `qemu-system-x86_64 -M pc -m 128` shows with QEMU_CPU, and what QEMU 7.2 cannot show besides
 * (PCID, INVPCID, SHA, RDSEED, XSAVEC, misaligned SSE operands). CPUID was measured on that machine from a bare image.
 */
import type { BareConfig } from '../bare/machine.ts';
import type { CpuidLeaf } from '../config.ts';

/** QEMU's model that comes nearest: everything but AVX, what AVX brings, 5-level paging, protection keys and virtualization. */
export const QEMU_CPU = 'max,-avx,-avx2,-fma,-f16c,-vaes,-la57,-pku,-pks,-svm,-mpx,-pcommit,-3dnow,-3dnowext,-rdpid,xlevel=0x80000008';

/** Bits of CPUID's answers that this machine has and QEMU 7.2's does not. */
export const BEYOND_QEMU = {
  '1.ecx': 1 << 17, // PCID
  '7.ebx': (1 << 10) | (1 << 18) | (1 << 29), // INVPCID, RDSEED, SHA
  'd.1.eax': 1 << 1, // XSAVEC
  '80000001.ecx': (1 << 7) | (1 << 8), // MISALIGNSSE, PREFETCHW
} as const;

const leaf = (number: number, subleaf: number | null, eax: number, ebx: number, ecx: number, edx: number): CpuidLeaf => ({
  leaf: number,
  subleaf,
  eax,
  ebx,
  ecx: ecx >>> 0,
  edx,
});

/** Leaves without a row read as zero; bits that follow control registers (OSXSAVE, APIC) are as they are at entry. */
export const CPUID_BARE_PC: readonly CpuidLeaf[] = [
  leaf(0x0, null, 0xd, 0x68747541, 0x444d4163, 0x69746e65),
  leaf(0x1, null, 0x60fb1, 0x800, 0xc6d8220b | BEYOND_QEMU['1.ecx'], 0xfcbfbfd),
  leaf(0x5, null, 0x0, 0x0, 0x3, 0x0),
  leaf(0x6, null, 0x4, 0x0, 0x0, 0x0),
  leaf(0x7, 0x0, 0x0, 0x1980389 | BEYOND_QEMU['7.ebx'], 0x4, 0x0),
  leaf(0xb, 0x0, 0x0, 0x1, 0x100, 0x0),
  leaf(0xb, 0x1, 0x0, 0x1, 0x201, 0x0),
  leaf(0xd, 0x0, 0x3, 0x240, 0x240, 0x0),
  leaf(0xd, 0x1, 0x5 | BEYOND_QEMU['d.1.eax'], 0x240, 0x0, 0x0),
  leaf(0x40000000, null, 0x40000001, 0x54474354, 0x43544743, 0x47435447),
  leaf(0x80000000, null, 0x80000008, 0x68747541, 0x444d4163, 0x69746e65),
  leaf(0x80000001, null, 0x60fb1, 0x0, 0x71 | BEYOND_QEMU['80000001.ecx'], 0x2dd3fbfd),
  leaf(0x80000002, null, 0x554d4551, 0x47435420, 0x55504320, 0x72657620),
  leaf(0x80000003, null, 0x6e6f6973, 0x352e3220, 0x2b, 0x0),
  leaf(0x80000005, null, 0x1ff01ff, 0x1ff01ff, 0x40020140, 0x40020140),
  leaf(0x80000006, null, 0x0, 0x42004200, 0x2008140, 0x808140),
  leaf(0x80000008, null, 0x3028, 0x0, 0x0, 0x0),
];

const FRAMES_A_MIB = 256;

/** @param memoryMiB RAM, at least 1. */
export const barePc = (cmdline = '', memoryMiB = 128): BareConfig => ({
  frames: memoryMiB * FRAMES_A_MIB,
  cpuid: [...CPUID_BARE_PC],
  tsc_khz: 1_000_000,
  random: ['0x243f6a8885a308d3', '0x13198a2e03707344', '0xa4093822299f31d0', '0x82efa98ec4e6c89'],
  wallclock_sec: 1_577_836_800, // 2020-01-01, where peers start their clock
  cmdline,
});
