/** Instructions about flags alone. */
import { Word } from '../../../word/word.ts';
import { AF, CF, PF, SF, setFlags, ZF } from '../flags.ts';
import { advance, type Semantics, setReg, withFlags } from '../running.ts';
import { RAX } from '../state.ts';

/** CLC STC CLD STD: a flag becomes what `on` says. */
export const setFlagRule =
  (mask: number, on: number): Semantics =>
  (s, i) =>
    withFlags(s, i, setFlags(s.flags, mask, on));

/** CMC: CF ← its opposite. */
export const cmcRule: Semantics = (s, i) => withFlags(s, i, s.flags ^ CF);

const IN_AH = SF | ZF | AF | PF | CF;

/** SAHF: SF ZF AF PF CF ← AH. */
export const sahfRule: Semantics = (s, i) => withFlags(s, i, setFlags(s.flags, IN_AH, (s.regs[RAX].lo >>> 8) & IN_AH));

/** LAHF: AH ← the low byte of RFLAGS. */
export const lahfRule: Semantics = (s, i) => {
  const { hi, lo } = s.regs[RAX];
  return advance(s, i, setReg(s.regs, RAX, new Word(hi, (lo & ~0xff00) | ((s.flags & 0xff) << 8))), s.flags, s.memory);
};
