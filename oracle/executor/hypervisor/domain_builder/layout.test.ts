import { expect, test } from 'vitest';
import { BadInput } from '#spec/failure.ts';
import { image } from '../testing/image.ts';
import { parseElf } from './elf.ts';
import { virtualLayout } from './layout.ts';
import { xenNotes } from './notes.ts';

const PAGES = 0x8000;
const layoutOf = (virtBase: bigint, start: bigint, end: bigint, notes: Readonly<Record<number, bigint>> = {}) => {
  const elf = parseElf(image({ virtBase, start, bytes: Number(end - start), notes }));
  return virtualLayout(elf, xenNotes(elf, true), PAGES);
};

// Measured on real Xen with 128 MiB: base, kernel, then start_info, page tables, stack end, end, tables, first allocation.
test.each([
  [0x200000n, 0x200000n, 0x21d040n, 0x25e000n, 0x25f000n, 0x264000n, 0x400000n, 4, 0x200],
  [0n, 0x100000n, 0x11b040n, 0x15c000n, 0x15d000n, 0x163000n, 0x400000n, 5, 0x400],
  [0x400000n, 0x400000n, 0x41b040n, 0x45c000n, 0x45d000n, 0x463000n, 0x800000n, 5, 0x400],
  [0x800000n, 0xa00000n, 0xd20040n, 0xd61000n, 0xd62000n, 0xd6a000n, 0x1000000n, 7, 0x800],
  [0x400000n, 0x400000n, 0x1420040n, 0x1461000n, 0x1462000n, 0x1470000n, 0x1800000n, 13, 0x2000],
  [
    0xffffffff80000000n,
    0xffffffff81000000n,
    0xffffffff8101b040n,
    0xffffffff8105c000n,
    0xffffffff8105d000n,
    0xffffffff8106b000n,
    0xffffffff81400000n,
    13,
    0x2000,
  ],
])(
  'virt_base %x, kernel from %x to %x',
  (virtBase, start, kernelEnd, startInfo, pageTables, stackEnd, end, pageTableCount, firstAllocation) => {
    expect(layoutOf(virtBase, start, kernelEnd)).toMatchObject({
      start: virtBase,
      kernelEnd,
      startInfo,
      pageTables,
      stackEnd,
      end,
      pageTableCount,
      firstAllocation,
    });
  },
);

test('a p2m base of its own takes the p2m out of the initial mapping', () => {
  const layout = layoutOf(0x200000n, 0x200000n, 0x21b040n, { 15: 0xffffff8000000000n });
  expect(layout).toMatchObject({
    p2mInside: false,
    startInfo: 0x21c000n,
    pageTables: 0x21d000n,
    stackEnd: 0x222000n,
    p2m: 0xffffff8000000000n,
  });
});

test.each([
  ['an entry outside the kernel', { notes: { 1: 0x100n } }],
  ['an image larger than the domain', { bytes: 0x10000000 }],
  ['an address that is not canonical', { virtBase: 0x800000000000n }],
  ["Xen's own addresses", { virtBase: 0xffff800000000000n }],
  ['a hypercall page outside', { notes: { 2: 0x10000000n } }],
  ['a misaligned base', { virtBase: 0x200010n }],
])('%s is refused', (_, options) => {
  const elf = parseElf(image(options));
  expect(() => virtualLayout(elf, xenNotes(elf, true), PAGES)).toThrow(BadInput);
});
