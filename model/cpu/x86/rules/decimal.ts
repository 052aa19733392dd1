/** Decimal arithmetic of AL and AX, outside 64-bit mode. Flags that are undefined become 0: x86/undefined-flags_clear. */
import { mergeLow } from '../../../word/size.ts';
import { Word } from '../../../word/word.ts';
import { divideError } from '../fault.ts';
import { AF, ARITHMETIC, CF, resultFlags, setFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { advance, type Rules, type Running, type Semantics, setReg } from '../running.ts';
import { RAX } from '../state.ts';

const ax = (s: Running): number => s.regs[RAX].lo & 0xffff;

/** The instruction is done: AX, and all six arithmetic flags. */
const withAx = (s: Running, i: Instruction, value: number, flags: number): Running =>
  advance(s, i, setReg(s.regs, RAX, mergeLow(s.regs[RAX], new Word(0, value & 0xffff), 2)), setFlags(s.flags, ARITHMETIC, flags), s.memory);

const byteFlags = (value: number): number => resultFlags(new Word(0, value & 0xff), 1);

/** The low digit is no decimal one, or has carried. */
const adjusts = (s: Running): boolean => (s.flags & AF) !== 0 || (ax(s) & 15) > 9;

/** DAA, DAS: AL becomes two decimal digits again after an addition or a subtraction. */
const adjustPacked =
  (sign: 1 | -1): Semantics =>
  (s, i) => {
    const old = ax(s) & 0xff;
    const low = adjusts(s);
    const high = old > 0x99 || (s.flags & CF) !== 0;
    const value = old + sign * ((low ? 6 : 0) + (high ? 0x60 : 0));
    const carried = high || (sign < 0 && low && old < 6);
    return withAx(s, i, (ax(s) & 0xff00) | (value & 0xff), byteFlags(value) | (low ? AF : 0) | (carried ? CF : 0));
  };
const daaRule = adjustPacked(1);
const dasRule = adjustPacked(-1);

/** AAA, AAS: AL becomes one decimal digit, and AH takes the carry. */
const adjustUnpacked =
  (sign: 1 | -1): Semantics =>
  (s, i) => {
    const low = adjusts(s);
    const value = low ? ax(s) + sign * 0x106 : ax(s);
    return withAx(s, i, value & 0xff0f, low ? AF | CF : 0);
  };
const aaaRule = adjustUnpacked(1);
const aasRule = adjustUnpacked(-1);

/** AAM: AH and AL ← quotient and remainder of AL by the immediate; #DE when it is 0. */
const aamRule: Semantics = (s, i) => {
  const base = i.dst.value.lo;
  if (base === 0) throw divideError();
  const al = ax(s) & 0xff;
  const remainder = al % base;
  return withAx(s, i, (Math.floor(al / base) << 8) | remainder, byteFlags(remainder));
};

/** AAD: AL ← AL + AH · the immediate, AH ← 0. */
const aadRule: Semantics = (s, i) => {
  const value = (ax(s) & 0xff) + (ax(s) >>> 8) * i.dst.value.lo;
  return withAx(s, i, value & 0xff, byteFlags(value));
};

export const DECIMAL_RULES: Rules = {
  daa: daaRule,
  das: dasRule,
  aaa: aaaRule,
  aas: aasRule,
  aam: aamRule,
  aad: aadRule,
};
