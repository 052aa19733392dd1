/** The host part of a grant mapping: a level 1 entry of the mapping domain. */
import { GNTMAP } from '#spec/abi/grant_table.ts';
import type { VcpuRef } from '#spec/event.ts';
import { cite } from '../../journal.ts';
import type { Machine } from '../../machine.ts';
import { putPageFromL1e } from '../../page_type/l1_entry.ts';
import { adjusted, entryFor, frameOf, PTE, PTE_HIGH } from '../../page_type/pte.ts';
import { isZero, shr, toNumber, type Word, ZERO } from '../../word/word.ts';
import { entryAt, findGuestL1e, isL1TableOf, type Place, writeEntry } from '../mm/guest_l1e.ts';

/** The entry that `address` means: the one that maps it, or, with GNTMAP_contains_pte, the one that lies there. */
const findEntry = (
  machine: Machine,
  caller: VcpuRef,
  address: Word,
  flags: number,
): { readonly machine: Machine; readonly place: Place | null } => {
  const found = flags & GNTMAP.contains_pte ? { machine, place: entryLyingAt(address) } : findGuestL1e(machine, caller, address);
  const usable = found.place !== null && isL1TableOf(found.machine, caller.domid, found.place.mfn);
  return usable ? found : { machine: found.machine, place: null };
};

const entryLyingAt = (address: Word): Place | null =>
  (address.lo & 7) === 0 ? { mfn: toNumber(shr(address, 12)), index: (address.lo & 0xfff) >> 3 } : null;

const presence = (flags: number): number => PTE.P | (flags & GNTMAP.readonly ? 0 : PTE.RW);

/** The guest's three bits of the flags become bits 9 to 11. */
const guestBits = (flags: number): number => ((flags >>> GNTMAP.guest_avail_shift) & 7) << 9;

const grantEntry = (mfn: number, flags: number): Word => {
  const user = flags & GNTMAP.application_map ? PTE.US : 0;
  return adjusted(entryFor(mfn, presence(flags) | PTE.A | PTE.D | user | guestBits(flags), PTE_HIGH.NX), 1);
};

/** `ok` false: there is no such entry (`gnttab/map-no_entry`), or it maps something else (`gnttab/unmap-entry`). */
export type Attempt = { readonly ok: boolean; readonly machine: Machine };

/** Map `mfn` at `address`. References and uses are the caller's business. */
export const createHostMapping = (machine: Machine, caller: VcpuRef, address: Word, mfn: number, flags: number): Attempt => {
  const { machine: m, place } = findEntry(machine, caller, address, flags);
  if (!place) return { ok: false, machine: m };
  const old = entryAt(m, place);
  const written = writeEntry(m, place, grantEntry(mfn, flags));
  return { ok: true, machine: cite(putPageFromL1e(written, old), 'gnttab/map-entry_written') };
};

/**
 * Clear the entry at `address`, which must map `mfn` with the mapping's rights, or put what `newAddress` maps in its place
 * (`gnttab/unmap_and_replace-moved`).
 */
export const destroyHostMapping = (
  machine: Machine,
  caller: VcpuRef,
  address: Word,
  mfn: number,
  flags: number,
  newAddress: Word = ZERO,
): Attempt => {
  const taken = isZero(newAddress) ? { ok: true, machine, entry: ZERO } : takeEntry(machine, caller, newAddress, flags);
  if (!taken.ok) return taken;
  const { machine: m, place } = findEntry(taken.machine, caller, address, flags);
  // What was taken is lost then.
  const failed = (): Attempt => ({ ok: false, machine: putPageFromL1e(m, taken.entry) });
  if (!place) return failed();
  const pte = entryAt(m, place);
  if (frameOf(pte) !== mfn || (pte.lo & (PTE.P | PTE.RW)) !== presence(flags)) return failed();
  return { ok: true, machine: writeEntry(m, place, taken.entry) };
};

/** The entry that maps an address is empty from now on; what it held goes with it. A mapping by an entry's own address cannot be replaced. */
const takeEntry = (machine: Machine, caller: VcpuRef, address: Word, flags: number): Attempt & { readonly entry: Word } => {
  if (flags & GNTMAP.contains_pte) return { ok: false, machine, entry: ZERO };
  const { machine: m, place } = findEntry(machine, caller, address, 0);
  if (!place) return { ok: false, machine: m, entry: ZERO };
  const entry = entryAt(m, place);
  return { ok: true, machine: cite(writeEntry(m, place, ZERO), 'gnttab/unmap_and_replace-moved'), entry };
};
