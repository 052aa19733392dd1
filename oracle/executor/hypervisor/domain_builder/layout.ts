/** Where the domain builder puts things in the guest's initial virtual space. */
import { start_info } from '#spec/abi/xen.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { ElfFile } from './elf.ts';
import type { XenNotes } from './notes.ts';

const PAGE = 4096n;
const FOUR_MIB = 1n << 22n;
const LEAST_PADDING = 512n << 10n;
const TOP = 1n << 64n;
const HYPERVISOR = { start: 0xffff800000000000n, end: 0xffff880000000000n } as const;

/** Virtual addresses; `start` to `end` is mapped, page i of it is the domain's page i. */
export type VirtualLayout = {
  readonly start: bigint;
  readonly end: bigint;
  readonly kernelStart: bigint;
  readonly kernelEnd: bigint;
  readonly entry: bigint;
  readonly hypercallPage: bigint | null;
  readonly p2m: bigint;
  /** The p2m lies in the initial mapping; else it has tables of its own. */
  readonly p2mInside: boolean;
  readonly startInfo: bigint;
  readonly pageTables: bigint;
  readonly pageTableCount: number;
  readonly stackEnd: bigint;
  /** Pages of the first allocation (a power of two that covers the initial mapping but for the initrd) and of the initrd. */
  readonly firstAllocation: number;
  /** Number of the initrd's first page, behind which its others follow; -1 when there is none. */
  readonly initrdPfn: number;
  /** Whether it is part of the initial mapping. */
  readonly initrdMapped: boolean;
};

const roundUp = (value: bigint, unit: bigint): bigint => ((value + unit - 1n) / unit) * unit;

/** How many units of 2^shift bytes the range touches. */
const unitsTouched = (start: bigint, end: bigint, shift: bigint): bigint =>
  (roundUp(end, 1n << shift) - ((start >> shift) << shift)) >> shift;

/** Page-table pages that mapping [start, end) takes: one L4 and what lies under it. */
const tablesFor = (start: bigint, end: bigint): bigint =>
  1n + unitsTouched(start, end, 39n) + unitsTouched(start, end, 30n) + unitsTouched(start, end, 21n);

const isCanonical = (address: bigint): boolean => address < 1n << 47n || address >= TOP - (1n << 47n);

/** The same of a 32-bit kernel: four L2 under one L3. */
const compatTablesFor = (start: bigint, end: bigint): bigint => 5n + unitsTouched(start, end, 21n);

/** Throws BadInput when the image cannot be placed in a domain of `pages`. `hypervisor`: where Xen begins for a 32-bit kernel. */
export const virtualLayout = (elf: ElfFile, notes: XenNotes, pages: number, initrdLength = 0, hypervisor = 0n): VirtualLayout => {
  if (notes.paddrOffset !== null && notes.virtBase === null) throw new BadInput('ELF image: PADDR_OFFSET without VIRT_BASE');
  const start = notes.virtBase ?? 0n;
  const offset = start - (notes.paddrOffset ?? 0n);
  const kernelStart = BigInt.asUintN(64, elf.start + offset);
  const kernelEnd = BigInt.asUintN(64, elf.end + offset);
  const entry = notes.entry ?? elf.entry;
  if (kernelStart > kernelEnd || entry < kernelStart || entry > kernelEnd || start > kernelStart)
    throw new BadInput('ELF image: start or entry is out of bounds');
  if (notes.p2mBase !== null && notes.p2mBase >= kernelStart && notes.p2mBase < kernelEnd)
    throw new BadInput('ELF image: the P->M table is out of bounds');
  if (start % PAGE !== 0n) throw new BadInput('ELF image: VIRT_BASE is not page aligned');

  const size = BigInt(pages) * PAGE;
  if (kernelEnd - start > size) throw new BadInput(`ELF image: does not fit into ${pages} pages`);
  const p2mInside = notes.p2mBase === null;
  const initrdPages = Math.ceil(initrdLength / Number(PAGE));
  const initrdMapped = initrdPages > 0 && !notes.initrdByPfn;
  const initrdStart = roundUp(kernelEnd, PAGE);
  const p2mStart = initrdMapped ? initrdStart + BigInt(initrdPages) * PAGE : initrdStart;
  const startInfo = p2mInside ? roundUp(p2mStart + BigInt(pages) * (elf.is32 ? 4n : 8n), PAGE) : p2mStart;
  const pageTables = roundUp(startInfo + BigInt(start_info.size), PAGE);
  let count = 2n;
  let stackEnd: bigint;
  let end: bigint;
  for (; ; count++) {
    stackEnd = pageTables + count * PAGE + PAGE;
    end = roundUp(stackEnd, FOUR_MIB);
    if (end - stackEnd < LEAST_PADDING) end += FOUR_MIB;
    if (end - start > size) throw new BadInput(`ELF image: does not fit into ${pages} pages`);
    if ((elf.is32 ? compatTablesFor(start, end) : tablesFor(start, end)) <= count) break;
  }
  const chunk = powerOfTwo(Number((end - start) / PAGE) - (initrdMapped ? initrdPages : 0));
  const firstAllocation = chunk + initrdPages;
  if (firstAllocation > pages)
    throw new BadInput(`ELF image: its first allocation of ${firstAllocation} pages does not fit into ${pages} pages`);
  if (elf.is32 && end > hypervisor) throw new BadInput("ELF image: overlaps with Xen's private area");
  if (end > TOP || !isCanonical(start) || !isCanonical(end - 1n) || (start < 1n << 47n && end > 1n << 47n))
    throw new BadInput('ELF image: its addresses are not canonical');
  if (start < HYPERVISOR.end && end > HYPERVISOR.start) throw new BadInput("ELF image: overlaps with Xen's private area");
  if (notes.hypercallPage !== null && (notes.hypercallPage < start || notes.hypercallPage >= end))
    throw new BadInput('ELF image: the hypercall page is out of bounds');
  if (notes.hypercallPage !== null && notes.hypercallPage % PAGE !== 0n) throw new NotModelled('domain_builder/unaligned_hypercall_page');
  if (notes.hypercallPage !== null && notes.hypercallPage >= pageTables && notes.hypercallPage < pageTables + count * PAGE)
    throw new BadInput('ELF image: the hypercall page would be a page table, which Xen maps read-only');
  if (notes.p2mBase !== null) checkP2mBase(notes.p2mBase, BigInt(pages) * 8n, start, end);
  return {
    start,
    end,
    kernelStart,
    kernelEnd,
    entry,
    hypercallPage: notes.hypercallPage,
    p2m: notes.p2mBase ?? p2mStart,
    p2mInside,
    startInfo,
    pageTables,
    pageTableCount: Number(count),
    stackEnd,
    firstAllocation,
    initrdPfn: initrdPages === 0 ? -1 : initrdMapped ? Number((initrdStart - start) / PAGE) : chunk,
    initrdMapped,
  };
};

/** Its own place must leave the initial mapping and Xen alone. Throws BadInput, or NotModelled where Xen would take large pages. */
const checkP2mBase = (base: bigint, bytes: bigint, start: bigint, end: bigint): void => {
  const last = base + bytes;
  if (last >= start && base <= end) throw new BadInput('ELF image: the P->M table overlaps the initial mapping');
  if (last >= TOP || !isCanonical(base) || !isCanonical(last - 1n) || (base < HYPERVISOR.end && last > HYPERVISOR.start))
    throw new BadInput('ELF image: the P->M table is not among the addresses of guests');
  if (base % PAGE !== 0n) throw new NotModelled('domain_builder/unaligned_p2m');
};

const powerOfTwo = (pages: number): number => {
  let size = 1;
  while (size < pages) size *= 2;
  return size;
};
