/**
 * The page walk in every paging mode, as the tables in memory are now (looseness `open/stale-tlb`). Chapter:
 * spec/chapters/cpu_x86_system.md, "Paging".
 */
import type { ClauseId } from '#spec/clauses.ts';
import { CR0, CR4, EFER } from '#spec/isa/x86/control_registers.ts';
import type { Memory } from '../../../memory/memory.ts';
import { ACCESS, PTE } from '../../../memory/translate.ts';
import { or, type Word, word } from '../../../word/word.ts';
import { PF } from '../outcome.ts';
import { readPhysical, writePhysical } from './physical.ts';
import type { SystemState } from './state.ts';

/** Who asks, and on which registers the answer depends. */
export type Asking = {
  readonly system: SystemState;
  /** CPL 3. */
  readonly user: boolean;
  /** RFLAGS.AC: CPL 0 to 2 may touch user pages in spite of SMAP. */
  readonly ac: boolean;
  /** Physical address width in bits. */
  readonly width: number;
  readonly page1gb: boolean;
};

export type Found =
  | { readonly kind: 'mapped'; readonly frame: number; readonly memory: Memory; readonly tables: readonly number[] }
  | { readonly kind: 'fault'; readonly error: number; readonly clause: ClauseId };

/** One entry on the way: where it lies, and what it says. */
type Entry = { readonly at: number; readonly size: 4 | 8; readonly value: Word; readonly level: number };

/** How the tables of a paging mode are built. */
type Format = { readonly levels: 2 | 3 | 4; readonly size: 4 | 8; readonly bits: 9 | 10 };

const formatOf = ({ cr4, efer }: SystemState): Format => {
  if ((efer & EFER.LMA) !== 0) return { levels: 4, size: 8, bits: 9 };
  return (cr4 & CR4.PAE) !== 0 ? { levels: 3, size: 8, bits: 9 } : { levels: 2, size: 4, bits: 10 };
};

const FRAME = 4096;
/** Bits 12 to 51 as a number. */
const addressIn = ({ hi, lo }: Word): number => (hi & 0xfffff) * 0x1_0000_0000 + ((lo & ~0xfff) >>> 0);

const rootOf = ({ cr3 }: SystemState, { levels }: Format): number => {
  if (levels === 4) return addressIn(cr3);
  return (cr3.lo & (levels === 3 ? ~0x1f : ~0xfff)) >>> 0;
};

const indexAt = (va: Word, level: number, { bits, levels }: Format): number => {
  if (levels === 3 && level === 3) return va.lo >>> 30;
  const shift = 12 + bits * (level - 1);
  const low = shift < 32 ? va.lo >>> shift : 0;
  const high = shift === 12 ? 0 : shift < 32 ? va.hi << (32 - shift) : va.hi >>> (shift - 32);
  return (low | high) & ((1 << bits) - 1);
};

const isLarge = ({ value, level }: Entry, { levels }: Format, { cr4 }: SystemState): boolean => {
  if ((value.lo & PTE.PS) === 0) return false;
  if (levels === 2) return level === 2 && (cr4 & CR4.PSE) !== 0;
  return level === 2 || (level === 3 && levels === 4);
};

/** Bits of an entry's upper half that must be zero: above the physical width up to 51, and NX without EFER.NXE. */
const reservedHigh = ({ width, system }: Asking): number =>
  (width >= 52 ? 0 : 0xfffff & ~(2 ** Math.max(width - 32, 0) - 1)) | ((system.efer & EFER.NXE) === 0 ? 1 << 31 : 0);

const RESERVED_PDPTE = 0x1e6;

const hasReserved = (entry: Entry, format: Format, asking: Asking): boolean => {
  const { value, level } = entry;
  const large = isLarge(entry, format, asking.system);
  if (format.levels === 2) return large && reservedIn4Mb(value.lo, asking.width);
  if ((value.hi & reservedHigh(asking)) !== 0) return true;
  if (format.levels === 3) {
    if (level === 3) return (value.hi & ~0xfffff) !== 0 || (value.lo & RESERVED_PDPTE) !== 0;
    return (value.hi & 0x7ff00000) !== 0 || (large && (value.lo & 0x1fe000) !== 0);
  }
  if (level === 4) return (value.lo & PTE.PS) !== 0;
  if (level === 3 && large) return !asking.page1gb || (value.lo & 0x3fffe000) !== 0;
  return large && (value.lo & 0x1fe000) !== 0;
};

/** Bits 13 to 20 of a 4 MB entry are address bits 32 to 39, as far as the processor has them; bit 21 is reserved. */
const reservedIn4Mb = (lo: number, width: number): boolean => {
  const above = Math.min(Math.max(width - 32, 0), 8);
  return (lo & (0x200000 | (0x1fe000 & ~(((1 << above) - 1) << 13)))) !== 0;
};

const frameIn = (entry: Entry, va: Word, { levels }: Format): number => {
  const { value, level } = entry;
  if (level === 1) return addressIn(value) / FRAME;
  if (levels === 2) return ((value.lo >>> 13) & 0xff) * 0x100000 + ((value.lo >>> 22) * 1024 + ((va.lo >>> 12) & 1023));
  const low = level === 2 ? 0x1ff : 0x3ffff;
  const first = addressIn(value) / FRAME;
  return first - (first & low) + ((va.lo >>> 12) & low);
};

/** An entry of PAE's top level has no rights and no accessed bit. */
const hasRights = ({ level }: Entry, { levels }: Format): boolean => !(levels === 3 && level === 3);

/** Walk the tables for one access: 0, WRITE or FETCH (ACCESS). */
export const walkTables = (memory: Memory, asking: Asking, va: Word, access: number): Found => {
  const format = formatOf(asking.system);
  const error = errorCode(asking, access);
  const used: Entry[] = [];
  let table = rootOf(asking.system, format);
  for (let level: number = format.levels; ; level--) {
    const at = table + indexAt(va, level, format) * format.size;
    const entry: Entry = { at, size: format.size, value: readPhysical(memory, at, format.size), level };
    if ((entry.value.lo & PTE.P) === 0) return { kind: 'fault', error, clause: 'x86/paging-not_present' };
    if (hasReserved(entry, format, asking))
      return { kind: 'fault', error: error | PF.PRESENT | PF.RESERVED, clause: 'x86/paging-reserved' };
    used.push(entry);
    if (level > 1 && !isLarge(entry, format, asking.system)) {
      table = addressIn(entry.value);
      continue;
    }
    const refused = refuses(
      used.filter((e) => hasRights(e, format)),
      asking,
      access,
    );
    if (refused) return { kind: 'fault', error: error | PF.PRESENT, clause: refused };
    const marked = used.filter((e) => hasRights(e, format));
    return {
      kind: 'mapped',
      frame: frameIn(entry, va, format),
      memory: mark(memory, marked, (access & ACCESS.WRITE) !== 0),
      tables: used.map((e) => Math.floor(e.at / FRAME)),
    };
  }
};

/** I is told only where a fetch can differ from a read: with NX or SMEP. */
const errorCode = ({ system: { cr4, efer }, user }: Asking, access: number): number => {
  const tellsFetch = (cr4 & CR4.SMEP) !== 0 || ((efer & EFER.NXE) !== 0 && (cr4 & CR4.PAE) !== 0);
  return (access & ACCESS.WRITE) | (user ? PF.USER : 0) | ((access & ACCESS.FETCH) !== 0 && tellsFetch ? PF.FETCH : 0);
};

const refuses = (used: readonly Entry[], { system, user, ac }: Asking, access: number): ClauseId | null => {
  const userPage = used.every(({ value }) => (value.lo & PTE.U) !== 0);
  const writable = used.every(({ value }) => (value.lo & PTE.W) !== 0);
  const executable = used.every(({ value, size }) => size === 4 || value.hi >= 0);
  const fetches = (access & ACCESS.FETCH) !== 0;
  if (user && !userPage) return 'x86/paging-user';
  if (!user && userPage && fetches && (system.cr4 & CR4.SMEP) !== 0) return 'x86/paging-smep';
  if (!user && userPage && !fetches && (system.cr4 & CR4.SMAP) !== 0 && !ac) return 'x86/paging-smap';
  if (fetches) return executable ? null : 'x86/paging-nx';
  const mayWrite = writable || (!user && (system.cr0 & CR0.WP) === 0);
  return (access & ACCESS.WRITE) !== 0 && !mayWrite ? 'x86/paging-write' : null;
};

/** x86/paging-accessed: all entries become accessed, the last one dirty when the access writes. */
const mark = (memory: Memory, used: readonly Entry[], writes: boolean): Memory =>
  used.reduce((m, { at, size, value }, n) => {
    const bits = PTE.A | (writes && n === used.length - 1 ? PTE.D : 0);
    return (value.lo & bits) === bits ? m : writePhysical(m, at, size, or(value, word(0, bits)));
  }, memory);
