/** The page walk of 4-level paging: from a linear address to a machine frame, as the CPU does it. Chapter: spec/chapters/cpu_x86.md. */
import { or, type Word, word } from '../word/word.ts';
import { type Memory, readWord, writeWord } from './memory.ts';

/** What an access wants, in the bits of a page fault's error code. An access without USER is Xen's own. */
export const ACCESS = { READ: 0, WRITE: 2, USER: 4, FETCH: 16 } as const;

/** Bits of a page table entry's low half. NX is bit 63. */
export const PTE = { P: 1, W: 2, U: 4, A: 0x20, D: 0x40, PS: 0x80 } as const;

/** Physical addresses have 40 bits; the address bits of an entry above them must be zero. */
const RESERVED_HI = 0x000fff00;

/** Why a walk ended in a fault. */
export type WalkClause =
  | 'x86/page_walk-not_present'
  | 'x86/page_walk-reserved'
  | 'x86/page_walk-user'
  | 'x86/page_walk-write'
  | 'x86/page_walk-nx';

/** What the entries on the way allow together. `dirty`: the last entry is marked as written already. */
export type Rights = { readonly write: boolean; readonly user: boolean; readonly execute: boolean; readonly dirty: boolean };

/** One entry that the walk used. */
type Used = { readonly table: number; readonly index: number; readonly entry: Word };

/**
 * `mapped`: `frame` holds the address, and `memory` has the accessed and dirty bits set. `fault`: the error code of #PF;
 * no table has changed.
 */
export type Walk =
  | { readonly kind: 'mapped'; readonly frame: number; readonly rights: Rights; readonly used: readonly Used[]; readonly memory: Memory }
  | { readonly kind: 'fault'; readonly error: number; readonly clause: WalkClause };

/** Index into the table of a level (4 is the top) for an address. */
export const tableIndex = (va: Word, level: number): number => {
  if (level === 4) return (va.hi >>> 7) & 511;
  if (level === 3) return ((va.hi & 127) << 2) | (va.lo >>> 30);
  return (va.lo >>> (12 + 9 * (level - 1))) & 511;
};

/** The frame that an entry names. */
export const entryFrame = ({ hi, lo }: Word): number => (hi & 0xfffff) * 0x10_0000 + (lo >>> 12);

const isLarge = (entry: Word, level: number): boolean => level > 1 && (entry.lo & PTE.PS) !== 0;

const hasReservedBit = (entry: Word, level: number): boolean => {
  if ((entry.hi & RESERVED_HI) !== 0) return true;
  if (!isLarge(entry, level)) return false;
  if (level === 4) return true;
  return (entry.lo & (level === 2 ? 0x001fe000 : 0x3fffe000)) !== 0;
};

/** Walk the tables under `root` for one access to `va`, which must be canonical. */
export const walk = (memory: Memory, root: number, va: Word, access: number): Walk => {
  const used: Used[] = [];
  let table = root;
  // Each right must be given by every entry.
  let flags = PTE.W | PTE.U;
  let execute = true;
  let marked = true;
  for (let level = 4; ; level--) {
    const index = tableIndex(va, level);
    const entry = readWord(memory, table, index);
    if ((entry.lo & PTE.P) === 0) return { kind: 'fault', error: access, clause: 'x86/page_walk-not_present' };
    if (hasReservedBit(entry, level)) return { kind: 'fault', error: access | 9, clause: 'x86/page_walk-reserved' };
    flags &= entry.lo;
    execute &&= entry.hi >= 0;
    marked &&= (entry.lo & PTE.A) !== 0;
    used.push({ table, index, entry });
    table = entryFrame(entry);
    if (level > 1 && !isLarge(entry, level)) continue;
    const rights = { write: (flags & PTE.W) !== 0, user: (flags & PTE.U) !== 0, execute, dirty: (entry.lo & PTE.D) !== 0 };
    const refused = refuses(rights, access);
    if (refused) return { kind: 'fault', error: access | 1, clause: refused };
    const writes = (access & ACCESS.WRITE) !== 0;
    return {
      kind: 'mapped',
      frame: level === 1 ? table : withinLarge(table, va, level),
      rights,
      used,
      memory: marked && (rights.dirty || !writes) ? memory : markUsed(memory, used, writes),
    };
  }
};

/** Protection is judged when the whole walk has found every entry present. */
const refuses = (rights: Rights, access: number): WalkClause | null => {
  if ((access & ACCESS.USER) !== 0 && !rights.user) return 'x86/page_walk-user';
  if ((access & ACCESS.WRITE) !== 0 && !rights.write) return 'x86/page_walk-write';
  if ((access & ACCESS.FETCH) !== 0 && !rights.execute) return 'x86/page_walk-nx';
  return null;
};

/** The 4 KiB frame inside a 2 MiB (level 2) or 1 GiB (level 3) page. */
const withinLarge = (first: number, va: Word, level: number): number => {
  const low = level === 2 ? 0x1ff : 0x3ffff;
  return first - (first & low) + ((va.lo >>> 12) & low);
};

/** x86/page_walk-accessed: all entries become accessed, the last one dirty when the access writes. */
const markUsed = (memory: Memory, used: readonly Used[], writes: boolean): Memory =>
  used.reduce((m, { table, index, entry }, i) => {
    const bits = PTE.A | (writes && i === used.length - 1 ? PTE.D : 0);
    return (entry.lo & bits) === bits ? m : writeWord(m, table, index, or(entry, word(0, bits)));
  }, memory);

/** Bits 63 to 47 of a linear address must be equal. */
export const isCanonical = (va: Word): boolean => va.hi >> 15 === 0 || va.hi >> 15 === -1;
