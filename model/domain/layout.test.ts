import { describe, expect, it } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { virtualLayout } from './layout.ts';
import type { KernelParams } from './notes.ts';

const kernel = (virtBase: bigint, kernelEnd: bigint, initP2m: bigint | null = null): KernelParams => ({
  virtBase,
  kernelStart: virtBase,
  kernelEnd,
  entry: virtBase,
  virtOffset: 0n,
  hypercallPage: null,
  initP2m,
  pae: 'yes',
  bits: 64,
  hvStartLow: null,
});

describe('virtual layout', () => {
  // Kernels of different sizes and bases, as real Xen 4.17.7 laid them out in a dom0 of 32768 pages.
  it.each([
    [
      'at 2 MiB',
      kernel(0x200000n, 0x21d040n),
      { p2m: 0x21e000n, startInfo: 0x25e000n, pageTables: 0x25f000n, stack: 0x263000n, end: 0x400000n },
      4,
      0x200,
    ],
    [
      'at 0',
      kernel(0n, 0x11b040n),
      { p2m: 0x11c000n, startInfo: 0x15c000n, pageTables: 0x15d000n, stack: 0x162000n, end: 0x400000n },
      5,
      0x400,
    ],
    [
      'at 4 MiB',
      kernel(0x400000n, 0x41b040n),
      { p2m: 0x41c000n, startInfo: 0x45c000n, pageTables: 0x45d000n, stack: 0x462000n, end: 0x800000n },
      5,
      0x400,
    ],
    [
      'at 8 MiB',
      kernel(0x800000n, 0xd20040n),
      { p2m: 0xd21000n, startInfo: 0xd61000n, pageTables: 0xd62000n, stack: 0xd69000n, end: 0x1000000n },
      7,
      0x800,
    ],
    [
      'of 16 MiB',
      kernel(0x400000n, 0x1420040n),
      { p2m: 0x1421000n, startInfo: 0x1461000n, pageTables: 0x1462000n, stack: 0x146f000n, end: 0x1800000n },
      13,
      0x2000,
    ],
    [
      'in the upper half',
      kernel(0xffffffff80000000n, 0xffffffff8101b040n),
      {
        p2m: 0xffffffff8101c000n,
        startInfo: 0xffffffff8105c000n,
        pageTables: 0xffffffff8105d000n,
        stack: 0xffffffff8106a000n,
        end: 0xffffffff81400000n,
      },
      13,
      0x2000,
    ],
    [
      'with a p2m list of its own',
      kernel(0x200000n, 0x21b040n, 0xffffff8000000000n),
      { p2m: 0xffffff8000000000n, startInfo: 0x21c000n, pageTables: 0x21d000n, stack: 0x221000n, end: 0x400000n },
      4,
      0x200,
    ],
  ])('follows Xen for a kernel %s', (_, params, places, frames, firstAllocation) => {
    expect(virtualLayout(params, 0x8000)).toEqual({ start: params.virtBase, ...places, pageTableFrames: frames, firstAllocation });
  });

  it('refuses a kernel that its domain cannot hold', () =>
    expect(() => virtualLayout(kernel(0x200000n, 0x1200000n), 1024)).toThrow(BadInput));
  it('refuses a kernel in Xen’s addresses', () =>
    expect(() => virtualLayout(kernel(0xffff800000000000n, 0xffff800000010000n), 32768)).toThrow(BadInput));
});
