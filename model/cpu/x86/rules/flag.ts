/** Instructions about flags alone. */
import { Word } from '../../../word/word.ts';
import { AF, CF, DF, PF, SF, setFlags, ZF } from '../flags.ts';
import { advance, type Rules, type Semantics, setReg, withFlags } from '../running.ts';
import { RAX } from '../state.ts';

/** CLC STC CLD STD: a flag becomes what `on` says. */
const setFlagRule =
  (mask: number, on: number): Semantics =>
  (s, i) =>
    withFlags(s, i, setFlags(s.flags, mask, on));

/** CMC: CF ← its opposite. */
const cmcRule: Semantics = (s, i) => withFlags(s, i, s.flags ^ CF);

const IN_AH = SF | ZF | AF | PF | CF;

/** SAHF: SF ZF AF PF CF ← AH. */
const sahfRule: Semantics = (s, i) => withFlags(s, i, setFlags(s.flags, IN_AH, (s.regs[RAX].lo >>> 8) & IN_AH));

/** LAHF: AH ← the low byte of RFLAGS. */
const lahfRule: Semantics = (s, i) => {
  const { hi, lo } = s.regs[RAX];
  return advance(s, i, setReg(s.regs, RAX, new Word(hi, (lo & ~0xff00) | ((s.flags & 0xff) << 8))), s.flags, s.memory);
};

export const FLAG_RULES: Rules = {
  cmc: cmcRule,
  clc: setFlagRule(CF, 0),
  stc: setFlagRule(CF, CF),
  cld: setFlagRule(DF, 0),
  std: setFlagRule(DF, DF),
  sahf: sahfRule,
  lahf: lahfRule,
};
