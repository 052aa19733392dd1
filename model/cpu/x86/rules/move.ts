/** Moves without arithmetic. None of them changes flags. */
import { type Size, signExtend, zeroExtend } from '../../../word/size.ts';
import { add, sar, Word } from '../../../word/word.ts';
import { forConditions, HOLDS } from '../condition.ts';
import { readLinear } from '../linear.ts';
import type { Condition } from '../mnemonic.ts';
import { cutAddress, effectiveAddress, finish, merged, read } from '../operand.ts';
import { advance, type Rules, type Semantics, setReg } from '../running.ts';
import { segmented } from '../segmentation.ts';
import { RAX, RBX, RDX, SS } from '../state.ts';
import { reversed } from './bits.ts';

/** MOV: DEST ← SRC. */
export const movRule: Semantics = (s, i) => finish(s, i, i.dst, read(s, i, i.src));

/** MOVZX: DEST ← SRC, zero-extended. */
const movzxRule: Semantics = movRule;

/** MOVSX and MOVSXD: DEST ← SRC, sign-extended. */
const movsxRule: Semantics = (s, i) => finish(s, i, i.dst, zeroExtend(signExtend(read(s, i, i.src), i.src.size), i.dst.size));

/** MOVBE: DEST ← SRC with its bytes reversed. */
const movbeRule: Semantics = (s, i) => finish(s, i, i.dst, reversed(read(s, i, i.src), i.size as 2 | 4 | 8));

/** LEA: DEST ← the address of SRC, cut to DEST's size; no memory is touched. */
const leaRule: Semantics = (s, i) => finish(s, i, i.dst, zeroExtend(effectiveAddress(s, i, i.src), i.dst.size));

/** CMOVcc: DEST ← SRC if the condition holds. SRC is read either way, and a 32-bit DEST is zero-extended either way. */
const cmovRule =
  (condition: Condition): Semantics =>
  (s, i) => {
    const value = read(s, i, i.src);
    return finish(s, i, i.dst, HOLDS[condition](s.flags) ? value : read(s, i, i.dst));
  };

/** SETcc: DEST ← 1 if the condition holds, else 0. */
const setRule =
  (condition: Condition): Semantics =>
  (s, i) =>
    finish(s, i, i.dst, new Word(0, HOLDS[condition](s.flags) ? 1 : 0));

/** XLAT: AL ← [rBX + AL]. */
const xlatRule: Semantics = (s, i) => {
  const sum = add(s.regs[RBX], new Word(0, s.regs[RAX].lo & 0xff));
  const at = segmented(s, i.segment, cutAddress(sum, i.addressSize), 1);
  const value = readLinear(s, at, 1, i.segment === SS);
  return advance(s, i, setReg(s.regs, RAX, merged(s.regs[RAX], 1, value)), s.flags, s.memory);
};

/** CBW CWDE CDQE: rAX ← its lower half, sign-extended. */
const cbwRule: Semantics = (s, i) => {
  const value = signExtend(s.regs[RAX], (i.size / 2) as Size);
  return advance(s, i, setReg(s.regs, RAX, merged(s.regs[RAX], i.size, value)), s.flags, s.memory);
};

/** CWD CDQ CQO: every bit of rDX ← the top bit of rAX. */
const cwdRule: Semantics = (s, i) => {
  const sign = sar(signExtend(s.regs[RAX], i.size), 63);
  return advance(s, i, setReg(s.regs, RDX, merged(s.regs[RDX], i.size, sign)), s.flags, s.memory);
};

export const MOVE_RULES: Rules = {
  mov: movRule,
  movnti: movRule,
  movsxd: movsxRule,
  movzx: movzxRule,
  movsx: movsxRule,
  movbe: movbeRule,
  lea: leaRule,
  xlat: xlatRule,
  cbw: cbwRule,
  cwd: cwdRule,
  ...forConditions('set', setRule),
  ...forConditions('cmov', cmovRule),
};
