/** Bitwise operations. OF and CF are cleared, AF is undefined: cleared too (x86/undefined-flags_clear). */
import { and, or, xor } from '../../../word/word.ts';
import { logicFlags } from '../flags.ts';
import { finish, read, readToWrite } from '../operand.ts';
import { type Rules, type Semantics, withFlags } from '../running.ts';

/** AND: DEST ← DEST ∧ SRC. */
const andRule: Semantics = (s, i) => {
  const r = and(readToWrite(s, i, i.dst), read(s, i, i.src));
  return finish(s, i, i.dst, r, logicFlags(s.flags, r, i.dst.size));
};

/** OR: DEST ← DEST ∨ SRC. */
const orRule: Semantics = (s, i) => {
  const r = or(readToWrite(s, i, i.dst), read(s, i, i.src));
  return finish(s, i, i.dst, r, logicFlags(s.flags, r, i.dst.size));
};

/** XOR: DEST ← DEST ⊕ SRC. */
const xorRule: Semantics = (s, i) => {
  const r = xor(readToWrite(s, i, i.dst), read(s, i, i.src));
  return finish(s, i, i.dst, r, logicFlags(s.flags, r, i.dst.size));
};

/** TEST: the flags of DEST ∧ SRC. */
const testRule: Semantics = (s, i) => {
  const r = and(read(s, i, i.dst), read(s, i, i.src));
  return withFlags(s, i, logicFlags(s.flags, r, i.dst.size));
};

export const LOGIC_RULES: Rules = {
  or: orRule,
  and: andRule,
  xor: xorRule,
  test: testRule,
};
