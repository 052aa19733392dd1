/** Code segments: which ones a transfer may reach, and arriving there. Chapter: "Far transfers". */
import type { ClauseId } from '#spec/clauses.ts';
import { EFER } from '#spec/isa/x86/control_registers.ts';
import { isCanonical } from '../../../memory/translate.ts';
import type { Word } from '../../../word/word.ts';
import { type Exit, generalProtection, notPresent } from '../fault.ts';
import { changed, citing, type Running } from '../running.ts';
import { CS, type Hidden, RIGHTS } from '../state.ts';
import {
  type Descriptor,
  dplOf,
  errorOf,
  hiddenOf,
  isBig,
  isCode,
  isConforming,
  isLongCode,
  isNull,
  isPresent,
  rplOf,
  withRpl,
} from './descriptor.ts';
import { allAccessed, descriptorOf } from './descriptor_table.ts';
import { inModeOf, withReal, withSegment, withV86 } from './segments.ts';

/** A descriptor, which must exist: x86/far-null, x86/descriptor-limit. */
export const namedDescriptor = (s: Running, selector: number): Descriptor => {
  if (isNull(selector)) throw generalProtection(0, 'x86/far-null');
  const d = descriptorOf(s, selector);
  if (d === null) throw generalProtection(errorOf(selector), 'x86/descriptor-limit');
  return d;
};

const longMode = ({ system: { efer } }: Running): boolean => (efer & EFER.LMA) !== 0;

/** x86/far-long_code: in long mode a code segment cannot have both L and D. */
const requireSensible = (s: Running, selector: number, d: Descriptor): void => {
  if (longMode(s) && isLongCode(d) && isBig(d)) throw refused(selector, 'x86/far-long_code');
};

const refused = (selector: number, clause: ClauseId): Exit => generalProtection(errorOf(selector), clause);

const requirePresent = (selector: number, d: Descriptor): void => {
  if (!isPresent(d)) throw notPresent(errorOf(selector), 'x86/segment-not_present');
};

/** x86/far-same_level: JMP and CALL reach code of their own level, or conforming code of an inner one. */
export const requireReachable = (s: Running, selector: number, d: Descriptor): void => {
  const { cpl } = s.system;
  requireSensible(s, selector, d);
  const allowed = isConforming(d) ? dplOf(d) <= cpl : dplOf(d) === cpl && rplOf(selector) <= cpl;
  if (!allowed) throw refused(selector, 'x86/far-same_level');
  requirePresent(selector, d);
};

/** x86/return-level: a return goes to code of the level that the selector asks for, never inwards. */
export const returnCode = (s: Running, selector: number): Descriptor => {
  if (isNull(selector)) throw generalProtection(0, 'x86/far-null');
  const d = descriptorOf(s, selector);
  if (d === null) throw refused(selector, 'x86/descriptor-limit');
  const rpl = rplOf(selector);
  if (rpl < s.system.cpl || !isCode(d)) throw refused(selector, 'x86/return-level');
  requireSensible(s, selector, d);
  if (isConforming(d) ? dplOf(d) > rpl : dplOf(d) !== rpl) throw refused(selector, 'x86/return-level');
  requirePresent(selector, d);
  return d;
};

/** Whether code of this descriptor would run in 64-bit mode. */
export const runsLong = (s: Running, d: Descriptor): boolean => longMode(s) && isLongCode(d);

/** x86/far-target: the target must lie inside the code segment, or be canonical in 64-bit mode. */
export const requireTarget = (s: Running, hidden: Hidden, rip: Word): void => {
  const long = longMode(s) && (hidden.rights & RIGHTS.L) !== 0;
  const inside = long ? isCanonical(rip) : rip.hi === 0 && rip.lo >>> 0 <= hidden.limit;
  if (!inside) throw generalProtection(0, 'x86/far-target');
};

/** The state at `rip` in another code segment, of a level; nothing is checked any more. */
export const inCode = (s: Running, selector: number, hidden: Hidden, rip: Word, cpl = s.system.cpl): Running => {
  const segments = withSegment(s.segments, CS, selector, hidden);
  return changed(citing(s, 'x86/mode-choice'), { segments, rip, system: inModeOf(s.system, s.flags, segments, cpl) });
};

/** The end of a transfer to checked code: RPL of CS becomes CPL, accessed bits are set. */
export const arrived = (s: Running, selector: number, d: Descriptor, rip: Word, cpl = s.system.cpl): Running =>
  inCode(allAccessed(s, [d]), withRpl(selector, cpl), hiddenOf(d), rip, cpl);

/** In real and virtual-8086 mode a selector is the code's place. */
export const arrivedByParagraph = (s: Running, selector: number, rip: Word): Running => {
  const segments = s.system.mode === 'real' ? withReal(s.segments, CS, selector) : withV86(s.segments, CS, selector);
  requireTarget(s, segments.hidden[CS], rip);
  return changed(s, { segments, rip });
};
