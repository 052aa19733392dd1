/** Where the bytes of a kernel image land. */
import { BadInput } from '#spec/failure.ts';
import type { Segment } from './elf.ts';
import { PAGE, type VirtualLayout } from './layout.ts';
import type { KernelParams } from './notes.ts';

/**
 * Contents by page number from the start of the mapping, for every page that loading writes to, zeroed ones included. Xen stops, without
 * refusing the image, before the segments together would fill the kernel's place more than twice.
 */
export const loadSegments = (segments: readonly Segment[], kernel: KernelParams, layout: VirtualLayout): Map<number, Uint8Array> => {
  const pages = new Map<number, Uint8Array>();
  const page = (number: number): Uint8Array => {
    const old = pages.get(number);
    if (old) return old;
    const fresh = new Uint8Array(4096);
    pages.set(number, fresh);
    return fresh;
  };
  let room = 2n * (kernel.kernelEnd - kernel.kernelStart);
  for (const segment of segments) {
    if (segment.memsz > room) break;
    room -= segment.memsz;
    const start = BigInt.asUintN(64, segment.paddr + kernel.virtOffset) - layout.start;
    if (start < 0n || start + segment.memsz > layout.end - layout.start)
      throw new BadInput('image: a segment lies outside the initial mapping');
    const at = Number(start);
    const end = at + Number(segment.memsz);
    for (let first = at; first < end; ) {
      const next = Math.min(end, (Math.floor(first / 4096) + 1) * 4096);
      const target = page(Math.floor(first / 4096));
      const bytes = segment.bytes.subarray(first - at, next - at);
      target.fill(0, first % 4096, (first % 4096) + next - first);
      target.set(bytes, first % 4096);
      first = next;
    }
  }
  return pages;
};

export const PAGE_BYTES = Number(PAGE);
