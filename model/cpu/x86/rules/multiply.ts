/** Multiplication. CF and OF tell whether the upper half matters; SF ZF AF PF are undefined: x86/undefined-flags_clear. */
import { multiplySigned, multiplyUnsigned, type Wide } from '../../../word/multiply.ts';
import { type Size, signExtend, zeroExtend } from '../../../word/size.ts';
import { equal, isZero, shr, Word } from '../../../word/word.ts';
import { ARITHMETIC, CF, OF, setFlags } from '../flags.ts';
import type { Instruction } from '../instruction.ts';
import { finish, merged, read } from '../operand.ts';
import { advance, citing, type Rules, type Running, type Semantics, setReg } from '../running.ts';
import { RAX, RDX } from '../state.ts';

const productFlags = (flags: number, fits: boolean): number => setFlags(flags, ARITHMETIC, fits ? 0 : CF | OF);

/** Whether a signed product equals its low half sign-extended. */
const fitsSigned = ({ high, low }: Wide, size: Size): boolean => {
  const cut = signExtend(low, size);
  return equal(cut, low) && high.lo === low.hi >> 31 && high.hi === high.lo;
};

/** AX, or rDX:rAX, from the low and the high half of a product of `size` bytes. */
export const toPair = (regs: readonly Word[], size: Size, low: Word, high: Word): readonly Word[] => {
  if (size === 1) return setReg(regs, RAX, merged(regs[RAX], 2, new Word(0, (low.lo & 0xff) | ((high.lo & 0xff) << 8))));
  return setReg(setReg(regs, RAX, merged(regs[RAX], size, low)), RDX, merged(regs[RDX], size, high));
};

/** The half above `size` bytes of a product. */
const upperHalf = ({ high, low }: Wide, size: Size): Word => (size === 8 ? high : zeroExtend(shr(low, 8 * size), size));

const widening = (s: Running, i: Instruction, product: Wide, fits: boolean): Running =>
  advance(s, i, toPair(s.regs, i.dst.size, product.low, upperHalf(product, i.dst.size)), productFlags(s.flags, fits), s.memory);

/** MUL: rDX:rAX ← rAX · SRC, unsigned; for bytes AX ← AL · SRC. */
const mulRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const product = multiplyUnsigned(zeroExtend(s.regs[RAX], size), read(s, i, i.dst));
  return widening(s, i, product, isZero(upperHalf(product, size)));
};

/** IMUL: with one operand as MUL, signed; with two or three operands the product is cut to the destination's size. */
const imulRule: Semantics = (s, i) => {
  const { size } = i.dst;
  const count = i.row.operands.length;
  const a = count === 1 ? s.regs[RAX] : count === 2 ? read(s, i, i.dst) : read(s, i, i.src);
  const b = read(s, i, count === 1 ? i.dst : count === 2 ? i.src : i.third);
  const product = multiplySigned(signExtend(a, size), signExtend(b, size));
  const fits = fitsSigned(product, size);
  if (count === 1) return widening(s, i, product, fits);
  return finish(citing(s, 'x86/undefined-flags_clear'), i, i.dst, zeroExtend(product.low, size), productFlags(s.flags, fits));
};

export const MULTIPLY_RULES: Rules = {
  mul: mulRule,
  imul: imulRule,
};
