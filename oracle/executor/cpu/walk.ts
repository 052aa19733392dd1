/** The four-level page walk over tables in memory; accessed and dirty bits are set as the CPU sets them. */
import { XEN_PRIVATE_RANGES } from '#spec/abi/xen.ts';
import { FRAME_BYTES, MARK_TABLE, type Memory } from '../memory.ts';

/** What is asked of a translation. `user` is false only for accesses that Xen itself makes. */
export type Access = { readonly write: boolean; readonly fetch: boolean; readonly user: boolean };

export const READ: Access = { write: false, fetch: false, user: true };
export const WRITE: Access = { write: true, fetch: false, user: true };
export const FETCH: Access = { write: false, fetch: true, user: true };
/** As Xen itself touches guest memory. */
export const XEN_READ: Access = { write: false, fetch: false, user: false };
export const XEN_WRITE: Access = { write: true, fetch: false, user: false };

/** The same of a ring below 3. */
export const asSupervisor = (access: Access): Access => ({ ...access, user: false });

/** Where an address leads, or the page fault's error code. `dirty`: a write would find nothing to do in the tables. */
export type Translation =
  | { readonly ok: true; readonly maddr: number; readonly dirty: boolean }
  | { readonly ok: false; readonly error: number };

const PRESENT = 1;
const WRITABLE = 2;
const USER = 4;
const ACCESSED = 0x20;
const DIRTY = 0x40;
const LARGE = 0x80;

/** Bits of a page fault's error code. */
const ERROR = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 0x10 } as const;

const fail = (access: Access, cause: number): Translation => ({
  ok: false,
  error: cause | (access.write ? ERROR.WRITE : 0) | (access.user ? ERROR.USER : 0) | (access.fetch ? ERROR.FETCH : 0),
});

/** Address bits of an entry's upper half that must be zero, from the width of physical addresses. */
export const reservedHigh = (physicalBits: number): number => (0xfffff & ~((1 << (physicalBits - 32)) - 1)) | 0;

const privateRanges = XEN_PRIVATE_RANGES.map(({ start, bytes }) => ({ start, bytes }));

/** Whether a guest's access to `hi:lo` finds a page that is mapped for Xen alone (spec/abi/xen.ts). */
const isXenPrivate = (memory: Memory, lo: number, hi: number): boolean => {
  if (hi >>> 0 < 0xffff8000 || hi >>> 0 >= 0xffff8800) return false;
  const address = (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
  return privateRanges.some(
    ({ start, bytes }) => address >= start && address < start + BigInt(bytes === 'ram' ? memory.frames * FRAME_BYTES : bytes),
  );
};

/** Machine addresses of the entries that the walk at work has passed, top first. */
const passed = new Float64Array(4);

/**
 * Translate the canonical address `hi:lo` by the tables under frame `root`. All frames that the walk reads become watched, so that whoever
 * caches the result learns of changes (Memory.tableEpoch). `reserved`: see `reservedHigh`.
 *
 * A frame number that RAM does not reach comes back as it is, `maddr` beyond memory's end: the caller decides.
 */
export const walk = (memory: Memory, root: number, lo: number, hi: number, access: Access, reserved: number): Translation => {
  if (access.user && isXenPrivate(memory, lo, hi)) return fail(access, ERROR.PRESENT);
  let depth = 0;
  let table = root;
  let writable = true;
  let user = true;
  let executable = true;
  for (let level = 4; ; level--) {
    if (table >= memory.frames) return fail(access, ERROR.PRESENT | ERROR.RESERVED);
    const at = table * FRAME_BYTES + 8 * tableIndex(lo, hi, level);
    memory.watch(table, MARK_TABLE);
    const low = memory.view.getInt32(at, true);
    const high = memory.view.getInt32(at + 4, true);
    if ((low & PRESENT) === 0) return fail(access, 0);
    const large = (low & LARGE) !== 0 && level > 1;
    if ((high & reserved) !== 0 || (large && hasReservedLow(low, level))) return fail(access, ERROR.PRESENT | ERROR.RESERVED);
    passed[depth++] = at;
    writable &&= (low & WRITABLE) !== 0;
    user &&= (low & USER) !== 0;
    executable &&= high >= 0;
    const mfn = (low >>> 12) + (high & 0xfffff) * 0x100000;
    if (level > 1 && !large) {
      table = mfn;
      continue;
    }
    if ((access.user && !user) || (access.write && !writable) || (access.fetch && !executable)) return fail(access, ERROR.PRESENT);
    setBits(memory, depth, access.write);
    return { ok: true, maddr: pageAddress(mfn, lo, level), dirty: writable && (low & DIRTY) !== 0 };
  }
};

/** Index into the table of `level` (4 top, 1 leaf). */
const tableIndex = (lo: number, hi: number, level: number): number => {
  if (level === 1) return (lo >>> 12) & 511;
  if (level === 2) return (lo >>> 21) & 511;
  if (level === 3) return ((lo >>> 30) | (hi << 2)) & 511;
  return (hi >>> 7) & 511;
};

/** Level 4 has no large pages; in the others the address bits below the page size (but for PAT, bit 12) are reserved. */
const hasReservedLow = (low: number, level: number): boolean => level === 4 || (low & (level === 2 ? 0x1fe000 : 0x3fffe000)) !== 0;

const pageAddress = (mfn: number, lo: number, level: number): number => {
  const offset = level === 1 ? lo & 0xfff : level === 2 ? lo & 0x1fffff : lo & 0x3fffffff;
  const aligned = level === 1 ? mfn : level === 2 ? mfn - (mfn % 512) : mfn - (mfn % 0x40000);
  return aligned * FRAME_BYTES + offset;
};

/** In the `depth` entries that the walk has passed. */
const setBits = (memory: Memory, depth: number, write: boolean): void => {
  for (let i = 0; i < depth; i++) {
    const at = passed[i];
    const low = memory.view.getInt32(at, true);
    const wanted = low | ACCESSED | (write && i === depth - 1 ? DIRTY : 0);
    if (wanted !== low) memory.writeEntryFlags(at, wanted);
  }
};
