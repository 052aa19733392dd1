/** Where the domain builder puts things in the virtual address space. Chapter: spec/chapters/start_of_day.md. */

import { HYPERVISOR_COMPAT_VIRT_START } from '#spec/abi/compat.ts';
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START } from '#spec/abi/xen.ts';
import { BadInput, NotModelled } from '#spec/failure.ts';
import type { KernelParams } from './notes.ts';

export const PAGE = 4096n;
const SUPERPAGE = 1n << 22n;
/** Xen maps a p2m list with pages of 2 MiB where it can. */
const P2M_SUPERPAGE = 1n << 21n;
/** There is at least this much mapped memory behind the boot stack. */
const LEAST_PADDING = 512n << 10n;

/** All addresses are virtual and page aligned, but for `kernelEnd`. */
export type VirtualLayout = {
  readonly start: bigint;
  readonly p2m: bigint;
  readonly startInfo: bigint;
  readonly pageTables: bigint;
  readonly pageTableFrames: number;
  readonly stack: bigint;
  readonly end: bigint;
  /** Pages in the first allocation: the mapped ones, rounded up to a power of two; and those of the initial RAM disk. */
  readonly firstAllocation: number;
  /** Where that disk is mapped (null: it is not), and the number of its first page; absent when there is none. */
  readonly initrd?: { readonly address: bigint | null; readonly page: number };
};

export const roundUp = (value: bigint, unit: bigint): bigint => ((value + unit - 1n) / unit) * unit;

/** How many tables whose entries each cover 2^shift bytes it takes to map [start, end). */
const tablesFor = (start: bigint, end: bigint, shift: bigint): number =>
  Number((roundUp(end, 1n << shift) - ((start >> shift) << shift)) >> shift);

/**
 * The tables take up space that has to be mapped, which takes tables: the answer is the smallest number of them that suffices
 * for the space that it leads to.
 */
export const virtualLayout = (
  kernel: KernelParams,
  pages: number,
  initrdBytes = 0,
  compatVirtStart = BigInt(HYPERVISOR_COMPAT_VIRT_START),
): VirtualLayout => {
  const start = kernel.virtBase;
  if (start % PAGE !== 0n) throw new BadInput('image: VIRT_BASE is not page aligned');
  const disk = roundUp(BigInt(initrdBytes), PAGE);
  const mapped = kernel.unmappedInitrd ? 0n : disk;
  const behindKernel = roundUp(kernel.kernelEnd, PAGE);
  const p2m = behindKernel + mapped;
  const startInfo = kernel.initP2m === null ? roundUp(p2m + BigInt(pages) * (kernel.bits === 32 ? 4n : 8n), PAGE) : p2m;
  const pageTables = startInfo + PAGE;
  if (pageTables - start > BigInt(pages) * PAGE || pageTables >= 1n << 64n)
    throw new BadInput(`image: the kernel does not fit into a domain of ${pages} pages`);
  for (let n = 2; ; n++) {
    const stack = pageTables + BigInt(n) * PAGE;
    const end = endFor(stack + PAGE);
    if (tablesOf(kernel, start, end) > n) continue;
    const kernelPages = 1 << Math.ceil(Math.log2(Number((end - start - mapped) / PAGE)));
    const firstAllocation = kernelPages + Number(disk / PAGE);
    if (firstAllocation > pages) throw new BadInput(`image: the kernel needs ${firstAllocation} pages, the domain has ${pages}`);
    if (kernel.bits === 32 && end > compatVirtStart) throw new BadInput('image: the kernel lies in addresses that are not for guests');
    if (end > 1n << 64n || (start < HYPERVISOR_VIRT_END && end > HYPERVISOR_VIRT_START) || !canonical(start) || !canonical(end - 1n))
      throw new BadInput('image: the kernel lies in addresses that are not for guests');
    if (kernel.initP2m !== null) checkP2m(kernel.initP2m, BigInt(pages) * 8n, start, end);
    const initrd =
      mapped > 0n ? { address: behindKernel, page: Number((behindKernel - start) / PAGE) } : { address: null, page: kernelPages };
    const places = { start, p2m: kernel.initP2m ?? p2m, startInfo, pageTables, pageTableFrames: n, stack, end, firstAllocation };
    return disk > 0n ? { ...places, initrd } : places;
  }
};

/** compat/build-tables: a 32-bit domain's L4 is Xen's, and all four L2 are there. */
const tablesOf = ({ bits }: KernelParams, start: bigint, end: bigint): number =>
  (bits === 32 ? 4 : 1 + tablesFor(start, end, 30n)) + tablesFor(start, end, 39n) + tablesFor(start, end, 21n);

/** A p2m list of its own has to lie beside the initial mapping, in addresses that are for guests. */
const checkP2m = (base: bigint, bytes: bigint, start: bigint, end: bigint): void => {
  const p2mEnd = base + bytes;
  if (start <= p2mEnd && base <= end) throw new BadInput('image: the p2m table (ELF note INIT_P2M) overlaps the initial mapping');
  if (p2mEnd >= 1n << 64n || (base < HYPERVISOR_VIRT_END && p2mEnd > HYPERVISOR_VIRT_START) || !canonical(base) || !canonical(p2mEnd - 1n))
    throw new BadInput('image: the p2m table (ELF note INIT_P2M) lies in addresses that are not for guests');
  if (base % PAGE !== 0n) throw new NotModelled('domain_builder/unaligned_p2m');
  const superpage = roundUp(base, P2M_SUPERPAGE);
  if (superpage + P2M_SUPERPAGE <= p2mEnd) throw new NotModelled('domain_builder/p2m_superpage');
};

const endFor = (stackEnd: bigint): bigint => {
  const end = roundUp(stackEnd, SUPERPAGE);
  return end - stackEnd < LEAST_PADDING ? end + SUPERPAGE : end;
};

const canonical = (va: bigint): boolean => va < 1n << 47n || va >= (1n << 64n) - (1n << 47n);
