/**
 * From linear to physical addresses: no paging, 32-bit paging with 4 MB pages, PAE, four levels with 2 MB and 1 GB pages. Source: Intel
 * SDM volume 3, chapter 4; AMD APM volume 2, chapter 5. Nothing is kept here; whoever keeps a translation is told when a table changes
 * (Memory.watch).
 */
import { RAM_HOLE } from '#spec/bare/boot.ts';
import { CR0 as CR0_BITS, CR4 as CR4_BITS, EFER as EFER_BITS } from '#spec/isa/x86/control_registers.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { FRAME_BYTES, MARK_TABLE, type Memory } from '../../memory.ts';
import type { Cpu } from '../cpu.ts';
import { CPL, CR0, CR3, CR4, EFER, SYSTEM } from '../layout.ts';
import type { Access, Translation } from '../walk.ts';
import type { Level, LevelAccess } from './access.ts';
import { hasFeature, physicalWidth } from './features.ts';

const PRESENT = 1;
const WRITE = 2;
const USER = 4;
const ACCESSED = 0x20;
const DIRTY = 0x40;
const LARGE = 0x80;

/** Bits of a page fault's error code. */
const ERROR = { PRESENT: 1, WRITE: 2, USER: 4, RESERVED: 8, FETCH: 0x10 } as const;

/** What one kind of paging asks of the walk, level by level from the top. */
type Format = {
  readonly entryBytes: 4 | 8;
  /** Bit where each level's index begins, and its bits. */
  readonly levels: readonly { readonly shift: number; readonly bits: number }[];
  /** The top level is PAE's table of four: no rights, no accessed bit. */
  readonly pointers: boolean;
};

const TWO_LEVELS: Format = {
  entryBytes: 4,
  levels: [
    { shift: 22, bits: 10 },
    { shift: 12, bits: 10 },
  ],
  pointers: false,
};
const PAE: Format = {
  entryBytes: 8,
  levels: [
    { shift: 30, bits: 2 },
    { shift: 21, bits: 9 },
    { shift: 12, bits: 9 },
  ],
  pointers: true,
};
const FOUR_LEVELS: Format = {
  entryBytes: 8,
  levels: [
    { shift: 39, bits: 9 },
    { shift: 30, bits: 9 },
    { shift: 21, bits: 9 },
    { shift: 12, bits: 9 },
  ],
  pointers: false,
};

const formatOf = (c: Cpu): Format => {
  if ((c.s[EFER] & EFER_BITS.LMA) !== 0) return FOUR_LEVELS;
  return (c.s[CR4] & CR4_BITS.PAE) !== 0 ? PAE : TWO_LEVELS;
};

/** With whose rights an access of `readable` or `writable` goes: those of the current ring. */
const levelOf = (c: Cpu, access: Access): Level => (access as Partial<LevelAccess>).level ?? (c.s[CPL] === 3 ? 'user' : 'supervisor');

const isRam = (memory: Memory, address: number): boolean =>
  address < memory.frames * FRAME_BYTES && (address < RAM_HOLE.start || address >= RAM_HOLE.end);

/** A table entry by its halves: all ones where no RAM answers. */
type Entry = { readonly address: number; readonly low: number; readonly high: number };

const readEntry = (memory: Memory, address: number, bytes: 4 | 8): Entry => {
  if (!isRam(memory, address)) return { address, low: -1, high: bytes === 8 ? -1 : 0 };
  memory.watch(Math.floor(address / FRAME_BYTES), MARK_TABLE);
  return { address, low: memory.view.getInt32(address, true), high: bytes === 8 ? memory.view.getInt32(address + 4, true) : 0 };
};

const LOW32 = 2 ** 32;
/** Physical address in an entry, bits 12 up to 51. */
const addressOf = ({ low, high }: Entry): number => ((low & ~0xfff) >>> 0) + (high & 0xfffff) * LOW32;

/** Bits of the upper half that must be zero. */
const reservedHigh = (c: Cpu, format: Format, pointer: boolean): number => {
  const nx = pointer || (c.s[EFER] & EFER_BITS.NXE) === 0 ? 0x80000000 : 0;
  return c.reserved | nx | (format === FOUR_LEVELS ? 0 : 0x7ff00000) | 0;
};

/** Bits that PAE's top level entries must not have. */
const POINTER_RESERVED = 0x1e6;

const hasReserved = (c: Cpu, format: Format, entry: Entry, level: number, large: boolean): boolean => {
  const { low, high } = entry;
  if (format === TWO_LEVELS) return large && (low & reservedLarge32(c)) !== 0;
  const pointer = format.pointers && level === 0;
  if ((high & reservedHigh(c, format, pointer)) !== 0) return true;
  if (pointer) return (low & POINTER_RESERVED) !== 0;
  if (!large) return false;
  if (format === FOUR_LEVELS && level === 0) return true;
  if (format === FOUR_LEVELS && level === 1) return !hasFeature(c, 'page1gb') || (low & 0x3fffe000) !== 0;
  return (low & 0x1fe000) !== 0;
};

/** 4 MB pages: bits 13 to 20 are bits 32 to 39 of the address, as far as there are; bit 21 is reserved. */
const reservedLarge32 = (c: Cpu): number => {
  const width = hasFeature(c, 'pse36') ? Math.min(40, physicalWidth(c)) : 32;
  return 0x3fe000 & ~(((1 << (width - 32)) - 1) << 13);
};

/** Whether an entry maps a page itself instead of naming a table. */
const isLarge = (c: Cpu, format: Format, { low }: Entry, level: number): boolean => {
  if (level === format.levels.length - 1 || (format.pointers && level === 0) || (low & LARGE) === 0) return false;
  return format !== TWO_LEVELS || (c.s[CR4] & CR4_BITS.PSE) !== 0;
};

const indexOf = (lo: number, hi: number, shift: number, bits: number): number => {
  const value = shift >= 32 ? hi >>> (shift - 32) : shift === 0 ? lo : (lo >>> shift) | (shift > 20 ? hi << (32 - shift) : 0);
  return value & ((1 << bits) - 1);
};

/** Physical address of the byte: the page's, and the offset below `shift`. */
const byteAddress = (format: Format, entry: Entry, lo: number, shift: number): number => {
  const offset = lo & (2 ** shift - 1);
  if (format === TWO_LEVELS && shift === 22) return ((entry.low & 0xffc00000) >>> 0) + ((entry.low >>> 13) & 0xff) * LOW32 + offset;
  const page = addressOf(entry);
  return page - (page % 2 ** shift) + offset;
};

const causes = (c: Cpu, format: Format, access: Access, level: Level): number => {
  const tellsFetch = (format !== TWO_LEVELS && (c.s[EFER] & EFER_BITS.NXE) !== 0) || (c.s[CR4] & CR4_BITS.SMEP) !== 0;
  return (access.write ? ERROR.WRITE : 0) | (level === 'user' ? ERROR.USER : 0) | (access.fetch && tellsFetch ? ERROR.FETCH : 0);
};

/** What the entries on the way allow together. */
type Rights = { writable: boolean; user: boolean; executable: boolean };

const isAllowed = (c: Cpu, access: Access, level: Level, { writable, user, executable }: Rights): boolean => {
  const { s } = c;
  if (access.fetch && !executable) return false;
  if (level === 'user') return user && (!access.write || writable);
  if (access.write && !writable && (s[CR0] & CR0_BITS.WP) !== 0) return false;
  if (!user) return true;
  if (access.fetch) return (s[CR4] & CR4_BITS.SMEP) === 0;
  return (s[CR4] & CR4_BITS.SMAP) === 0 || (level === 'supervisor' && (s[SYSTEM] & RFLAGS.AC) !== 0);
};

/** Where the top table lies. */
const rootOf = (c: Cpu, format: Format): number => {
  const low = c.s[CR3];
  if (format === FOUR_LEVELS) return ((low & ~0xfff) >>> 0) + (c.s[CR3 + 1] & 0xfffff) * LOW32;
  return (low & (format === PAE ? ~0x1f : ~0xfff)) >>> 0;
};

/** Platform.walk of the bare machine. */
export const walkTables = (c: Cpu, lo: number, hi: number, access: Access): Translation => {
  if ((c.s[CR0] & CR0_BITS.PG) === 0) return { ok: true, maddr: lo >>> 0, dirty: true };
  const format = formatOf(c);
  const level = levelOf(c, access);
  const fail = (cause: number): Translation => ({ ok: false, error: cause | causes(c, format, access, level) });
  const entries: Entry[] = [];
  const rights: Rights = { writable: true, user: true, executable: true };
  let table = rootOf(c, format);
  for (let n = 0; ; n++) {
    const { shift, bits } = format.levels[n];
    const entry = readEntry(c.memory, table + format.entryBytes * indexOf(lo, hi, shift, bits), format.entryBytes);
    if ((entry.low & PRESENT) === 0) return fail(0);
    const large = isLarge(c, format, entry, n);
    if (hasReserved(c, format, entry, n, large)) return fail(ERROR.PRESENT | ERROR.RESERVED);
    if (!(format.pointers && n === 0)) {
      entries.push(entry);
      rights.writable &&= (entry.low & WRITE) !== 0;
      rights.user &&= (entry.low & USER) !== 0;
      rights.executable &&= entry.high >= 0;
    }
    if (!large && n < format.levels.length - 1) {
      table = addressOf(entry);
      continue;
    }
    if (!isAllowed(c, access, level, rights)) return fail(ERROR.PRESENT);
    setBits(c.memory, entries, access.write);
    return { ok: true, maddr: byteAddress(format, entry, lo, shift), dirty: rights.writable && (entry.low & DIRTY) !== 0 };
  }
};

const setBits = (memory: Memory, entries: readonly Entry[], write: boolean): void => {
  entries.forEach(({ address, low }, n) => {
    const wanted = low | ACCESSED | (write && n === entries.length - 1 ? DIRTY : 0);
    if (wanted !== low && isRam(memory, address)) memory.writeEntryFlags(address, wanted);
  });
};

/** Whether the four entries of a PAE root are fit: a present one has no reserved bits. */
export const hasGoodPointers = (c: Cpu, cr3: bigint): boolean => {
  const root = Number(cr3 & 0xffffffe0n);
  return [0, 8, 16, 24].every((offset) => {
    const entry = readEntry(c.memory, root + offset, 8);
    return (entry.low & PRESENT) === 0 || !hasReserved(c, PAE, entry, 0, false);
  });
};

/** Platform.space: a number that tells apart whatever translations depend on. */
export const spaceOf = (c: Cpu): number => {
  const { s } = c;
  if ((s[CR0] & CR0_BITS.PG) === 0) return 0;
  const cr4 = s[CR4];
  const bits = [
    true,
    s[CPL] === 3,
    (s[CR0] & CR0_BITS.WP) !== 0,
    (s[EFER] & EFER_BITS.LMA) !== 0,
    (s[EFER] & EFER_BITS.NXE) !== 0,
    (cr4 & CR4_BITS.PAE) !== 0,
    (cr4 & CR4_BITS.PSE) !== 0,
    (cr4 & CR4_BITS.SMEP) !== 0,
    (cr4 & CR4_BITS.SMAP) !== 0,
    (cr4 & CR4_BITS.SMAP) !== 0 && (s[SYSTEM] & RFLAGS.AC) !== 0,
  ].reduce((all, bit, n) => all + (bit ? 1 << n : 0), 0);
  const format = formatOf(c);
  return (rootOf(c, format) / (format === PAE ? 32 : FRAME_BYTES)) * 1024 + bits;
};
