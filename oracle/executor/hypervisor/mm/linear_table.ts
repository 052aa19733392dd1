/**
 * Linear page tables: an entry that refers, read-only, to a table of its own level. The referred table keeps its type; a table may be
 * on one side of such links only.
 */
import { PGF } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import { frameOf, PTE } from './entry.ts';
import { getPage } from './page.ts';

const MOST_LINKS = 0x7fff;

/** Take the references of such an entry in `table`, whose type is `type`. False when it is not allowed. A link to itself holds nothing. */
export const getLinearTable = (machine: Machine, lo: number, hi: number, table: number, type: number, domid: number): boolean => {
  const { frames } = machine;
  if ((lo & PTE.RW) !== 0) return false;
  const mfn = frameOf(lo, hi);
  if (mfn === table) return true;
  if (frames.owner[table] !== domid || mfn >= frames.count) return false;
  const free =
    frames.linear[table] >= 0 && frames.linear[table] < MOST_LINKS && frames.linear[mfn] <= 0 && frames.linear[mfn] > -MOST_LINKS;
  const fits = frames.typeRefs[mfn] > 0 && frames.type[mfn] === type && (frames.flags[mfn] & PGF.validated) !== 0;
  if (!free || !fits || !getPage(frames, mfn, domid)) return false;
  frames.linear[table]++;
  frames.linear[mfn]--;
  frames.typeRefs[mfn]++;
  return true;
};

/** The link from `from` to `table` is gone. */
export const dropLinearLink = (machine: Machine, table: number, from: number): void => {
  machine.frames.linear[table]++;
  machine.frames.linear[from]--;
};
