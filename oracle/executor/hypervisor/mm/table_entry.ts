/** What an entry of an L2, L3 or L4 table holds: a general and a type reference to the table below. */
import { ERRNO } from '#spec/abi/errno.ts';
import { PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';
import type { Vcpu } from '../vcpu.ts';
import { hasBadCompatL3Flags, isCompat } from './compat_rules.ts';
import { frameOf, PTE } from './entry.ts';
import { getLinearTable } from './linear_table.ts';
import { putPage } from './page.ts';
import { getPageAndType, type Hold, putPageType } from './page_type.ts';

const DISALLOWED = PTE.PWT | PTE.PCD | PTE.PAT | PTE.GLOBAL;

/** Large pages, cache attributes and G are not for guests in upper tables. */
export const hasBadTableFlags = (lo: number): boolean => (lo & DISALLOWED) !== 0;

/** Lower half of a present entry as Xen stores it. */
export const adjustTableLo = (lo: number, type: number): number => (type === PGT.l4 ? lo | PTE.USER | PTE.ACCESSED : lo | PTE.USER);

/** The type of the tables that entries of a table of this type refer to. */
const below = (type: number): number => (type === PGT.xen_l2 ? PGT.l1 : type - 1);

/** Take the references of a present entry in `table`. Answers 0 or a negative errno (getPageType). */
export const getPageFromTableEntry = (
  machine: Machine,
  vcpu: Vcpu,
  lo: number,
  hi: number,
  table: number,
  type: number,
  hold?: Hold,
): number => {
  if (hasBadTableFlags(lo) || (type === PGT.l3 && isCompat(machine, machine.frames.owner[table]) && hasBadCompatL3Flags(hi)))
    return -ERRNO.EINVAL;
  const domid = machine.frames.owner[table];
  const answer = getPageAndType(machine, vcpu, frameOf(lo, hi), below(type), domid, hold);
  const mayLink = type !== PGT.l3 || !isCompat(machine, domid);
  if (answer === -ERRNO.EINVAL && mayLink && getLinearTable(machine, lo, hi, table, type, domid)) return 0;
  return answer;
};

/** Give back what an entry held, at once. Answers 0, or -ERESTART: interrupted, the entry holds its general reference. */
export const putPageFromTableEntry = (machine: Machine, vcpu: Vcpu, lo: number, hi: number, table: number, partialSet: boolean): number => {
  const mfn = frameOf(lo, hi);
  if ((lo & PTE.PRESENT) === 0 || mfn === table) return 0;
  const answer = putPageType(machine, vcpu, mfn, partialSet, table);
  if (answer === 0) putPage(machine.frames, mfn);
  return answer;
};

/** Leave what an entry held for later: dropping a tree of tables takes long. */
export const deferPutFromTableEntry = (vcpu: Vcpu, lo: number, hi: number, table: number): void => {
  const mfn = frameOf(lo, hi);
  if ((lo & PTE.PRESENT) === 0 || mfn === table) return;
  vcpu.oldGuestTable = mfn;
  vcpu.oldGuestTablePartial = false;
  vcpu.oldGuestPtpg = table;
};
