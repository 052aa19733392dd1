/** From an offset in a segment to a linear address. */
import { ACCESS } from '../../memory/translate.ts';
import { add, addInt, Word } from '../../word/word.ts';
import { canonicalTarget, requireCanonicalOffset } from './canonical.ts';
import { type Exit, generalProtection, stackFault } from './fault.ts';
import type { Running } from './running.ts';
import { CS, FS, GS, type Hidden, RIGHTS, type Segments, SS } from './state.ts';

/** The base of a segment register. */
export const baseOf = (segments: Segments, register: number): Word =>
  register === FS ? segments.fsBase : register === GS ? segments.gsBase : segments.hidden[register].base;

/**
 * Where `bytes` bytes at an offset begin. `access` (ACCESS) is WRITE when they are written. In 64-bit mode only FS and GS have a base;
 * x86/canonical-offset: before that, the offsets of all bytes must be canonical by themselves.
 */
export const segmented = (s: Running, register: number, offset: Word, bytes: number, access: number = ACCESS.READ): Word => {
  if (s.system.mode !== '64') return inSegment(s, register, offset.lo, bytes, access);
  if (register < FS) return offset;
  requireCanonicalOffset(offset);
  requireCanonicalOffset(addInt(offset, bytes - 1));
  return add(offset, register === FS ? s.segments.fsBase : s.segments.gsBase);
};

const inSegment = (s: Running, register: number, offset: number, bytes: number, access: number): Word => {
  const hidden = s.segments.hidden[register];
  const { mode } = s.system;
  const refused =
    (mode === 'real' || mode === 'v86' ? null : refusedByRights(hidden, access)) ?? refusedByLimit(hidden, offset >>> 0, bytes);
  if (refused) throw segmentFault(register, refused);
  return new Word(0, (baseOf(s.segments, register).lo + offset) | 0);
};

type Refusal = 'x86/segment-limit' | 'x86/segment-rights';

const segmentFault = (register: number, clause: Refusal): Exit => (register === SS ? stackFault(clause) : generalProtection(0, clause));

/** FETCH: execute-only code will do. */
const refusedByRights = ({ usable, rights }: Hidden, access: number): Refusal | null => {
  const code = (rights & RIGHTS.CODE) !== 0;
  const allowed = access === ACCESS.WRITE ? !code && (rights & RIGHTS.WRITABLE) !== 0 : !code || (rights & RIGHTS.READABLE) !== 0;
  return usable && (allowed || access === ACCESS.FETCH) ? null : 'x86/segment-rights';
};

const refusedByLimit = ({ limit, rights }: Hidden, offset: number, bytes: number): Refusal | null => {
  const last = offset + bytes - 1;
  const down = (rights & (RIGHTS.CODE | RIGHTS.EXPAND_DOWN)) === RIGHTS.EXPAND_DOWN;
  const inside = down ? offset > limit && last <= ((rights & RIGHTS.BIG) !== 0 ? 0xffffffff : 0xffff) : last <= limit;
  return inside ? null : 'x86/segment-limit';
};

/** The linear address of an offset, whether it may be reached or not. */
export const uncheckedLinear = (s: Running, register: number, offset: Word): Word =>
  s.system.mode === '64'
    ? register < FS
      ? offset
      : add(offset, baseOf(s.segments, register))
    : new Word(0, (baseOf(s.segments, register).lo + offset.lo) | 0);

/** The linear address of the byte at an offset of CS, from which an instruction is fetched. Throws #GP(0) behind the limit, and behind 4 GiB. */
export const fetchAddress = (s: Running, offset: number): Word => {
  const refused = offset > 0xffffffff ? 'x86/segment-limit' : refusedByLimit(s.segments.hidden[CS], offset >>> 0, 1);
  if (refused) throw generalProtection(0, refused);
  return new Word(0, (s.segments.hidden[CS].base.lo + offset) | 0);
};

/** The target of a near branch, judged before the branch changes anything: canonical, or inside CS. */
export const reachable = (s: Running, to: Word): Word => {
  if (s.system.mode === '64') return canonicalTarget(to);
  if (to.lo >>> 0 > s.segments.hidden[CS].limit) throw generalProtection(0, 'x86/branch-limit');
  return to;
};

/** The linear address `bytes` further on: outside 64-bit mode they end at 4 GiB and begin anew. */
export const followingLinear = (s: Running, at: Word, bytes: number): Word =>
  s.system.mode === '64' ? addInt(at, bytes) : new Word(0, (at.lo + bytes) | 0);
