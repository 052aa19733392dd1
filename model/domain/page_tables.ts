/** The page tables that a domain starts on. Chapter: spec/chapters/start_of_day.md. */

import { BadInput } from '#spec/failure.ts';
import type { VirtualLayout } from './layout.ts';
import { PAGE } from './layout.ts';

/** Bit 52: Xen's mark for mappings of a guest kernel. */
const GUEST_KERNEL = 1n << 52n;
const RW = 2n;
/** Present, writable, user, accessed. */
const LEAF = 0x27n | GUEST_KERNEL;
const DIRTY = 0x40n;
/** Present, writable, user, accessed, dirty. */
const NODE = 0x67n;

export type PageTable = { readonly level: 1 | 2 | 3 | 4; readonly entries: BigUint64Array };
/** Tables by frame number. */
export type PageTables = ReadonlyMap<number, PageTable>;

const slot = (va: bigint, level: number): number => Number((va >> BigInt(12 + 9 * (level - 1))) & 511n);

/**
 * Map [layout.start, layout.end) onto the frames from `firstMfn` on. Tables are taken in ascending order as the walk through
 * the addresses first needs them: the top one, then at each gap L1 before L2 before L3. Table pages are mapped read-only;
 * pages for which `written` holds are dirty already, because Xen filled them through this mapping.
 */
export const initialTables = (layout: VirtualLayout, firstMfn: number, written: (page: number) => boolean): PageTables => {
  const tables = new Map<number, PageTable>();
  const firstTable = Number((layout.pageTables - layout.start) / PAGE);
  let next = firstMfn + firstTable;
  const table = (level: 1 | 2 | 3 | 4): { mfn: number; entries: BigUint64Array } => {
    const mfn = next++;
    const entries = new BigUint64Array(512);
    tables.set(mfn, { level, entries });
    return { mfn, entries };
  };
  const l4 = table(4).entries;
  let l1 = l4;
  let l2 = l4;
  let l3 = l4;
  const pages = Number((layout.end - layout.start) / PAGE);
  for (let i = 0; i < pages; i++) {
    const va = layout.start + BigInt(i) * PAGE;
    if (i === 0 || slot(va, 1) === 0) {
      const newL1 = table(1);
      if (i === 0 || slot(va, 2) === 0) {
        const newL2 = table(2);
        if (i === 0 || slot(va, 3) === 0) {
          const newL3 = table(3);
          l4[slot(va, 4)] = entry(newL3.mfn, NODE);
          l3 = newL3.entries;
        }
        l3[slot(va, 3)] = entry(newL2.mfn, NODE);
        l2 = newL2.entries;
      }
      l2[slot(va, 2)] = entry(newL1.mfn, NODE);
      l1 = newL1.entries;
    }
    const isTable = i >= firstTable && i < firstTable + layout.pageTableFrames;
    l1[slot(va, 1)] = entry(firstMfn + i, isTable ? LEAF & ~RW : written(i) ? LEAF | DIRTY : LEAF);
  }
  return tables;
};

/** The frames that a p2m table of its own (ELF note INIT_P2M) takes, in the order of their allocation. */
export type P2mFrames = { readonly tables: PageTables; readonly count: number; readonly mfnOf: (page: number) => number };

/** Xen wants to have as many pages to spare, for tables, whenever it maps one more of the list. */
const SPARE_PAGES = 3;

/**
 * Map the p2m list of a domain of `pages` at `layout.p2m` with the domain's frames behind the first allocation; new tables hang into `tables`.
 * Throws BadInput when the domain is too small.
 */
export const separateP2m = (tables: PageTables, l4Mfn: number, layout: VirtualLayout, pages: number, domainMfn: number): P2mFrames => {
  const listPages = Math.ceil((pages * 8) / 4096);
  const firstMfn = domainMfn + layout.firstAllocation;
  const added = new Map<number, PageTable>();
  const data: number[] = [];
  let next = firstMfn;
  const below = (parent: BigUint64Array, index: number, level: 1 | 2 | 3): BigUint64Array => {
    if (parent[index] !== 0n) {
      const mfn = Number((parent[index] >> 12n) & 0xffffffffffn);
      return (added.get(mfn) ?? tables.get(mfn))!.entries;
    }
    const entries = new BigUint64Array(512);
    parent[index] = entry(next, NODE);
    added.set(next++, { level, entries });
    return entries;
  };
  const l4 = tables.get(l4Mfn)!.entries;
  for (let i = 0; i < listPages; i++) {
    if (next - domainMfn + (listPages - i) + SPARE_PAGES > pages) throw new BadInput(`image: ${pages} pages cannot hold the p2m table`);
    const at = layout.p2m + BigInt(i) * PAGE;
    const l3 = below(l4, slot(at, 4), 3);
    const l2 = below(l3, slot(at, 3), 2);
    const l1 = below(l2, slot(at, 2), 1);
    l1[slot(at, 1)] = entry(next, LEAF | DIRTY);
    data.push(next++);
  }
  return { tables: added, count: next - firstMfn, mfnOf: (page) => data[page] };
};

const entry = (mfn: number, flags: bigint): bigint => (BigInt(mfn) << 12n) | flags;
