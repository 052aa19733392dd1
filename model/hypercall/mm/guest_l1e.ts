/** Finding the level 1 entry that maps an address in the caller's current address space. */
import type { VcpuRef } from '#spec/event.ts';
import { addressOk } from '../../guest_copy.ts';
import { frame, setMemory, vcpuOf } from '../../lens.ts';
import type { Machine } from '../../machine.ts';
import { readWord, writeWord } from '../../memory/memory.ts';
import { ownerOf } from '../../page_type/owner.ts';
import { frameOf, indexFor, isPresent, PTE } from '../../page_type/pte.ts';
import { type Word, word } from '../../word/word.ts';

/** A page table entry by its table and its index there. */
export type Place = { readonly mfn: number; readonly index: number };
export type Found = { readonly machine: Machine; readonly place: Place | null };

export const entryAt = (machine: Machine, { mfn, index }: Place): Word => readWord(machine.memory, mfn, index);
export const writeEntry = (machine: Machine, { mfn, index }: Place, pte: Word): Machine =>
  setMemory(machine, writeWord(machine.memory, mfn, index, pte));

/** Walk down to the entry of level 1. As the walk reads the entries of levels 4 and 3, they become accessed. */
export const findGuestL1e = (machine: Machine, caller: VcpuRef, va: Word): Found => {
  if (!addressOk(va)) return { machine, place: null };
  const l4 = follow(machine, { mfn: vcpuOf(machine, caller).cpu.segments.root, index: indexFor(va, 4) });
  if (l4.next === null) return { machine: l4.machine, place: null };
  const l3 = follow(l4.machine, { mfn: l4.next, index: indexFor(va, 3) });
  if (l3.next === null) return { machine: l3.machine, place: null };
  const l2e = entryAt(l3.machine, { mfn: l3.next, index: indexFor(va, 2) });
  const usable = (l2e.lo & (PTE.P | PTE.PSE)) === PTE.P;
  return { machine: l3.machine, place: usable ? { mfn: frameOf(l2e), index: indexFor(va, 1) } : null };
};

const follow = (machine: Machine, place: Place): { readonly machine: Machine; readonly next: number | null } => {
  const pte = entryAt(machine, place);
  if (!isPresent(pte)) return { machine, next: null };
  const accessed = (pte.lo & PTE.A) === 0 ? writeEntry(machine, place, word(pte.hi, pte.lo | PTE.A)) : machine;
  return { machine: accessed, next: frameOf(pte) };
};

/** The frame belongs to the domain and is in use as a level 1 table. */
export const isL1TableOf = (machine: Machine, domid: number, mfn: number): boolean => {
  if (ownerOf(machine, mfn) !== domid) return false;
  const { type, typeRefs, validated } = frame(machine, mfn)!;
  return type === 'l1' && typeRefs > 0 && validated;
};
