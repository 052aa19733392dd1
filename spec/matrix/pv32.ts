/**
 * What 32-bit callers are answered otherwise. Debian's Xen is built without 32-bit PV, so the source is Xen's public one (RELEASE-4.17.0),
 * not a recording; all other cells are those of 64-bit callers.
 */
import { type Cell, modelled, type Row, refused } from './cell.ts';

type Both = readonly [dom0: Cell, domU: Cell];
const both = (cell: Cell): Both => [cell, cell];

const NO_BASES = both(refused('ENOSYS', [], 'bases belong to 64-bit code'));

/** By the name of the row. */
const OTHERWISE: Readonly<Record<string, (row: Row) => Both>> = {
  'set_segment_base/fs': () => NO_BASES,
  'set_segment_base/gs_user': () => NO_BASES,
  'set_segment_base/gs_kernel': () => NO_BASES,
  'set_segment_base/gs_user_sel': () => NO_BASES,
  'set_segment_base/(any other)': () => NO_BASES,
  'callback_op/(any other)': () => both(refused('EINVAL')),
  'memory_op/claim_pages': () => both(refused('ENOSYS')),
  'memory_op/machphys_compat_mfn_list': () => both(modelled),
  'mmuext_op/new_user_baseptr': () => both(refused('EINVAL', [], 'there is one table for kernel and programs')),
};

/** The row with the cells of 32-bit callers. */
export const forCompat = (row: Row): Row => {
  const own = OTHERWISE[row.sub === null ? row.call : `${row.call}/${row.sub}`]?.(row);
  return own ? { ...row, cells: { ...row.cells, pv32_dom0: own[0], pv32_domU: own[1] } } : row;
};

export const COMPAT_ROWS: readonly string[] = Object.keys(OTHERWISE);
