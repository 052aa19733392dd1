/**
 * From linear addresses to frames for the running guest. What a walk found is remembered while it surely holds (see
 * memory/newest.ts); remembering never shows, it only saves the walk.
 */
import { NotModelled } from '#spec/failure.ts';
import { epochOf, learntFrom } from '../../memory/newest.ts';
import { ACCESS, isCanonical, type Rights, walk } from '../../memory/translate.ts';
import type { Word } from '../../word/word.ts';
import { requireCanonical } from './canonical.ts';
import { generalProtection, Marked, pageFault } from './fault.ts';
import type { Running } from './running.ts';
import { bareFrameFor } from './system/paging.ts';

const SLOTS = 1024;
const pageHi = new Int32Array(SLOTS);
const pageLo = new Int32Array(SLOTS);
const roots = new Int32Array(SLOTS);
const epochs = new Int32Array(SLOTS).fill(-1);
/** Accesses that need no new walk, as a mask over the bits of ACCESS. */
const allowed = new Int32Array(SLOTS);
const frames = new Int32Array(SLOTS);

/**
 * The frame that holds a linear address, for an access: 0, WRITE or FETCH; `~frame` when it is none of RAM, on the bare
 * machine alone. Throws #PF, #GP or (`stack`) #SS, or Marked when accessed and dirty bits had to be set first.
 */
export const frameFor = (s: Running, at: Word, wanted: number, stack: boolean): number => {
  if (s.system.kind === 'bare') return bareFrameFor(s, at, wanted, stack);
  // compat/ring-supervisor: ring 1 is no user.
  const access = s.system.cpl === 3 ? wanted | ACCESS.USER : wanted;
  const slot = ((at.lo >>> 12) ^ (at.hi << 3)) & (SLOTS - 1);
  if (
    pageLo[slot] === (at.lo & ~0xfff) &&
    pageHi[slot] === at.hi &&
    roots[slot] === s.segments.root &&
    epochs[slot] === epochOf(s.memory) &&
    (access & ~allowed[slot]) === 0
  )
    return frames[slot];
  return walkFor(s, at, access, stack, slot);
};

const walkFor = (s: Running, at: Word, access: number, stack: boolean, slot: number): number => {
  if ((access & ACCESS.FETCH) === 0) requireCanonical(at, stack);
  else if (!isCanonical(at)) throw generalProtection(0, 'x86/canonical-fetch');
  const root = s.segments.root;
  const found = walk(s.memory, root, at, access);
  if (found.kind === 'fault') throw pageFault(found.error, at, found.clause);
  if (found.memory !== s.memory) throw new Marked(found.memory);
  if (found.frame >= s.memory.frames) throw new NotModelled('memory/mmio');
  const epoch = epochOf(s.memory);
  for (const { table } of found.used) learntFrom(table);
  pageLo[slot] = at.lo & ~0xfff;
  pageHi[slot] = at.hi;
  roots[slot] = root;
  epochs[slot] = epoch;
  allowed[slot] = mask(found.rights);
  frames[slot] = found.frame;
  return found.frame;
};

/** A write through an entry that is not dirty yet must walk again. */
const mask = (rights: Rights): number =>
  (rights.write && rights.dirty ? ACCESS.WRITE : 0) | (rights.execute ? ACCESS.FETCH : 0) | (rights.user ? ACCESS.USER : 0);
