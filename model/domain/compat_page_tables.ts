/** The page tables that a 32-bit domain starts on: an L3 of four entries, below an L4 of Xen's. Chapter: spec/chapters/compat.md. */
import type { VirtualLayout } from './layout.ts';
import { PAGE } from './layout.ts';
import type { PageTable, PageTables } from './page_tables.ts';

const RW = 2n;
/** Present, writable, accessed: no user, since the kernel is ring 1. */
const LEAF = 0x23n;
const DIRTY = 0x40n;
/** Present, writable, user, accessed, dirty. */
export const NODE = 0x67n;

const slot = (va: bigint, level: number): number => Number((va >> BigInt(12 + 9 * (level - 1))) & 511n);
const entry = (mfn: number, flags: bigint): bigint => (BigInt(mfn) << 12n) | flags;

/** The tables, and the L2 of the last gigabyte, which has Xen's slots. */
export type CompatTables = { readonly tables: PageTables; readonly l3: number; readonly xenL2: number };

/**
 * compat/build-tables: the L3 first, then at each gap L1 before L2, then the L2 that the mapping did not need. `m2p`: Xen's entries from
 * `virtStart` on.
 */
export const compatTables = (
  layout: VirtualLayout,
  firstMfn: number,
  written: (page: number) => boolean,
  virtStart: number,
  m2p: readonly bigint[],
): CompatTables => {
  const tables = new Map<number, PageTable>();
  const firstTable = Number((layout.pageTables - layout.start) / PAGE);
  let next = firstMfn + firstTable;
  const table = (level: 1 | 2 | 3): { mfn: number; entries: BigUint64Array } => {
    const mfn = next++;
    const entries = new BigUint64Array(512);
    tables.set(mfn, { level, entries });
    return { mfn, entries };
  };
  const l3 = table(3);
  const l2s: (ReturnType<typeof table> | undefined)[] = [];
  let l1 = l3.entries;
  const pages = Number((layout.end - layout.start) / PAGE);
  for (let i = 0; i < pages; i++) {
    const va = layout.start + BigInt(i) * PAGE;
    if (i === 0 || slot(va, 1) === 0) {
      const newL1 = table(1);
      const gigabyte = slot(va, 3);
      l2s[gigabyte] ??= table(2);
      l2s[gigabyte].entries[slot(va, 2)] = entry(newL1.mfn, NODE);
      l1 = newL1.entries;
    }
    const isTable = i >= firstTable && i < firstTable + layout.pageTableFrames;
    l1[slot(va, 1)] = entry(firstMfn + i, isTable ? LEAF & ~RW : written(i) ? LEAF | DIRTY : LEAF);
  }
  for (let i = 0; i < 4; i++) {
    l2s[i] ??= table(2);
    l3.entries[i] = entry(l2s[i]!.mfn, NODE);
  }
  const last = l2s[3]!;
  last.entries.set(m2p, slot(BigInt(virtStart), 2));
  return { tables, l3: l3.mfn, xenL2: last.mfn };
};
