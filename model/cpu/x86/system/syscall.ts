/** SYSCALL and SYSRET. Chapter: "System calls". */
import { EFER } from '#spec/isa/x86/control_registers.ts';
import { type Word, word, ZERO } from '../../../word/word.ts';
import { generalProtection, undefinedOpcode } from '../fault.ts';
import { IF, RF } from '../flags.ts';
import { changed, citing, completed, nextRip, type Running, type Semantics, setReg } from '../running.ts';
import { CS, R11, RCX, type Segments, SS } from '../state.ts';
import { VM } from './flags.ts';
import { heldMsr } from './msr.ts';
import { requireRing0 } from './privilege.ts';
import { inModeOf, withSegment } from './segments.ts';

const STAR = 0xc0000081;
const LSTAR = 0xc0000082;
const CSTAR = 0xc0000083;
const SFMASK = 0xc0000084;

/** Rights of the flat segments that these instructions make, without looking at descriptors. */
export const FLAT = { code64: 0xa09b, code32: 0xc09b, data: 0xc093, ring3: 0x60 } as const;

export const withFlat = (segments: Segments, register: number, selector: number, rights: number): Segments =>
  withSegment(segments, register, selector, { base: ZERO, limit: 0xffffffff, rights, usable: true });

/** x86/syscall-disabled. */
const requireOn = ({ system: { efer } }: Running): void => {
  if ((efer & EFER.SCE) === 0) throw undefinedOpcode('x86/syscall-disabled');
};

const isLong = ({ system: { efer } }: Running): boolean => (efer & EFER.LMA) !== 0;

/** SYSCALL. */
export const syscall: Semantics = (s, i) => {
  requireOn(s);
  const star = heldMsr(s, STAR);
  const long = isLong(s);
  const selector = star.hi & 0xfffc;
  const code = withFlat(s.segments, CS, selector, long ? FLAT.code64 : FLAT.code32);
  const segments = withFlat(code, SS, (selector + 8) & 0xffff, FLAT.data);
  const next = s.system.mode === '64' ? nextRip(s, i) : word(0, nextRip(s, i).lo);
  const linked = setReg(s.regs, RCX, next);
  const flags = long ? s.flags & ~(heldMsr(s, SFMASK).lo | RF) : s.flags & ~(IF | VM | RF);
  const rip = long ? heldMsr(s, s.system.mode === '64' ? LSTAR : CSTAR) : word(0, star.lo);
  return completed(citing(s, 'x86/syscall-entry'), i, {
    regs: long ? setReg(linked, R11, word(0, s.flags & ~RF)) : linked,
    rip,
    flags: flags | 2,
    segments,
    system: inModeOf(s.system, flags, segments, 0),
  });
};

/** Flags that SYSRET takes from R11. */
const RETURNED_FLAGS = 0x3c7fd7;

/** SYSRET. */
export const sysret: Semantics = (s, i) => {
  requireOn(s);
  requireRing0(s);
  if (s.system.mode === 'real') throw generalProtection(0, 'x86/syscall-disabled');
  const first = heldMsr(s, STAR).hi >>> 16;
  const wide = i.size === 8;
  const code = withFlat(s.segments, CS, ((wide ? first + 16 : first) & 0xffff) | 3, (wide ? FLAT.code64 : FLAT.code32) | FLAT.ring3);
  const segments = withFlat(code, SS, ((first + 8) & 0xffff) | 3, FLAT.data | FLAT.ring3);
  const flags = isLong(s) ? (s.regs[R11].lo & RETURNED_FLAGS) | 2 : s.flags | IF;
  const rip: Word = wide ? s.regs[RCX] : word(0, s.regs[RCX].lo);
  const after = changed(s, { segments, flags });
  return completed(citing(s, 'x86/syscall-return'), i, { rip, flags, segments, system: inModeOf(after.system, flags, segments, 3) });
};
