import { GUEST_GDT_PAGES, XEN_DESCRIPTORS } from '#spec/abi/descriptor.ts';

/**
 * The descriptor tables that the processor of a PV guest works with. Xen keeps them in its own addresses: behind the guest's pages of the GDT
 * lies its own, and the LDT's pages are put in place when they are first used.
 */

/** Pages of the largest LDT. */
const LDT_PAGES = 16;

/** Descriptors of Xen's page: lower and upper half, by selector without RPL. */
type XenPage = ReadonlyMap<number, readonly [lo: number, hi: number]>;
const pageOf = (rows: readonly (readonly [selector: number, high: number, low: number])[]): XenPage =>
  new Map(rows.map(([selector, hi, lo]) => [selector, [lo, hi]]));
const NATIVE = pageOf(XEN_DESCRIPTORS);

export class DescriptorTables {
  /** Xen's own page of the GDT; that of 32-bit domains has other descriptors. */
  xenPage = NATIVE;
  /** Frames of the guest's pages of the GDT; 0: a page of zeros. */
  readonly gdt = new Int32Array(GUEST_GDT_PAGES);
  /** Frames of the LDT's pages; 0: not in place. */
  readonly ldt = new Int32Array(LDT_PAGES);
  ldtEntries = 0;
  /** Guest address of the LDT, by halves. */
  ldtLo = 0;
  ldtHi = 0;
  /** Put a page of the LDT in place; false when it cannot be. Xen's part. */
  mapLdtPage: (page: number) => boolean = () => false;

  /** From now on Xen's page holds these rows. */
  useXenPage(rows: readonly (readonly [selector: number, high: number, low: number])[]): void {
    this.xenPage = pageOf(rows);
  }
}
