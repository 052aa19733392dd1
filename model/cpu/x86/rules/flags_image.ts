/** PUSHF and POPF: RFLAGS as an image, of which the privilege level decides what may change. */
import { NotModelled } from '#spec/failure.ts';
import { RFLAGS } from '#spec/isa/x86/flags.ts';
import { word } from '../../../word/word.ts';
import { generalProtection } from '../fault.ts';
import { AC, ARITHMETIC, DF, ID, IF, NT, RF, setFlags, TF } from '../flags.ts';
import { movedStack, stackSlot } from '../push.ts';
import { advance, citing, type Rules, type Running, type Semantics } from '../running.ts';
import { CR4 } from '../system/state.ts';
import { push } from './stack.ts';

const { IOPL, VM } = RFLAGS;

/** The I/O privilege level in RFLAGS. */
export const ioplOf = (flags: number): number => (flags & IOPL) >> 12;

/** x86/iopl-v86: in virtual-8086 mode only IOPL 3 lets the program look at or change flags as a whole. */
const requireFlags = ({ flags, system: { mode, cr4 } }: Running): void => {
  if (mode !== 'v86' || ioplOf(flags) === 3) return;
  if ((cr4 & CR4.VME) !== 0) throw new NotModelled('x86/vme');
  throw generalProtection(0, 'x86/iopl-v86');
};

/**
 * x86/iopl-flags: the flags that POPF and IRET may change. IF asks for CPL ≤ IOPL, IOPL for CPL 0; nothing tells when they stay. The
 * 16-bit forms reach those below bit 16.
 */
export const changeableFlags = ({ flags, system: { cpl } }: Running, size: number): number =>
  ARITHMETIC | TF | DF | NT | (size === 2 ? 0 : AC | ID) | (cpl <= ioplOf(flags) ? IF : 0) | (cpl === 0 ? IOPL : 0);

/** PUSHF: RFLAGS, with RF and VM clear. */
const pushfRule: Semantics = (s, i) => {
  requireFlags(s);
  return push(s, i, word(0, i.size === 2 ? s.flags & 0xffff : s.flags & ~(RF | VM)));
};

/** POPF. */
const popfRule: Semantics = (s, i) => {
  requireFlags(s);
  const mask = changeableFlags(s, i.size);
  const image = stackSlot(s, 0, i.size).lo;
  const flags = setFlags(s.flags, mask, image & mask);
  const refused = ((image ^ flags) & (IF | IOPL)) !== 0;
  return advance(refused ? citing(s, 'x86/iopl-flags') : s, i, movedStack(s, i.size), flags, s.memory);
};

export const FLAGS_IMAGE_RULES: Rules = {
  pushf: pushfRule,
  popf: popfRule,
};
