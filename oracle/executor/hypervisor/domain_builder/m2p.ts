/** The machine-to-physical table and the two tables through which every guest reads it. */
import { DOMID } from '#spec/abi/xen.ts';
import { NO_OWNER, PGF, PGT } from '../frame_table.ts';
import type { Machine } from '../machine.ts';

/** Flags of Xen's entries, as upper and lower halves: for guests read-only, never executable at the top. */
const TOP_FLAGS = { hi: 0x80000000 | 0, lo: 0x25 } as const;
const MIDDLE_FLAGS = { hi: 0, lo: 0x25 } as const;
const LARGE_FLAGS = { hi: 0x80000000 | 0, lo: 0x1a5 } as const;
const ENTRY_BYTES = 8;
const ENTRIES_IN_LARGE_PAGE = 0x200000 / ENTRY_BYTES;

const entry = (machine: Machine, at: number, mfn: number, flags: { readonly hi: number; readonly lo: number }): void => {
  machine.memory.writeHalves(at, (mfn << 12) | flags.lo | 0, (mfn >>> 20) | flags.hi);
};

/** Take a frame of Xen's heap: the one that was given back last, else the lowest fresh one. It is empty. */
export const allocateXenheap = (machine: Machine, owner: number = NO_OWNER): number => {
  const mfn = machine.xenheapFree.pop() ?? machine.xenheapNext++;
  machine.frames.touch(mfn);
  machine.frames.owner[mfn] = owner;
  machine.frames.flags[mfn] |= PGF.xenheap;
  return mfn;
};

/** How many frames of Xen's heap are free. */
export const xenheapRoom = ({ xenheapFree, xenheapNext, config }: Machine): number =>
  xenheapFree.length + config.layout.xenheap_end - xenheapNext;

/** Give a frame of Xen's heap back, to which nobody has a reference; it is erased. */
export const freeXenheap = (machine: Machine, mfn: number): void => {
  const { frames } = machine;
  frames.touch(mfn);
  frames.owner[mfn] = NO_OWNER;
  frames.refs[mfn] = 0;
  frames.type[mfn] = PGT.none;
  frames.typeRefs[mfn] = 0;
  frames.flags[mfn] = 0;
  machine.memory.fill(mfn * 4096, 4096, 0);
  setM2p(machine, mfn, -1);
  machine.xenheapFree.push(mfn);
};

/** Build the table, all invalid, before any domain; the first two frames of Xen's heap hold its L3 and L2. */
export const buildM2p = (machine: Machine): void => {
  const { m2p_first } = machine.config.layout;
  const { frames, memory } = machine;
  memory.fill(m2p_first * 4096, frames.count * ENTRY_BYTES, 0xff);
  const last = m2p_first + Math.ceil((frames.count * ENTRY_BYTES) / 4096);
  for (let mfn = m2p_first; mfn < last; mfn++) {
    frames.owner[mfn] = DOMID.XEN;
    frames.refs[mfn] = 1;
    // A reference of no type at all: nobody can map them writable.
    frames.typeRefs[mfn] = 1;
    frames.flags[mfn] = PGF.validated | PGF.allocated | PGF.xenheap;
  }
  const l3 = allocateXenheap(machine);
  const l2 = allocateXenheap(machine);
  entry(machine, l3 * 4096, l2, MIDDLE_FLAGS);
  for (let i = 0; i * ENTRIES_IN_LARGE_PAGE < frames.count; i++) entry(machine, l2 * 4096 + 8 * i, m2p_first + 512 * i, LARGE_FLAGS);
};

const COMPAT_ENTRY_BYTES = 4;

/** The table of 32-bit domains, likewise all invalid: before any domain, when one of them has a 32-bit kernel. */
export const buildCompatM2p = (machine: Machine, first: number): void => {
  const { frames, memory } = machine;
  const bytes = frames.count * COMPAT_ENTRY_BYTES;
  machine.compatM2p = first;
  memory.fill(first * 4096, bytes, 0xff);
  for (let mfn = first; mfn < first + Math.ceil(bytes / 4096); mfn++) {
    frames.owner[mfn] = DOMID.XEN;
    frames.refs[mfn] = 1;
    frames.typeRefs[mfn] = 1;
    frames.flags[mfn] = PGF.validated | PGF.allocated | PGF.xenheap;
  }
};

/** Xen's slot 256, which every top-level table of a guest gets: the way to the table. */
export const installXenSlots = (machine: Machine, l4: number): void => {
  entry(machine, l4 * 4096 + 8 * 256, machine.config.layout.xenheap_first, TOP_FLAGS);
  machine.memory.fill(l4 * 4096 + 8 * 257, 8 * 15, 0);
};

/** Note that machine frame `mfn` is the domain's page `pfn`; -1: nobody's. `high`: upper half of the entry. */
export const setM2p = (machine: Machine, mfn: number, pfn: number, high: number = pfn < 0 ? -1 : 0): void => {
  machine.memory.writeHalves(machine.config.layout.m2p_first * 4096 + ENTRY_BYTES * mfn, pfn | 0, high);
  if (machine.compatM2p >= 0) machine.memory.write32(machine.compatM2p * 4096 + COMPAT_ENTRY_BYTES * mfn, pfn | 0);
};
